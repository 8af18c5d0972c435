"""Ask about the facts of a story told up to some event: a question with yes or no, a sentence that follows or not."""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random

from .example import NO_YES, TRUE_FALSE_NEITHER, Candidate, Chooser, Example
from .known import OPPOSITE, Known, at, known
from .stories import Story
from .world import Character

NO, YES = range(2)
ENTAILMENT, CONTRADICTION, NEUTRAL = range(3)
HOME = "at home"
OTHER_TRAIT = {"tidy": "messy", "quiet": "noisy", "patient": "impatient"}
OTHER_TRAIT |= {other: trait for trait, other in OTHER_TRAIT.items()}
CUTS = 3  # places at which a story is tried to be cut, until something can be asked

Forms = dict[str, list[Candidate]]


def question(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask where somebody is, what somebody has, what somebody feels. A "no" is as much about the story as a "yes"."""
    for story, told, asked in _asked(stories, Chooser(2, random), _questions):
        yield Example(f"{told}\n\n{asked.words}", NO_YES, asked.label, asked.key[0], (story.seed,))


def entailment(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Give a sentence that the story makes true, makes false, or says nothing about."""
    for story, told, asked in _asked(stories, Chooser(3, random), _sentences):
        context = f"{told}\n\n{asked.words} True, false, or neither?"
        yield Example(context, TRUE_FALSE_NEITHER, asked.label, asked.key[0], (story.seed,))


def _asked(
    stories: Iterator[Story], chooser: Chooser, forms: Callable[[Story, str, Known], Forms]
) -> Iterator[tuple[Story, str, Candidate]]:
    """Yield stories, the part of them that is told, and what is asked about it."""
    for story in stories:
        ended = (index for index, event in enumerate(story.events) if event.kind.startswith("end."))
        events = range(3, next(ended, len(story.events)) + 1)
        for _ in range(CUTS):
            cut = chooser.one(events)
            told = story.text[: story.events[cut - 1].stop]
            if chosen := chooser.of_forms(forms(story, told, known(story, cut))):
                yield story, told, chosen
                break


def _questions(story: Story, told: str, state: Known) -> Forms:
    roles = {character.name: character.role for character in _named(story, told)}
    return {
        "where": [
            Candidate(("where", place), YES if place == at(here) else NO, f"Is {name} {place}?")
            for name, here, place in _places(state)
            if name in roles
        ],
        "holds": [
            Candidate(("holds", roles[name]), YES if name == holder else NO, f"Does {name} have the {thing}?")
            for thing, holder in state.holder.items()
            for name in roles
        ],
        "feels": [
            Candidate(("feels", word), YES if word == feeling else NO, f"Is {name} {word}?")
            for name, feeling, word in _feelings(state)
        ],
    }


def _sentences(story: Story, told: str, state: Known) -> Forms:
    # Open is where somebody named is who was met nowhere yet, and what somebody feels of whom no feeling was told. Not
    # elders: little is told of them ever, and their names would say "neither".
    people = [character for character in _named(story, told) if character.role != "elder"]
    unseen = [character.name for character in people if character.name not in state.seen]
    silent = [character.name for character in people if character.name not in state.felt]
    places = [place for place in map(at, state.visited) if place != HOME]
    forms: Forms = {}
    if unseen and places:
        forms["where"] = [
            Candidate(("where",), ENTAILMENT if place == at(here) else CONTRADICTION, f"{_capital(name)} is {place}.")
            for name, here, place in _places(state)
        ] + [Candidate(("where",), NEUTRAL, f"{name} is {place}.") for name, place in product(unseen, places)]
    if silent and state.feels:
        forms["feels"] = [
            Candidate(("feels", word), ENTAILMENT if word == feeling else CONTRADICTION, f"{_capital(name)} is {word}.")
            for name, feeling, word in _feelings(state)
        ] + [Candidate(("feels", word), NEUTRAL, f"{name} is {word}.") for name in silent for word in OPPOSITE]
    if "how patient" not in told:  # that tells a trait anew
        forms["trait"] = [
            Candidate(("trait", word), _of_trait(word, character.trait), f"{character.name} is {word}.")
            for character in people
            if character.trait in OTHER_TRAIT
            for word in OTHER_TRAIT
        ]
    return forms


def _named(story: Story, told: str) -> list[Character]:
    return [c for c in story.characters if c.name in told or _capital(c.name) in told]


def _places(state: Known) -> Iterator[tuple[str, str, str]]:
    """Yield who is where, with that place and with those where anybody has been; not at home, for that is whose?"""
    places = [place for place in map(at, state.visited) if place != HOME]
    for name, here in state.at.items():
        if at(here) in places and len(places) > 1:
            for place in places:
                yield name, here, place


def _feelings(state: Known) -> Iterator[tuple[str, str, str]]:
    """Yield who feels what, with that word and with those that it excludes."""
    for name, feeling in state.feels.items():
        if feeling in OPPOSITE:
            for word in (feeling, *OPPOSITE[feeling]):
                yield name, feeling, word


def _of_trait(word: str, trait: str) -> int:
    if word == trait:
        return ENTAILMENT
    return CONTRADICTION if word == OTHER_TRAIT[trait] else NEUTRAL


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
