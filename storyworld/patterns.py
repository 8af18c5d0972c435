"""Find which templates of the stories a text can be an instance of: the templates laid flat, indexed by their words."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .fillers import fillers
from .lexicon import CLASSES
from .realise import TOKEN
from .tables import templates

WORD = re.compile(r"[A-Za-z]+")
END = re.compile(r"""[.!?]["']{0,2}(?=\s+["']{0,2}[A-Z]|\s*\Z)|(?=\n\n)""")
# the same in a literal of a template, where the next sentence can begin with a slot
END_IN_LITERAL = re.compile(r"""[.!?]["']{0,2}( )(?=["']{0,2}(?:[A-Z]|\Z))""")


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A gap in a template, and what may stand in it: as it is written, and as it would be within a sentence."""

    name: str
    options: dict[str, str]
    longest: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A template without branches, or its first sentences (then it is not whole)."""

    kind: str
    parts: tuple[str | Slot, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Match:
    """What a pattern found: where its instance stops, and what stands in its slots, in order."""

    pattern: Pattern
    stop: int
    filled: tuple[tuple[str, str], ...]


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where each sentence starts and stops: after `.`, `!` or `?` when a capital letter or a quote follows.

    What is said and who says it are one sentence (`"Stop!" cried Mila.`), unless the latter begins with a name. A
    paragraph ends a sentence.
    """
    found, start = [], 0
    for end in (match.end() for match in END.finditer(text)):
        while start < end and text[start].isspace():
            start += 1
        if start < end:
            found.append((start, end))
            start = end
    if text[start:].strip():
        found.append((start + len(text[start:]) - len(text[start:].lstrip()), len(text)))
    return found


def matches(text: str, start: int, ends: list[int], *, whole: bool = True) -> Iterator[Match]:
    """Yield the patterns that `text[start:end]` is an instance of, for one of the `ends` of the sentences there.

    Whole templates, or else those that break off after a sentence.
    """
    index = indexed(whole)
    for word in dict.fromkeys(["", *WORD.findall(text, start, ends[0])]):
        for pattern in index.get(word, ()):
            filled: list[tuple[str, str]] = []
            stop = _match(pattern.parts, 0, text, start, ends[-1], filled)
            if stop in ends:
                yield Match(pattern, stop, tuple(filled))


def _match(parts: tuple[str | Slot, ...], at: int, text: str, p: int, stop: int, filled: list[tuple[str, str]]) -> int:
    """Return where the instance of `parts[at:]` that starts at p stops, or -1; note what fills its slots."""
    while at < len(parts):
        part = parts[at]
        if type(part) is str:
            if not text.startswith(part, p):
                return -1
            p += len(part)
            at += 1
            continue
        after = parts[at + 1]  # a literal, always
        limit = min(p + part.longest + len(after), stop)
        end = text.find(after, p, limit)
        while end >= 0:
            value = part.options.get(text[p:end])
            if value is not None:
                filled.append((part.name, value))
                found = _match(parts, at + 2, text, end + len(after), stop, filled)
                if found >= 0:
                    return found
                del filled[-1]
            end = text.find(after, end + 1, limit)
        return -1
    return p


@cache
def indexed(whole: bool) -> dict[str, tuple[Pattern, ...]]:
    """Return the patterns under their rarest word: every instance has it in its first sentence ("" for any word)."""
    needed = {pattern: _needed(pattern) for pattern in patterns() if pattern.whole == whole}
    often = Counter(word for alternatives in needed.values() for words in alternatives for word in words)
    table: dict[str, list[Pattern]] = {}
    for pattern, alternatives in needed.items():
        for word in {min(words, key=lambda word: (often[word], word), default="") for words in alternatives}:
            table.setdefault(word, []).append(pattern)
    return {word: tuple(found) for word, found in table.items()}


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return all templates without branches, and the beginnings of those that have several sentences."""
    found: dict[Pattern, None] = {}
    for kind, lines in (templates("shared.txt") | templates("plots.txt")).items():
        for line in lines:
            for tokens in _branches(iter(TOKEN.findall(line))):
                parts = _parts(kind, tokens)
                found[Pattern(kind, parts, True)] = None
                found |= {Pattern(kind, beginning, False): None for beginning in _beginnings(parts)}
    return tuple(found)


def _branches(tokens: Iterator[str]) -> list[tuple[str, ...]]:
    """Return every way through the branches of a template, up to the end or to the bracket that closes."""
    done, open_ = [], [()]
    for token in tokens:
        if token == "[":
            inner = _branches(tokens)
            open_ = [before + after for before in open_ for after in inner]
        elif token == "|":
            done += open_
            open_ = [()]
        elif token == "]":
            break
        else:
            open_ = [(*before, token) for before in open_]
    return done + open_


def _parts(kind: str, tokens: tuple[str, ...]) -> tuple[str | Slot, ...]:
    """Make slots of the tokens that are, and one literal of those between them."""
    parts: list[str | Slot] = []
    for token in tokens:
        if token[0] in "{<":
            parts.append(_slot(kind, token))
        elif parts and type(parts[-1]) is str:
            parts[-1] += token
        else:
            parts.append(token)
    return tuple(parts)


@cache
def _slot(kind: str, token: str) -> Slot:
    name = token[1:-1]
    capital = name[0].isupper()
    if name != "He":  # which may give a name where "he" does not
        name = name[0].lower() + name[1:]
    words = frozenset(CLASSES[name]) if token[0] == "<" else fillers(kind, name)
    options = _options(words, capital)
    return Slot(f"<{name}>" if token[0] == "<" else name, options, max(map(len, options)))


@cache
def _options(words: frozenset[str], capital: bool) -> dict[str, str]:
    return {word[0].upper() + word[1:] if capital else word: word for word in words}


def _beginnings(parts: tuple[str | Slot, ...]) -> list[tuple[str | Slot, ...]]:
    """Return the first sentence of a pattern, the first two, and so on, cut wherever an instance can have an end."""
    found = []
    for place, part in enumerate(parts):
        for end in END_IN_LITERAL.finditer(part) if type(part) is str else ():
            after = part[end.end() :].strip("\"'")
            if after or any(option[0].isupper() for option in parts[place + 1].options):
                found.append((*parts[:place], part[: end.start(1)]))
    return found


def _needed(pattern: Pattern) -> list[set[str]]:
    """Return sets of words, one of which stands whole in the first sentence of every instance."""
    first = (_beginnings(pattern.parts) or [pattern.parts])[0]
    words = {word for part in first if type(part) is str for word in WORD.findall(part)}
    small = min((part for part in first if type(part) is not str), key=lambda slot: len(slot.options), default=None)
    if words or small is None or len(small.options) > 100:
        return [words]
    return [set(WORD.findall(option)) for option in small.options]
