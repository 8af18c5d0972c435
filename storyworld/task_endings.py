"""Ask how a story ends: as it was told, or as another one does."""

import re
from collections.abc import Iterator
from random import Random

from .example import Candidate, Chooser, Example
from .stories import Story
from .tables import templates
from .world import Character

REMEMBERED = 60  # stories that wait for another one's ending


def ending(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask how a story ends: as told, or as another one does whose wish was another, with the names of this one.

    Two stories with endings of a like length lend them to each other, so every ending is right once and wrong once.
    """
    chooser = Chooser(2, random)
    waiting: dict[tuple, list[tuple[Story, int, list[Character]]]] = {}
    for story in stories:
        found = _ending(story)
        if found is None:
            continue
        start, people = found
        key = tuple((person.pronoun, person.hands) for person in people)
        row = waiting.setdefault(key, [])
        length = len(story.text) - start
        fitting = [
            (abs(len(other.text) - other_start - length), index)
            for index, (other, other_start, _) in enumerate(row)
            if other.wish.goal != story.wish.goal
        ]
        difference, index = min(fitting, default=(length, 0))
        if difference > length / 20:
            row.append((story, start, people))
            del row[:-REMEMBERED]
            continue
        sides = [(story, start, people), row.pop(index)]
        for (this, at, here), (that, other_at, there) in (sides, sides[::-1]):
            right, wrong = this.text[at:], _renamed(that.text[other_at:], there, here)
            label = chooser.balanced([Candidate("", label, "") for label in range(2)]).label
            choices = (right, wrong) if label == 0 else (wrong, right)
            yield Example(this.text[:at].rstrip(), choices, label, this.wish.goal, (this.seed, that.seed))


def _ending(story: Story) -> tuple[int, list[Character]] | None:
    """Return where the last event begins that only this kind of plot has, and the two who are in what follows."""
    last = max(
        i for i, event in enumerate(story.events) if event.kind not in templates("shared.txt") and event.level == "real"
    )
    start = story.events[last].start
    hero = story.characters[0]
    others = [c for c in story.characters[1:] if re.search(rf"\b{c.name}\b", story.text[start:])]
    if len(others) != 1 or others[0].role == "elder" or last < 3:
        return None
    return start, [hero, *others]


def _renamed(text: str, people: list[Character], others: list[Character]) -> str:
    """Return the text with other names, and other words for who they are."""
    swaps = {}
    for old, new in zip(people, others, strict=True):
        swaps |= {old.name: new.name, f"the {old.kind}": f"the {new.kind}"}
        swaps[f"{old.trait} {old.kind}"] = f"{new.trait} {new.kind}"
    pattern = "|".join(sorted(map(re.escape, swaps), key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", lambda match: swaps[match[0]], text)
