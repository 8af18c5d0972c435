"""Read a story sentence by sentence: which event each tells, who takes part, and what its world says to that."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from .acts import World
from .grammar import Match, matches, sentences
from .kinds import acts, kinds
from .meant import Pair, named, pairs
from .memory import ANYBODY, Memory
from .slots import Said
from .stock import projects
from .world import Thing

LONGEST = 6  # sentences of one template
ATTEMPTS = 100  # ways to understand a sentence that are tried: a wild text can name many people and things
SAME = {"x", "y", "spot", "at", "to", "where", "kind", "o.kind", "season"}  # the same all through an event


@dataclass(frozen=True, slots=True)
class Told:
    """What a stretch of text tells: an event of some kind, or ("" for `kind`) a sentence that no story has.

    `fault` says what is wrong, "" for nothing. One that is not `whole` is a part of an event, and has no effect.
    """

    start: int
    stop: int
    sentences: int
    kind: str
    fault: str
    who: str = ""
    other: str = ""
    thing: str = ""
    whole: bool = True


Reading = tuple[Told, Memory]  # what a sentence tells, and all that is known after it


def read(text: str) -> tuple[list[Told], World]:
    """Return what a text tells, in order, and what is known of its world at the end."""
    memory, told, spans, at = Memory(), [], sentences(text), 0
    while at < len(spans):
        start, stop = spans[at]
        if not at or "\n" in text[spans[at - 1][1] : start]:
            memory.focus = ""  # a paragraph begins with a name
        paragraph = text.find("\n\n", start) % (len(text) + 1)  # -1 is the end of the text
        best = _best(text, start, [stop for _, stop in spans[at : at + LONGEST] if stop <= paragraph], memory)
        if best:
            one, memory = best
            count = sum(start < end <= one.stop for _, end in spans[at : at + LONGEST])
            told.append(replace(one, start=start, sentences=count))
        else:
            told.append(Told(start, stop, 1, "", "no story has such a sentence"))
            memory.lose_track(text[start:stop])
        at += told[-1].sentences
    return told, memory.world


def _best(text: str, start: int, ends: list[int], memory: Memory) -> Reading | None:
    """Return the reading with the most sentences, and of those the first without a fault."""
    for whole in (True, False):
        best = None
        for match in sorted(matches(text, start, ends, whole=whole), key=lambda match: -match.stop):
            if best and match.stop < best[0].stop:
                break
            for reading in islice(_readings(match, memory), ATTEMPTS):
                if not reading[0].fault:
                    return reading
                best = best or reading
        if best:
            return best
    return None


def _readings(match: Match, memory: Memory) -> Iterator[Reading]:
    """Yield the ways to understand a match, the likeliest first; none if its words do not agree."""
    kind, whole = match.kind, match.whole
    row, told = kinds()[kind], {}
    for one in match.said:
        if one.slot in SAME and told.get(one.slot, one.value) != one.value:
            return
        told[one.slot] = one.value
    if row.level == "told":
        if _tale_agrees(match.said):
            after = memory.copy()
            after.focus = ""  # a pronoun would stand for the animal
            yield Told(0, match.stop, 0, kind, "", whole=whole), after
        return
    thing, swap = (named(memory, match.said, role) for role in ("thing", "swap"))
    if thing is None or swap is None:
        return
    takes = acts()[row.act].takes if whole else ""
    known = list(reversed(memory.things.values()))
    if thing.thing:
        choices = [thing.thing]
    elif kind == "build" and whole:
        choices = [project.thing for project in projects() if project.what == told["x"]]
    else:
        choices = [one for one in known if thing.many in (None, one.plural)] if "thing" in takes else []
    others = [swap.thing] if swap.thing else known if "swap" in takes else []
    for pair in pairs(memory, match.said, kind, needed="other" in takes):
        for one, two in product(choices or [None], others or [None]):
            if one is None or one != two:
                yield _play(match, memory, pair, one, two, told, pair.fault or thing.fault or swap.fault)


def _tale_agrees(said: tuple[Said, ...]) -> bool:
    """Say whether the hero of a tale stays what it is, and the thing the tale is about."""
    pronouns = {one.value for one in said if one.tells == "pronoun"}
    animals = {one.value if one.tells == "kind" else one.value[1] for one in said if one.tells in ("kind", "look")}
    goods = {one.value for one in said if one.role == "x"}
    return max(map(len, (pronouns, animals, goods))) <= 1


def _play(
    match: Match, memory: Memory, pair: Pair, thing: Thing | None, swap: Thing | None, told: dict[str, Any], fault: str
) -> Reading:
    """Let what is told happen in the world as far as it is known, and return what is known after it."""
    kind, whole, after = match.kind, match.whole, memory.copy()
    row, real = kinds()[kind], kinds()[kind].level == "real"
    who, other = pair.who.name, pair.other.name if pair.other else ""
    names = (who, other, thing.name if thing else "", swap.name if swap else "")
    event = kind if whole else ""  # what breaks off has no effect, but its words can be wrong
    if "to" in told and not whole:
        after.world.forget(who, other)
    impossible = after.happen(event, row.act_with(bool(other)) if whole else "", names, told) if whole or real else ""
    different = after.note(event, who, thing, told)
    after.keep(swap, thing)
    after.people |= {person.name: person for person in (pair.who, pair.other) if person}
    after.hero, after.focus, after.heard = memory.hero or who, who if pair.sure else ANYBODY, other
    return Told(0, match.stop, 0, kind, fault or impossible or different, *names[:3], whole=whole), after
