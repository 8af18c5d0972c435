"""Walk the templates of the stories, trees of words, slots and branches: to say an event, and to find it in a text."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from .slots import Said, Slot, options, scope, slot_of
from .stock import capital
from .tables import templates
from .voice import Occasion, Voice

TOKEN = re.compile(r"\{[^}]*\}|<[^>]*>|[\[\]|]|[^\[\]|{}<>]+")
WORD = re.compile(r"[A-Za-z]+")
END = re.compile(r"""[.!?]["']{0,2}(?=\s+["']{0,2}[A-Z]|\s*\Z)|(?=\n\n)""")
# the same in a literal of a template, where the next sentence can begin with a slot
END_IN_LITERAL = re.compile(r"""[.!?]["']{0,2}(?= ["']{0,2}(?:[A-Z]|\Z))""")


class Gap(NamedTuple):
    """A slot in a template, whether it begins a sentence, and what narrows its words down."""

    name: str
    slot: Slot
    capital: bool
    scope: str


Tree = tuple  # of strings, gaps, and branches, which are tuples of trees


@cache
def grammar() -> dict[str, tuple[Tree, ...]]:
    """Return the templates of every kind of event."""
    tables = templates("shared.txt") | templates("plots.txt")
    return {kind: tuple(parse(line, kind) for line in lines) for kind, lines in tables.items()}


def parse(template: str, kind: str) -> Tree:
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
            stack[-1][-1].append(_gap(token, kind) if token[0] in "{<" else token)
    return tuple(stack[0][0])


def _gap(token: str, kind: str) -> Gap:
    name = token[1:-1]
    if name != "He":  # which may give a name where "he" does not
        name = name[0].lower() + name[1:]
    name = f"<{name}>" if token[0] == "<" else name
    return Gap(name, slot_of(name), token[1].isupper(), scope(name, kind))


# -------------------------------------------------------------- saying


def say(voice: Voice, kind: str, now: Occasion) -> str:
    """Return the sentences of an event; a template is not used twice in a story while another is left."""
    trees = grammar()[kind]
    index = int(voice.chance.random() * len(trees))
    for _ in trees:
        if (kind, index) not in voice.used:
            break
        index = (index + 1) % len(trees)
    voice.used.add((kind, index))
    voice.begin(now)
    out: list[str] = []
    _fill(trees[index], voice, out)
    voice.focus, voice.heard = now.who, now.other
    return "".join(out)


def _fill(tree: Tree, voice: Voice, out: list[str]) -> None:
    for part in tree:
        if type(part) is str:
            out.append(part)
        elif type(part) is tuple:
            _fill(voice.chance.pick(part), voice, out)
        else:
            words = part.slot.say(voice)
            out.append(capital(words) if part.capital else words)


# -------------------------------------------------------------- reading


class Match(NamedTuple):
    """What a template found: the kind of event, whether it is there to its end, where that is, what its slots say."""

    kind: str
    whole: bool
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
    """Yield the events that `text[start:end]` can tell, for one of the `ends` of the sentences there.

    Whole templates, or else those that break off after a sentence.
    """
    for word in dict.fromkeys(["", *WORD.findall(text, start, ends[0])]):
        for kind, tree in _indexed().get(word, ()):
            for stop, said in _find(tree, text, start, ends[-1], (), whole):
                if stop in ends:
                    yield Match(kind, whole, stop, said)


def _find(
    tree: Tree, text: str, p: int, stop: int, said: tuple[Said, ...], whole: bool
) -> Iterator[tuple[int, tuple[Said, ...]]]:
    """Yield where the instances of a tree that begin at p can stop, and what their slots say."""
    for place, part in enumerate(tree):
        if type(part) is str:
            for cut in () if whole else _cuts(part):
                if text.startswith(part[:cut], p) and (part[cut:].strip(" \"'") or _capital(tree[place + 1 :])):
                    yield p + cut, said
            if not text.startswith(part, p):
                return
            p += len(part)
            continue
        rest = tree[place + 1 :]
        if type(part) is tuple:
            for branch in part:
                yield from _find(branch + rest, text, p, stop, said, whole)
            return
        words = options(part.name, part.capital, part.scope)
        after = rest[0] if whole and rest and type(rest[0]) is str else ""
        limit = min(p + words.longest + len(after), stop)
        end = text.find(after, p + 1, limit)
        while end >= 0:
            if meaning := words.get(text[p:end]):
                yield from _find(rest, text, end, stop, (*said, meaning), whole)
            end = text.find(after, end + 1, limit)
        return
    if whole:
        yield p, said


@cache
def _cuts(literal: str) -> tuple[int, ...]:
    """Return the places where a sentence ends in a literal of a template."""
    return tuple(end.end() for end in END_IN_LITERAL.finditer(literal))


def _capital(tree: Tree) -> bool:
    """Say whether what follows begins a sentence."""
    first = tree[0]
    if type(first) is tuple:
        return any(_capital(branch + tree[1:]) for branch in first)
    if type(first) is Gap:
        return options(first.name, first.capital, first.scope).capital
    return first.lstrip("\"'")[0].isupper()


@cache
def _indexed() -> dict[str, tuple[tuple[str, Tree], ...]]:
    """Return the templates under their rarest word: every instance has it in its first sentence ("" for any word)."""
    needed = [(kind, tree, _needed(tree)) for kind, trees in grammar().items() for tree in trees]
    often = Counter(word for _, _, words in needed for word in words)
    table: dict[str, list[tuple[str, Tree]]] = {}
    for kind, tree, words in needed:
        table.setdefault(min(words, key=lambda word: (often[word], word), default=""), []).append((kind, tree))
    return {word: tuple(found) for word, found in table.items()}


def _needed(tree: Tree) -> set[str]:
    """Return the words that stand in the first sentence of every instance."""
    words: set[str] = set()
    for part in tree:
        if type(part) is str:
            first = part[: next(iter(_cuts(part)), None)]
            words.update(WORD.findall(first))
            if first != part:
                break
        elif type(part) is tuple and any(type(one) is str and _cuts(one) for branch in part for one in branch):
            break
    return words
