"""Know the class of every word of the stories, by the lists and rules of tagger.toml."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from linstudy.lookup import entries
from storyworld import lexicon

WORD_CLASSES = (
    *("noun", "verb", "adjective", "adverb", "pronoun", "name", "determiner", "preposition", "conjunction"),
    *("number", "interjection", "particle", "punctuation", "other"),
)
# A possessive or shortened ending is a word of its own, as taggers have it: "Omar" + "'s", "do" + "n't".
WORD = re.compile(r"n['’]t\b|['’](?:s|re|ve|ll|d|m)\b|\w+?(?=n['’]t\b)|\d+(?:[.,]\d+)*\b|\w+(?:-\w+)*|[^\w\s]", re.I)


class Rule(NamedTuple):
    """A class, and what must stand on either side for it: words, marks or classes; where none is named, anything."""

    word_class: str
    after: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()


def story_classes(words: Sequence[str]) -> list[str]:
    """Return the class of each word and mark of a text, "other" for a word that no story has."""
    names, table = _names(), rules()
    lower = [word.lower() for word in words]
    ways = [
        (Rule("name"),) if word in names else table.get(low) or (Rule(_unknown(word)),)
        for word, low in zip(words, lower, strict=True)
    ]
    usual = [rules[-1].word_class for rules in ways]
    found: list[str] = []
    for index, possible in enumerate(ways):
        if len(possible) > 1:
            # What comes before is decided already; of what comes after, the usual class must do.
            after = {lower[index - 1], found[-1]} if index else {"."}
            before = {lower[index + 1], usual[index + 1]} if index + 1 < len(words) else {"."}
            possible = [
                rule
                for rule in possible
                if (not rule.after or rule.after & after) and (not rule.before or rule.before & before)
            ]
        found.append(possible[0].word_class)
    return found


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Return of each word the rules to try in turn; the last one holds always."""
    data = entries("stories/tagger.toml", "casebook")
    table: dict[str, tuple[Rule, ...]] = {}
    for word_class, names in data["LISTS"].items():
        for name in names.split():
            table |= dict.fromkeys(_words(getattr(lexicon, name)), (Rule(word_class),))
    for word_class, words in data["WORDS"].items():
        table |= dict.fromkeys(words.split(), (Rule(word_class),))
    for row in data["CONTEXT"].strip().splitlines():
        words, *alternatives = row.split("|")
        table |= dict.fromkeys(words.split(), tuple(map(_rule, alternatives)))
    return table


def _rule(text: str) -> Rule:
    """Read "noun the a _ box", where the dash is the word itself."""
    word_class, *rest = text.split()
    dash = rest.index("_") if rest else 0
    return Rule(word_class, frozenset(rest[:dash]), frozenset(rest[dash + 1 :]))


def _words(value: str | tuple | dict) -> list[str]:
    """Return the single words in a list of the lexicon, or in a table of lists."""
    if isinstance(value, str):
        return [] if " " in value else [value]
    return [word for one in (value.values() if isinstance(value, dict) else value) for word in _words(one)]


@cache
def _names() -> frozenset[str]:
    elders = {word for folk in lexicon.ELDERS.values() for name, *_ in folk for word in name.split()}
    days = {f"{day}{s}" for day in lexicon.CLASSES["time"] for s in ("", "s")}
    names = {*lexicon.GIRLS, *lexicon.BOYS, *lexicon.ANIMAL_NAMES, *elders, *days}
    return frozenset(name for name in names if name[0].isupper())


def _unknown(word: str) -> str:
    return "number" if word[0].isdigit() else "other" if word[0].isalpha() else "punctuation"
