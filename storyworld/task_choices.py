"""Ask which of two is right: the cause of a feeling, the ending of a story, the story as told or spoilt."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from .examples import Chooser, Example
from .kinds import kinds
from .known import OPPOSITE, replay
from .stories import Story
from .tables import templates
from .world import Character, Event

REMEMBERED = 60  # stories that wait for another one's ending
SENTENCE = re.compile(r"\b[A-Z][\w' ,-]*[.!?]")
TAKES_PART = ("give", "grab", "trade", "take", "uncover")  # acts of which it matters who does them to whom
NO_MATTER = ("", "meet", "look", "go", "gotogether")  # acts that can happen sooner or later


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
        if pairs:
            (person, feeling, right, stop), (_, _, wrong, wrong_stop) = chooser.one(pairs)
            asked = f"{person[0].upper()}{person[1:]} was {feeling} because"
            context = f"{story.text[: max(stop, wrong_stop)]}\n\n{asked}"
            yield chooser.two(context, f"{right}.", f"{wrong}.", feeling, story.seed, key=(feeling,))


def _causes(story: Story) -> Iterator[tuple[str, str, str, int]]:
    """Yield of every event that changed a feeling for good or bad: who, the feeling, the cause in words, its end."""
    plural = {thing.name for thing in story.things if thing.plural}
    before: dict[str, str] = {}
    for event in story.events:
        now = dict(event.feelings)
        if said := kinds()[event.kind].cause:
            slots = {name: getattr(event, name) for name in ("who", "other", "thing", "detail")}
            words = said.format(**slots, was="were" if event.thing in plural else "was")
            for person in (event.who, event.other):
                if now.get(person) != before.get(person) and now.get(person) in OPPOSITE:
                    yield person, now[person], words, event.stop
        before = now


def ending(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask how a story ends: as told, or as another one does whose wish was another, with the names of this one.

    Two stories with endings of a like length lend them to each other, so every ending is right once and wrong once.
    """
    chooser = Chooser(2, random)
    waiting: dict[tuple, deque] = defaultdict(lambda: deque(maxlen=REMEMBERED))
    for story in stories:
        start, people = _ending(story)
        if not people:
            continue
        row = waiting[tuple((person.pronoun, person.hands) for person in people)]
        length = len(story.text) - start
        fitting = [
            (abs(len(other.text) - other_start - length), index)
            for index, (other, other_start, _) in enumerate(row)
            if other.wish.goal != story.wish.goal
        ]
        difference, index = min(fitting, default=(length, 0))
        sides = [(story, start, people)]
        if difference > length / 20:
            row += sides
            continue
        sides.append(row[index])
        del row[index]
        for (this, at, here), (that, other_at, there) in (sides, sides[::-1]):
            wrong = _renamed(that.text[other_at:], there, here)
            yield chooser.two(this.text[:at].rstrip(), this.text[at:], wrong, this.wish.goal, this.seed, that.seed)


def _ending(story: Story) -> tuple[int, list[Character]]:
    """Return where the last event begins that only this kind of plot has, and the two (or none) who end the story."""
    shared = templates("shared.txt")
    last = max(i for i, event in enumerate(story.events) if event.kind not in shared and event.level == "real")
    start = story.events[last].start
    hero, *others = story.characters
    others = [c for c in others if re.search(rf"\b{c.name}\b", story.text[start:])]
    alone = len(others) != 1 or others[0].role == "elder" or last < 3
    return start, [] if alone else [hero, *others]


def _renamed(text: str, people: list[Character], others: list[Character]) -> str:
    """Return the text with other names, and other words for who they are."""
    swaps = {}
    for old, new in zip(people, others, strict=True):
        swaps |= {old.name: new.name, f"the {old.kind}": f"the {new.kind}"}
        swaps[f"{old.trait} {old.kind}"] = f"{new.trait} {new.kind}"
    return _swapped(text, swaps)


def _swapped(text: str, swaps: dict[str, str]) -> str:
    pattern = "|".join(sorted(map(re.escape, swaps), key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", lambda match: swaps[match[0]], text)


def preference(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Give a story as told and spoilt, with the very same words, from where they part.

    `names`: two persons change their parts in an event, which then cannot happen. `order`: two events change places,
    and the second cannot happen first. `words`: those within a sentence are shuffled.
    """
    chooser = Chooser(2, random)
    for story in stories:
        for form in sorted(WAYS, key=chooser.counts.__getitem__):
            if spoilt := WAYS[form](story, chooser):
                break
        first = next(index for index, (a, b) in enumerate(zip(story.text, spoilt, strict=True)) if a != b)
        start = max(event.start for event in story.events if event.start <= first)
        if start:
            chooser.counts[form] += 1
            told, right, wrong = story.text[:start].rstrip(), story.text[start:], spoilt[start:]
            yield chooser.two(told, right, wrong, form, story.seed, key=(form,))


def _parts_changed(story: Story, chooser: Chooser) -> str | None:
    fitting = []
    for index, event in enumerate(story.events):
        text = story.text[event.start : event.stop]
        if event.act in TAKES_PART and event.other and event.who in text and event.other in text:
            other_way = replace(event, who=event.other, other=event.who)
            if not _possible(story, [*story.events[:index], other_way]):
                fitting.append((event, text))
    if not fitting:
        return None
    event, text = chooser.one(fitting)
    swapped = _swapped(text, {event.who: event.other, event.other: event.who})
    return story.text[: event.start] + swapped + story.text[event.stop :]


def _out_of_order(story: Story, chooser: Chooser) -> str | None:
    events = story.events
    acting = [index for index, event in enumerate(events) if event.act not in NO_MATTER]
    pairs = [
        (events[one], events[two])
        for one in acting
        for two in acting
        if one < two and not _possible(story, [*events[:one], events[two], *events[one + 1 : two], events[one]])
    ]
    if not pairs:
        return None
    (one, two), text = chooser.one(pairs), story.text
    first, between, second = text[one.start : one.stop], text[one.stop : two.start], text[two.start : two.stop]
    return f"{text[: one.start]}{second}{between}{first}{text[two.stop :]}"


def _shuffled(story: Story, chooser: Chooser) -> str:
    sentences = [match for match in SENTENCE.finditer(story.text) if len(set(match[0].split()[1:-1])) > 1]
    sentence = chooser.one(sentences)
    first, *middle, last = sentence[0].split(" ")
    mixed = middle
    while mixed == middle:
        rest = list(middle)
        mixed = [rest.pop(int(chooser.random() * len(rest))) for _ in middle]
    return story.text[: sentence.start()] + " ".join([first, *mixed, last]) + story.text[sentence.end() :]


# Tried from the one least told: few stories have parts to change, every one has words.
WAYS: dict[str, Callable[[Story, Chooser], str | None]] = {
    "names": _parts_changed,
    "order": _out_of_order,
    "words": _shuffled,
}


def _possible(story: Story, events: list[Event]) -> bool:
    try:
        return all(replay(story, events))
    except ValueError:
        return False
