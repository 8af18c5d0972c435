"""Say of every word and mark of a text to which class it belongs, by the stories' own grammar or by a kept tagger."""

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

from linstudy.lookup import entries, named

from ..stories import WORD, story_classes

Span = tuple[int, int, str]  # first character, one past the last, class
SENTENCE_END = re.compile(r"""(?<=[.!?])["'”’)]*(?=\s)|\n\s*\n""")
SPACY_MODEL = "en_core_web_sm"
INSTALL = "run: pip install 'linstudy[tagging]'"

CLASS_OF, AGREED = (
    {word: word_class for word_class, words in table.items() for word in words.split()}
    for table in map(entries("tokens/classes.toml", "casebook").get, ("tags", "agreed"))
)


def word_classes(text: str, *, tagger: str | Callable[[str], list[Span]] = "stories") -> list[Span]:
    """Find the words and marks of a text and their classes.

    Returns spans (first character, one past the last, class) in the order of the text, with white space between them;
    classes are in `WORD_CLASSES`. The tagger "stories" knows the words of the embedded stories and says "other" of all
    that is not in them. For real text, "nltk" (perceptron) and "spacy" (`en_core_web_sm`) do it with the extra
    `linstudy[tagging]`, their tags turned into the same classes. Or give a function of yours from a text to spans,
    which is taken as it is.

    Raises ValueError for an unknown name, ImportError where the tagger is not installed, OSError where what it has
    learned is not on this machine.
    """
    if callable(tagger):
        return tagger(text)
    known = f"take one of {', '.join(map(repr, TAGGERS))}, or a function from a text to spans."
    return named(TAGGERS, tagger, "tagger", known=known)(text)


def _stories(text: str) -> list[Span]:
    found = list(WORD.finditer(text))
    classes = story_classes([match[0] for match in found])
    return [(*match.span(), word_class) for match, word_class in zip(found, classes, strict=True)]


def _nltk(text: str) -> list[Span]:
    nltk = _package("nltk")
    ends = [0, *(match.end() for match in SENTENCE_END.finditer(text)), len(text)]
    found = [list(WORD.finditer(text, start, stop)) for start, stop in pairwise(ends)]
    try:
        tagged = nltk.pos_tag_sents([[match[0] for match in sentence] for sentence in found])
    except LookupError as error:
        raise OSError(
            "tagger='nltk' is installed, but not what it has learned: "
            "run: python -m nltk.downloader averaged_perceptron_tagger_eng"
        ) from error
    spans = []
    for sentence, pairs in zip(found, tagged, strict=True):
        tags = [tag for _, tag in pairs]
        for match, tag, following in zip(sentence, tags, [*tags, ""][1:], strict=True):
            as_preposition = tag == "TO" and following != "VB"
            spans.append((*match.span(), _class(match[0], "IN" if as_preposition else tag)))
    return spans


def _spacy(text: str) -> list[Span]:
    return [
        (token.idx, token.idx + len(token), _class(token.text, token.pos_))
        for token in _spacy_model()(text)
        if not token.is_space
    ]


@cache
def _spacy_model() -> Any:
    spacy = _package("spacy")
    try:
        return spacy.load(SPACY_MODEL, exclude=["parser", "ner", "lemmatizer"])
    except OSError as error:
        raise OSError(
            f"tagger='spacy' is installed, but not its model {SPACY_MODEL}: run: python -m spacy download {SPACY_MODEL}"
        ) from error


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"tagger={name!r} needs the package {name}, which is not installed: {INSTALL}.") from error


def _class(word: str, tag: str) -> str:
    if not any(character.isalnum() for character in word):
        return "punctuation"
    return AGREED.get(word.lower()) or CLASS_OF.get(tag, "other")


TAGGERS = {"stories": _stories, "nltk": _nltk, "spacy": _spacy}
