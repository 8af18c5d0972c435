"""Follow what a reader of a story knows by some event: who is where, who has what, who feels what."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from storyworld import lexicon
from storyworld.acts import World
from storyworld.kinds import acts, kinds
from storyworld.stock import places
from storyworld.stories import Story
from storyworld.world import Event

START = "calm"  # what everybody feels whom nothing has happened to


@cache
def opposite() -> dict[str, tuple[str, ...]]:
    """Return of every good or bad feeling those that it excludes."""
    return dict.fromkeys(lexicon.GOOD, lexicon.BAD) | dict.fromkeys(lexicon.BAD, lexicon.GOOD)


@dataclass(slots=True)
class Known:
    """What the text has told so far; what it has not, or no longer, is not in here."""

    at: dict[str, str] = field(default_factory=dict)  # person: place
    seen: set[str] = field(default_factory=set)  # persons who ever were somewhere
    visited: dict[str, None] = field(default_factory=dict)  # places anybody went to, in order
    holder: dict[str, str] = field(default_factory=dict)  # thing: person
    feels: dict[str, str] = field(default_factory=dict)  # person: key of `lexicon.FEELINGS`
    felt: set[str] = field(default_factory=set)  # persons of whom some feeling was told, or can be guessed


def known(story: Story, events: int) -> Known:
    """Return what is known after so many events."""
    state = Known()
    traits = {character.trait for character in story.characters}
    for event, world in replay(story, story.events[:events]):
        kind = kinds()[event.kind]
        people = [event.who, event.other] if event.other else [event.who]
        if event.act in ("go", "gotogether"):
            state.visited[event.place] = None
            state.at |= dict.fromkeys(people if event.act == "gotogether" else people[:1], event.place)
        elif acts()[event.act].near and any(person in state.at for person in people):
            state.at |= dict.fromkeys(people, event.place)  # whoever meets somebody is there too
        state.seen.update(state.at)
        if acts()[event.act].moves or event.act == "trade" or kind.has:
            for thing in (event.thing, event.swap):
                if isinstance(holder := world.things.get(thing), str):
                    state.holder[thing] = holder
                else:
                    state.holder.pop(thing, None)
        if kind.lapse:
            state.at.clear()
        if kind.leaves:
            state.at.pop(getattr(event, kind.leaves), None)
        _feelings(event, story.text[event.start : event.stop], people, traits, state)
    return state


def replay(story: Story, events: Iterable[Event]) -> Iterator[tuple[Event, World]]:
    """Let events of a story happen from its start, and yield those that did with the world after each.

    Raises ValueError for one that cannot.
    """
    world = story.start.copy()
    for event in events:
        if event.level == "real":
            world.apply(event.deed)
            yield event, world


def at(place: str) -> str:
    """Return "in the barn" for "the barn"; a place of no region is the hero's home."""
    return places().get(place, places()["home"]).at


def _feelings(event: Event, text: str, people: list[str], traits: set[str], state: Known) -> None:
    now = dict(event.feelings)
    # Looked for as letters first: seldom is there one, and an expression takes its time.
    said = {words for row in lexicon.FEELINGS.values() for words in row if words in text and words not in traits}
    said = {words for words in said if re.search(rf"\b{words}\b", text)}
    state.felt.update(person for person in people if said or now.get(person, START) != START)
    for person in people:
        others = {now[other] for other in people if other != person}
        if now[person] not in others and not said.isdisjoint(lexicon.FEELINGS[now[person]]):
            state.feels[person] = now[person]
    for person, feeling in list(state.feels.items()):
        if now.get(person) != feeling:
            del state.feels[person]
