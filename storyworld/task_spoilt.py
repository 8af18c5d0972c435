"""Tell a story as it was told and spoilt in one place, for preference."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from .example import Candidate, Chooser, Example
from .known import world_of
from .stories import Story
from .world import Event

SENTENCE = re.compile(r"\b[A-Z][\w' ,-]*[.!?]")
TAKES_PART = ("give", "grab", "trade", "take", "uncover")  # acts of which it matters who does them to whom


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
        if start == 0:
            continue
        chooser.counts[form] += 1
        label = chooser.balanced([Candidate((form, "label"), label, "") for label in range(2)]).label
        choices = (story.text[start:], spoilt[start:]) if label == 0 else (spoilt[start:], story.text[start:])
        yield Example(story.text[:start].rstrip(), choices, label, form, (story.seed,))


def _parts_changed(story: Story, chooser: Chooser) -> str | None:
    fitting = []
    for index, event in enumerate(story.events):
        text = story.text[event.start : event.stop]
        if event.act in TAKES_PART and event.other and event.who in text and event.other in text:
            other_way = replace(event, who=event.other, other=event.who)
            if not _possible(story, [*story.events[:index], other_way]):
                fitting.append(event)
    if not fitting:
        return None
    event = chooser.one(fitting)
    swaps = {event.who: event.other, event.other: event.who}
    pattern = rf"\b(?:{re.escape(event.who)}|{re.escape(event.other)})\b"
    text = re.sub(pattern, lambda match: swaps[match[0]], story.text[event.start : event.stop])
    return story.text[: event.start] + text + story.text[event.stop :]


def _out_of_order(story: Story, chooser: Chooser) -> str | None:
    events = story.events
    acting = [i for i, event in enumerate(events) if event.act not in ("", "meet", "look", "go", "gotogether")]
    pairs = [
        (one, two)
        for one in acting
        for two in acting
        if one < two and not _possible(story, [*events[:one], events[two], *events[one + 1 : two], events[one]])
    ]
    if not pairs:
        return None
    one, two = (events[index] for index in chooser.one(pairs))
    text = story.text
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
    world = world_of(story)
    try:
        for event in events:
            if event.level == "real":
                world.apply(event.act, event.who, event.other, event.thing, event.swap, event.place, event.spot)
    except ValueError:
        return False
    return True
