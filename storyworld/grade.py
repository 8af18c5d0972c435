"""Grade stories exactly: whether they are told in sentences of the stories, can happen, end their wish, and are new."""

import math
import re
from dataclasses import dataclass

from .novelty import Reference, novelty
from .patterns import sentences
from .reader import read
from .wishes import outcome


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
    told, facts = read(finished(text))
    if told and not told[-1].kind and text.rstrip().endswith('"'):
        del told[-1]  # said, but not yet by whom
    graded = [one for one in told if one.start >= start]
    sentences = sum(one.sentences for one in graded)
    events = [one for one in graded if one.kind]
    end = outcome(told, facts)
    return Grade(
        grammar=sum(one.sentences for one in events) / sentences if sentences else 0.0,
        consistency=sum(not one.fault for one in events) / len(events) if events else 0.0,
        plot=end.score,
        novelty=novelty(text[start:], reference) if reference else math.nan,
        sentences=sentences,
        events=len(events),
        wish=end.wish,
        ending=end.ending,
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
