"""Follow what a reader of a story knows by some event: who is where, who has what, who feels what."""

import re
from dataclasses import dataclass, field
from functools import cache

from .kinds import kinds
from .lexicon import FEELINGS
from .rows import tables
from .stories import Story
from .world import NEAR, Event, World

# Feelings that exclude those of the other row. Some are in neither: one can be surprised and glad, or hungry and sad.
GOOD = ("happy", "proud", "calm", "excited", "hopeful", "grateful")
BAD = ("sad", "afraid", "worried", "angry", "sorry", "jealous", "lonely", "disappointed")
OPPOSITE = {**dict.fromkeys(GOOD, BAD), **dict.fromkeys(BAD, GOOD)}
START = "calm"  # what everybody feels whom nothing has happened to
MOVES = ("go", "gotogether")
CHANGES_HANDS = ("take", "give", "grab", "trade", "make", "get", "put", "eat")


@dataclass(slots=True)
class Known:
    """What the text has told so far; what it has not, or no longer, is not in here."""

    at: dict[str, str] = field(default_factory=dict)  # person: place
    seen: set[str] = field(default_factory=set)  # persons who ever were somewhere
    visited: dict[str, None] = field(default_factory=dict)  # places anybody went to, in order
    holder: dict[str, str] = field(default_factory=dict)  # thing: person
    feels: dict[str, str] = field(default_factory=dict)  # person: key of `FEELINGS`
    felt: set[str] = field(default_factory=set)  # persons of whom some feeling was told, or can be guessed


def known(story: Story, events: int) -> Known:
    """Return what is known after so many events."""
    state, world = Known(), world_of(story)
    traits = {character.trait for character in story.characters}
    for event in story.events[:events]:
        if event.level != "real":
            continue
        world.apply(event.act, event.who, event.other, event.thing, event.swap, event.place, event.spot)
        kind = kinds()[event.kind]
        people = [event.who, event.other] if event.other else [event.who]
        if event.act in MOVES:
            state.visited[event.place] = None
            moved = people if event.act == "gotogether" else people[:1]
            state.at |= dict.fromkeys(moved, event.place)
        elif event.act in NEAR and any(person in state.at for person in people):
            state.at |= dict.fromkeys(people, event.place)  # whoever meets somebody is there too
        state.seen.update(state.at)
        if event.act in CHANGES_HANDS or kind.has:
            for thing in filter(None, (event.thing, event.swap)):
                if thing in world.holder:
                    state.holder[thing] = world.holder[thing]
                else:
                    state.holder.pop(thing, None)
        if kind.lapse:
            state.at.clear()
        if kind.leaves:
            state.at.pop(getattr(event, kind.leaves), None)
        _feelings(story, event, people, traits, state)
    return state


def world_of(story: Story) -> World:
    """Return the world as it was before the first event."""
    people = {character.name for character in story.characters}
    world = World()
    for name, where in story.start:
        if name in people:
            world.at[name] = where
        elif where in people:
            world.holder[name] = where
        else:
            place, spot = where.split(" | ")
            world.lies[name] = (place, spot)
    return world


def at(place: str) -> str:
    """Return "in the barn" for "the barn"; a place of no region is the hero's home."""
    return phrases().get(place, "at home")


@cache
def phrases() -> dict[str, str]:
    """Return of every place how to be there."""
    return {place.name: place.at for region in tables().places.values() for place in region}


def _feelings(story: Story, event: Event, people: list[str], traits: set[str], state: Known) -> None:
    now = dict(event.feelings)
    text = story.text[event.start : event.stop]
    # Looked for as letters first: seldom is there one, and an expression takes its time.
    said = {words for words in _feeling_words() if words in text and words not in traits}
    said = {words for words in said if re.search(rf"\b{words}\b", text)}
    if said:
        state.felt.update(people)
    state.felt.update(person for person in people if now.get(person, START) != START)
    for person in people:
        own, others = now.get(person, ""), {now.get(other, "") for other in people if other != person}
        if own not in others and not said.isdisjoint(FEELINGS[own]):
            state.feels[person] = own
    for person, feeling in list(state.feels.items()):
        if now.get(person) != feeling:
            del state.feels[person]


@cache
def _feeling_words() -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for feeling in FEELINGS.values() for words in feeling))
