"""Grade stories exactly: whether they are told in sentences of the stories, can happen, end their wish, and are new."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .acts import World
from .grammar import sentences
from .kinds import kinds
from .novelty import Reference, novelty
from .read import Told, read
from .scripts import wishes


@dataclass(frozen=True, slots=True)
class Grade:
    """The grades of a text, each in [0, 1], and what they were given for (see :func:`grade`)."""

    grammar: float
    consistency: float
    plot: float
    novelty: float
    sentences: int
    events: int
    wish: str
    ending: str
    faults: tuple[tuple[str, str], ...]


def grade(text: str, *, start: int = 0, reference: Reference | None = None) -> Grade:
    """Grade a text that claims to be one of the stories of :func:`storyworld.tell`, by its words alone.

    A story of `tell` gets 1 in grammar, consistency and plot; each departure costs:

    - ``grammar``: share of the sentences that the grammar of the stories can produce: a template, its slots filled with
      words of the lexicon, articles right, all pronouns of an event agreeing with whom they stand for. A pronoun that
      begins an event stands for the one spoken of last, and no pronoun stands where two could be meant.
    - ``consistency``: share of the events read from those sentences that the world allows, given all the text said
      before: nobody gives what they do not have or has what lies elsewhere, whoever takes part is there, spots belong
      to their places, names, kinds, looks, the season and details stay, nobody and nothing is known before it was
      named, or met for the first time twice. What the text has not said may all be true, a mistake counts once, and
      what somebody feels is not judged.
    - ``plot``: 1 if the first wish that is stated came to its end (granted, changed or let go) in events without a
      fault and a closing sentence ends the text, before a moral at most; 1/2 if it did and the text goes on or stops.
      Where the events that would end it are told but cannot be (by somebody else, with another thing), 1/2 with a
      closing sentence and 1/4 without. 0 for a wish nothing came of, and for no wish.
    - ``novelty``: share of the word sequences that `reference` does not have (:func:`reference_index`); NaN without.

    0 for grammar and consistency where there is no sentence, or no event, to grade. A last sentence that is not
    finished is left out, so that a story cut anywhere keeps its ones.

    Args:
        text: the story.
        start: the character at which the graded part begins. What stands before (a prompt) is read and not graded; the
            plot is that of the whole.
        reference: the texts that a copy would be copied from.

    """
    told, world = read(finished(text))
    if told and not told[-1].kind and text.rstrip().endswith('"'):
        del told[-1]  # said, but not yet by whom
    graded = [one for one in told if one.start >= start]
    sentences = sum(one.sentences for one in graded)
    events = [one for one in graded if one.kind]
    wish, ending, plot = outcome(told, world)
    return Grade(
        grammar=sum(one.sentences for one in events) / sentences if sentences else 0.0,
        consistency=sum(not one.fault for one in events) / len(events) if events else 0.0,
        plot=plot,
        novelty=novelty(text[start:], reference) if reference else math.nan,
        sentences=sentences,
        events=len(events),
        wish=wish,
        ending=ending,
        faults=tuple((text[one.start : one.stop], one.fault) for one in graded if one.fault),
    )


def finished(text: str) -> str:
    """Return a text without its last sentence if that one lacks its full stop or its closing quote."""
    spans = sentences(text)
    if not spans:
        return ""
    paragraph = text[text.rfind("\n\n") + 1 :]
    whole = paragraph.count('"') % 2 == 0 and re.search(r"""[.!?]["']{0,2}\s*\Z""", text)
    return text if whole else text[: spans[-1][0]].rstrip()


# -------------------------------------------------------------- the plot


def outcome(told: Sequence[Told], world: World) -> tuple[str, str, float]:
    """Return the kind of event that states the first wish ("" for none), its ending ("" for none) and the score.

    It is decided by what is told after the wish and known at the end.
    """
    good = [one for one in told if one.whole and one.kind and not one.fault]
    first = next((place for place, one in enumerate(good) if one.kind in wishes()), None)
    if first is None:
        return "", "", 0.0
    wish, kind = good[first], kinds()[good[first].kind]
    last = next((one for one in reversed(told) if one.kind != "moral"), wish)
    closed = last.kind.startswith("end.")
    reached = {}
    for ending, ways in wishes()[wish.kind].items():
        granted = ending == "granted"
        if not (granted and kind.held) or world.things.get(wish.thing, wish.who) == wish.who:
            reached[ending] = max(_completed(way, good[first + 1 :], wish if granted else None) for way in ways)
    ending = max(reached, key=reached.get, default="")
    if reached.get(ending, -1) >= 0:
        return wish.kind, ending, 1.0 if closed and not last.fault else 0.5
    after = [one for one in told if one.whole and one.start > wish.start]
    claimed = max(_completed(way, after, None) for ways in wishes()[wish.kind].values() for way in ways) >= 0
    return wish.kind, "", claimed * (0.5 if closed else 0.25)


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
