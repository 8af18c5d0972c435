"""See whether the wish of a story came true: which events state one, and which ones end it."""

from collections.abc import Sequence
from dataclasses import dataclass

from .facts import Facts
from .kinds import wishes
from .reader import Told

ENDINGS = {"end.happy", "end.calm", "end.alone"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the first wish of a text: see :func:`storyworld.grade` for the score, in [0, 1].

    `wish` is the kind of the event that states it, `ending` "granted", "changed", "let go", or "" for no such thing.
    """

    wish: str
    ending: str
    score: float


def outcome(told: Sequence[Told], facts: Facts) -> Outcome:
    """Return what became of the first wish that is stated, by what is told after it and known at the end."""
    good = [one for one in told if one.whole and one.kind and not one.fault]
    first = next((place for place, one in enumerate(good) if one.kind in wishes()), None)
    if first is None:
        return Outcome("", "", 0.0)
    wish = good[first]
    last = next((one for one in reversed(told) if one.kind != "moral"), wish)
    closed = last.kind in ENDINGS
    reached = {}
    for ending, ways in wishes()[wish.kind].ends.items():
        if ending == "granted" and wishes()[wish.kind].held and not _held(wish, facts):
            continue
        about = wish if ending == "granted" else None
        completed = [_completed(way, good[first + 1 :], about) for way in ways]
        reached[ending] = max(completed)
    ending = max(reached, key=reached.get, default="")
    if reached.get(ending, -1) >= 0:
        return Outcome(wish.kind, ending, 1.0 if closed and not last.fault else 0.5)
    after = [one for one in told if one.whole and one.start > wish.start]
    claimed = max(_completed(way, after, None) for ways in wishes()[wish.kind].ends.values() for way in ways) >= 0
    return Outcome(wish.kind, "", claimed * (0.5 if closed else 0.25))


def _completed(way: tuple[str, ...], events: list[Told], wish: Told | None) -> int:
    """Return the place of the event that completes a way, the last time one does, or -1."""
    step, completed, found = 0, -1, set()
    for place, event in enumerate(events):
        again = event.kind == "seek_find" and event.other in found  # whoever was found cannot be found again
        if event.kind != way[step] or again or (wish and not _about(wish, event)):
            continue
        found.add(event.other)
        step += 1
        if step == len(way):
            step, completed = 0, place
    return completed


def _about(wish: Told, event: Told) -> bool:
    """Say whether an event is about the thing that was wished for, and about the one who wished."""
    people = {event.who, event.other}
    return (not wish.thing or not event.thing or wish.thing == event.thing) and ("" in people or wish.who in people)


def _held(wish: Told, facts: Facts) -> bool:
    world = facts.world
    return wish.thing not in world.lies and world.holder.get(wish.thing, wish.who) == wish.who
