"""Read the scripts of the plots: what happens in order and by chance, and by which events a wish comes to its end."""

import re
from functools import cache
from typing import NamedTuple

from .tables import outline

FILE = "scripts.txt"
ENDINGS = ("granted", "changed", "let go")
BRANCH = re.compile(r"(?P<follows>or |else\b)?(?:(?P<percent>\d+)%|if (?P<tests>\w+ \w+(?:, \w+ \w+)*))?")
ARGUMENT = re.compile(r"(?:(\w+)=)?(\"[^\"]*\"|[^\s\"=]+)")
STEP = re.compile(rf"(?:(?P<names>[\w ]+) = )?(?P<mark>[!*]?)(?P<verb>[\w.]+)(?P<arguments>(?: {ARGUMENT.pattern})*)")


class Step(NamedTuple):
    """Something that happens: what its results are named, its mark, what it is, its arguments (a key or "", a word)."""

    names: tuple[str, ...]
    mark: str  # "!" for the event that states the wish, "*" for those by which it ends
    verb: str
    arguments: tuple[tuple[str, str], ...]


class Branch(NamedTuple):
    """Steps that are taken when a number drawn is less than so many percent, and when names have these values."""

    percent: int
    tests: tuple[tuple[str, str], ...]
    steps: tuple


class Fork(NamedTuple):
    """Branches, of which the first is taken that can be; a number is drawn for all of them, or none for tests."""

    drawn: bool
    branches: tuple[Branch, ...]


Steps = tuple[Step | Fork, ...]


@cache
def plots() -> tuple[tuple[str, Steps], ...]:
    """Return the plots, each as often as it shall be drawn; raise ValueError with the line that cannot be read."""
    found: list[tuple[str, Steps]] = []
    for _, head, lines in outline(FILE):
        name, _, times = head.partition(" x")
        found += [(name, _steps(lines))] * int(times or 1)
    return tuple(found)


def _steps(lines: list) -> Steps:
    steps: list[Step | Fork] = []
    for number, line, below in lines:
        branch = BRANCH.match(line)
        if not branch[0]:
            steps.append(_step(number, line))
            continue
        rest = line[branch.end() :].strip()
        inside = (_step(number, rest),) if rest else _steps(below)
        fork = steps.pop() if branch["follows"] and steps else Fork(bool(branch["percent"]), ())
        goes_on = isinstance(fork, Fork) and bool(branch["follows"]) == bool(fork.branches)
        if not goes_on or not inside or (rest and below):
            raise ValueError(f"{FILE}: {line!r} stands alone (at line {number})")
        before = fork.branches[-1].percent if branch["percent"] and fork.branches else 0
        percent = before + int(branch["percent"] or 100)
        tests = tuple(tuple(test.split()) for test in (branch["tests"] or "").split(", ") if test)
        steps.append(Fork(fork.drawn, (*fork.branches, Branch(percent, tests, inside))))
    return tuple(steps)


def _step(number: int, line: str) -> Step:
    if line in ENDINGS:
        return Step((), "", line, ())
    step = STEP.fullmatch(line)
    if not step:
        raise ValueError(f"{FILE}: {line!r} is no step (at line {number})")
    arguments = tuple((key, word) for key, word in ARGUMENT.findall(step["arguments"]))
    return Step(tuple((step["names"] or "").split()), step["mark"], step["verb"], arguments)


# -------------------------------------------------------------- how wishes end

Ways = dict[str, tuple[tuple[str, ...], ...]]  # an ending: the events that lead there, in order


@cache
def wishes() -> dict[str, Ways]:
    """Return the kinds of event that state a wish, and for each ending of it the ways to get there."""
    found: dict[str, Ways] = {}
    for steps in dict(plots()).values():
        for (wish, *way), ending in sorted(_ways(steps)):
            ways = found.setdefault(wish, {})
            ways[ending] = (*ways.get(ending, ()), tuple(way))
    return {wish: {end: ways[end] for end in ENDINGS if end in ways} for wish, ways in found.items()}


def _ways(steps: Steps) -> set[tuple[tuple[str, ...], str]]:
    """Return the marked events on every way through steps, with the ending where it leads to one ("" for none)."""
    ended: set[tuple[tuple[str, ...], str]] = set()
    under_way: set[tuple[str, ...]] = {()}
    for step in steps:
        if isinstance(step, Fork):
            taken = {way for branch in step.branches for way in _ways(branch.steps)}
            taken |= set() if step.branches[-1].percent == 100 and not step.branches[-1].tests else {((), "")}
        else:
            taken = {((step.verb,) if step.mark else (), step.verb if step.verb in ENDINGS else "")}
        ended |= {(way + more, ending) for way in under_way for more, ending in taken if ending}
        under_way = {way + more for way in under_way for more, ending in taken if not ending}
    return ended | {(way, "") for way in under_way}
