"""Ask why somebody felt as they did: which of two events of the story was the cause."""

from collections.abc import Iterator
from random import Random

from .example import Candidate, Chooser, Example
from .kinds import kinds
from .known import OPPOSITE
from .stories import Story


def cause(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask which of two events made somebody feel as they did; both happened, the other made them feel the opposite."""
    chooser = Chooser(2, random)
    for story in stories:
        causes = list(_causes(story))
        pairs = [
            (one, two)
            for one in causes
            for two in causes
            if one[0] == two[0] and two[1] in OPPOSITE[one[1]] and one[2] != two[2]
        ]
        if not pairs:
            continue
        (person, feeling, words, stop), (_, _, wrong, wrong_stop) = chooser.one(pairs)
        label = chooser.balanced([Candidate(feeling, label, "") for label in range(2)]).label
        choices = (f"{words}.", f"{wrong}.")
        context = f"{story.text[: max(stop, wrong_stop)]}\n\n{person[0].upper()}{person[1:]} was {feeling} because"
        yield Example(context, choices if label == 0 else choices[::-1], label, feeling, (story.seed,))


def _causes(story: Story) -> Iterator[tuple[str, str, str, int]]:
    """Yield of every event that changed a feeling for good or bad: who, the feeling, the cause in words, its end."""
    things = {thing.name: thing for thing in story.things}
    before: dict[str, str] = {}
    for event in story.events:
        now = dict(event.feelings)
        cause = kinds()[event.kind].cause
        if cause:
            thing = things.get(event.thing)
            slots = {"was": "were" if thing and thing.plural else "was", "thing": event.thing, "detail": event.detail}
            words = cause.format(who=event.who, other=event.other, **slots)
            for person in (event.who, event.other):
                if now.get(person) != before.get(person) and now.get(person) in OPPOSITE:
                    yield person, now[person], words, event.stop
        before = now
