"""Walk the templates of the stories, trees of words, slots and branches: to say an event, and to find it in a text."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .slots import Said, Slot, Voice, options, scope, slot_of
from .tables import templates

TOKEN = re.compile(r"\{[^}]*\}|<[^>]*>|[\[\]|]|[^\[\]|{}<>]+")
WORD = re.compile(r"[A-Za-z]+")
END = re.compile(r"""[.!?]["']{0,2}(?=\s+["']{0,2}[A-Z]|\s*\Z)|(?=\n\n)""")
# the same in a literal of a template, where the next sentence can begin with a slot
END_IN_LITERAL = re.compile(r"""[.!?]["']{0,2}( )(?=["']{0,2}(?:[A-Z]|\Z))""")


@dataclass(frozen=True, slots=True)
class Gap:
    """A slot in a template, by its name in lower case, and whether it begins a sentence."""

    name: str
    slot: Slot
    capital: bool


Tree = tuple  # of strings, gaps, and branches, which are tuples of trees


@cache
def grammar() -> dict[str, tuple[Tree, ...]]:
    """Return the templates of every kind of event."""
    return {
        kind: tuple(map(parse, lines))
        for name in ("shared.txt", "plots.txt")
        for kind, lines in templates(name).items()
    }


def parse(template: str) -> Tree:
    """Return the tree of a template."""
    stack: list[list[list]] = [[[]]]
    for token in TOKEN.findall(template):
        if token == "[":
            stack.append([[]])
        elif token == "|":
            stack[-1].append([])
        elif token == "]":
            branches = tuple(tuple(branch) for branch in stack.pop())
            stack[-1][-1].append(branches)
        else:
            stack[-1][-1].append(_gap(token) if token[0] in "{<" else token)
    return tuple(stack[0][0])


def _gap(token: str) -> Gap:
    name = token[1:-1]
    if name != "He":  # which may give a name where "he" does not
        name = name[0].lower() + name[1:]
    name = f"<{name}>" if token[0] == "<" else name
    return Gap(name, slot_of(name), token[1].isupper())


# -------------------------------------------------------------- saying


def say(voice: Voice, kind: str) -> str:
    """Return the sentences of an event; a template is not used twice in a story while another is left."""
    trees = grammar()[kind]
    index = int(voice.random() * len(trees))
    for _ in trees:
        if (kind, index) not in voice.used:
            break
        index = (index + 1) % len(trees)
    voice.used.add((kind, index))
    voice.clash = voice.other is not None and voice.other.pronoun == voice.who.pronoun
    voice.spoken = False
    out: list[str] = []
    _fill(trees[index], voice, out)
    voice.focus, voice.heard = voice.who, voice.other
    return "".join(out)


def _fill(tree: Tree, voice: Voice, out: list[str]) -> None:
    for part in tree:
        if type(part) is str:
            out.append(part)
        elif type(part) is tuple:
            _fill(voice.draw(part), voice, out)
        else:
            words = part.slot.say(voice)
            out.append(words[0].upper() + words[1:] if part.capital else words)


# -------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A gap on one way through a template: what can stand in it, and how long that is at most."""

    options: dict[str, Said]
    longest: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way through a template, or its first sentences (then it is not whole)."""

    kind: str
    parts: tuple[str | Hole, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Match:
    """What a pattern found: where its instance stops, and what its slots say, in order."""

    pattern: Pattern
    stop: int
    said: tuple[Said, ...]


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
    index = _indexed(whole)
    for word in dict.fromkeys(["", *WORD.findall(text, start, ends[0])]):
        for pattern in index.get(word, ()):
            said: list[Said] = []
            stop = _match(pattern.parts, 0, text, start, ends[-1], said)
            if stop in ends:
                yield Match(pattern, stop, tuple(said))


def _match(parts: tuple[str | Hole, ...], at: int, text: str, p: int, stop: int, said: list[Said]) -> int:
    """Return where the instance of `parts[at:]` that starts at p stops, or -1; note what its slots say."""
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
            meaning = part.options.get(text[p:end])
            if meaning is not None:
                said.append(meaning)
                found = _match(parts, at + 2, text, end + len(after), stop, said)
                if found >= 0:
                    return found
                del said[-1]
            end = text.find(after, end + 1, limit)
        return -1
    return p


@cache
def _indexed(whole: bool) -> dict[str, tuple[Pattern, ...]]:
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
    """Return all ways through all templates, and the beginnings of those that have several sentences."""
    found: dict[Pattern, None] = {}
    for kind, trees in grammar().items():
        for way in (way for tree in trees for way in _ways(tree)):
            parts = _joined([part if type(part) is str else _hole(part, scope(part.name, kind)) for part in way])
            found[Pattern(kind, parts, True)] = None
            found |= {Pattern(kind, beginning, False): None for beginning in _beginnings(parts)}
    return tuple(found)


def _ways(tree: Tree) -> list[Tree]:
    """Return every way through the branches of a tree."""
    ways: list[Tree] = [()]
    for part in tree:
        more = [way for branch in part for way in _ways(branch)] if type(part) is tuple else [(part,)]
        ways = [before + after for before in ways for after in more]
    return ways


def _joined(parts: list[str | Hole]) -> tuple[str | Hole, ...]:
    """Make one literal of those that follow each other."""
    found: list[str | Hole] = []
    for part in parts:
        if found and type(part) is type(found[-1]) is str:
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)


@cache
def _hole(gap: Gap, scope: str) -> Hole:
    words = options(gap.name, gap.capital, scope)
    return Hole(words, max(map(len, words)))


def _beginnings(parts: tuple[str | Hole, ...]) -> list[tuple[str | Hole, ...]]:
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
    small = min((part for part in first if type(part) is not str), key=lambda hole: len(hole.options), default=None)
    if words or small is None or len(small.options) > 100:
        return [words]
    return [set(WORD.findall(option)) for option in small.options]
