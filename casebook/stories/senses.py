"""Ask whether a word is used in one sense in two sentences."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import NamedTuple

from linstudy.lookup import entries
from storyworld.stories import Story

from .examples import NO_YES, Chooser, Example
from .tagger import WORD, WORD_CLASSES, story_classes

SHARE = 4  # times its even share of the examples that a frequent word may have
REMEMBERED = 60  # sentences of each sense that wait for one of the other
IN_COMMON = 0.2  # of the words of two sentences in the same sense
LENGTH = 4  # characters by which the two may differ
SENTENCE = re.compile(r'(?:[^.!?\n]|[.!?](?!"?(?: [A-Z"]|\n|$)))+[.!?]"?')


class Use(NamedTuple):
    """A sentence and the seed of its story."""

    sentence: str
    story: int


def sense(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask whether a word has the same sense in two sentences.

    Sentences of the two senses are matched by length, and two such matches make four examples, in which each sentence
    is told once beside its own sense and once beside the other: neither words nor lengths tell the answer.
    """
    chooser = Chooser(2, random)
    waiting: dict[tuple[str, int], deque[Use]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
    matches: dict[str, deque[tuple[Use, Use]]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
    asked: Counter[str] = Counter()
    for use, word, its_sense in ((Use(text, s.seed), word, n) for s in stories for word, n, text in uses(s.text)):
        if asked[word] > 8 + SHARE * asked.total() / len(table()):
            continue
        same, others = waiting[word, its_sense], waiting[word, 1 - its_sense]
        fitting = [o for o in others if o.story != use.story and abs(len(o.sentence) - len(use.sentence)) <= LENGTH]
        if not fitting:
            if all(other.sentence != use.sentence for other in same):
                same.append(use)
            continue
        other = chooser.pick(fitting)
        others.remove(other)
        two = (use, other) if its_sense == 0 else (other, use)
        one = next((one for one in matches[word] if all(map(_unlike, one, two))), None)
        if one is None:
            matches[word].append(two)
            continue
        matches[word].remove(one)
        asked[word] += 4
        (a, b), (c, d) = one, two
        for left, right, label in ((a, c, 1), (a, d, 0), (b, d, 1), (b, c, 0)):
            words = f'{left.sentence}\n{right.sentence}\n\nDoes "{word}" mean the same in both?'
            yield Example(words, NO_YES, label, word, (left.story, right.story))


def _unlike(one: Use, two: Use) -> bool:
    """Say whether two sentences have few words in common, so that their likeness does not tell the answer."""
    first, second = set(one.sentence.lower().split()), set(two.sentence.lower().split())
    return len(first & second) <= IN_COMMON * len(first | second)


def uses(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the words of several senses in a text that can be told apart: word, sense (0 or 1), sentence."""
    for match in SENTENCE.finditer(text):
        sentence = match[0].strip()
        if sentence.count('"') % 2:  # a part of a longer speech
            sentence = sentence.replace('"', "").strip()
        words = re.findall(r"\w+", sentence.lower())
        for word in sorted(table().keys() & words):
            senses = [index for index, how in enumerate(table()[word]) if _fits(word, sentence, how)]
            if words.count(word) == 1 and len(senses) == 1:
                yield word, senses[0], sentence


def _fits(word: str, sentence: str, how: str | re.Pattern) -> bool:
    if isinstance(how, re.Pattern):
        return bool(how.search(sentence))
    pieces = [piece[0] for piece in WORD.finditer(sentence)]
    return story_classes(pieces)[[piece.lower() for piece in pieces].index(word)] == how


@cache
def table() -> dict[str, tuple[str | re.Pattern, ...]]:
    """Return of each word how to tell its two senses: by its class, or by a pattern in its sentence."""
    return {
        word: tuple(how if how in WORD_CLASSES else re.compile(rf"\b(?:{how})") for how in senses.values())
        for word, senses in entries("stories/senses.toml", "casebook").items()
    }
