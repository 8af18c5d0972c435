"""Ask which of two is right: the cause of a feeling, the ending of a story, the story as told or spoilt."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, permutations
from random import Random

from storyworld.kinds import kinds
from storyworld.stock import capital
from storyworld.stories import Story
from storyworld.tables import templates
from storyworld.world import Character, Event

from .examples import Chooser, Example
from .known import opposite, replay

REMEMBERED = 60  # stories that wait for another one's ending
SENTENCE = re.compile(r"\b[A-Z][\w' ,-]*[.!?]")
TAKES_PART = ("give", "grab", "trade", "take", "uncover")  # acts of which it matters who does them to whom
NO_MATTER = ("", "meet", "look", "go", "gotogether")  # acts that can happen sooner or later


def cause(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask which of two events made somebody feel as they did; both happened, the other made them feel the opposite."""
    chooser = Chooser(2, random)
    for story in stories:
        two_causes = permutations(_causes(story), 2)
        pairs = [(a, b) for a, b in two_causes if a[0] == b[0] and b[1] in opposite()[a[1]] and a[2] != b[2]]
        if pairs:
            (person, feeling, right, stop), (_, _, wrong, wrong_stop) = chooser.pick(pairs)
            asked = f"{capital(person)} was {feeling} because"
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
                if now.get(person) != before.get(person) and now.get(person) in opposite():
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
        # From the form least told: few stories have parts to change, every one has words.
        forms = ((form, list(SPOILT[form](story))) for form in sorted(SPOILT, key=chooser.counts.__getitem__))
        form, options = next((form, options) for form, options in forms if options)
        start, stop, other = chooser.pick(options)
        text = story.text
        spoilt = text[:start] + (_shuffled(other, chooser) if form == "words" else other) + text[stop:]
        parting = next(index for index, (a, b) in enumerate(zip(text, spoilt, strict=True)) if a != b)
        start = max(event.start for event in story.events if event.start <= parting)
        if start:
            chooser.counts[form] += 1
            yield chooser.two(text[:start].rstrip(), text[start:], spoilt[start:], form, story.seed, key=(form,))


def _parts_changed(story: Story) -> Iterator[tuple[int, int, str]]:
    for index, event in enumerate(story.events):
        text = story.text[event.start : event.stop]
        if event.act in TAKES_PART and event.other and event.who in text and event.other in text:
            other_way = replace(event, who=event.other, other=event.who)
            if not _possible(story, [*story.events[:index], other_way]):
                yield event.start, event.stop, _swapped(text, {event.who: event.other, event.other: event.who})


def _out_of_order(story: Story) -> Iterator[tuple[int, int, str]]:
    events, text = story.events, story.text
    acting = [index for index, event in enumerate(events) if event.act not in NO_MATTER]
    for first, second in combinations(acting, 2):
        one, two = events[first], events[second]
        if not _possible(story, [*events[:first], two, *events[first + 1 : second], one]):
            other_way = text[two.start : two.stop] + text[one.stop : two.start] + text[one.start : one.stop]
            yield one.start, two.stop, other_way


def _sentences(story: Story) -> Iterator[tuple[int, int, str]]:
    for match in SENTENCE.finditer(story.text):
        if len(set(match[0].split()[1:-1])) > 1:
            yield *match.span(), match[0]


SPOILT: dict[str, Callable[[Story], Iterator[tuple[int, int, str]]]] = {
    "names": _parts_changed,
    "order": _out_of_order,
    "words": _sentences,
}


def _shuffled(sentence: str, chooser: Chooser) -> str:
    first, *middle, last = sentence.split(" ")
    mixed = middle
    while mixed == middle:
        mixed = chooser.shuffled(*middle)
    return " ".join([first, *mixed, last])


def _possible(story: Story, events: list[Event]) -> bool:
    try:
        return all(replay(story, events))
    except ValueError:
        return False
