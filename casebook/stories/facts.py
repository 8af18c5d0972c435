"""Ask about the facts of a story told up to some event: a question with yes or no, a sentence that follows or not."""

from collections.abc import Callable, Iterator
from random import Random

from storyworld import lexicon
from storyworld.stock import capital, places
from storyworld.stories import Story
from storyworld.world import Character

from .examples import NO_YES, TRUE_FALSE_NEITHER, Candidate, Chooser, Example
from .known import Known, at, known, opposite

ENTAILMENT, CONTRADICTION, NEUTRAL = range(3)
CUTS = 3  # places at which a story is tried to be cut, until something can be asked


def question(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask where somebody is, what somebody has, what somebody feels. A "no" is as much about the story as a "yes"."""
    return _asked(stories, Chooser(2, random), _questions, NO_YES)


def entailment(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Give a sentence that the story makes true, makes false, or says nothing about."""
    return _asked(stories, Chooser(3, random), _sentences, TRUE_FALSE_NEITHER)


def _asked(
    stories: Iterator[Story],
    chooser: Chooser,
    candidates: Callable[[list[Character], str, Known], Iterator[Candidate]],
    choices: tuple[str, ...],
) -> Iterator[Example]:
    """Tell a part of each story and ask one of the candidates that those who are named there give."""
    for story in stories:
        ended = (index for index, event in enumerate(story.events) if event.kind.startswith("end."))
        events = range(3, next(ended, len(story.events)) + 1)
        for _ in range(CUTS):
            cut = chooser.pick(events)
            told = story.text[: story.events[cut - 1].stop]
            named = [c for c in story.characters if c.name in told or capital(c.name) in told]
            if chosen := chooser.of_forms(candidates(named, told, known(story, cut))):
                yield Example(f"{told}\n\n{chosen.words}", choices, chosen.label, chosen.key[0], (story.seed,))
                break


def _questions(named: list[Character], told: str, state: Known) -> Iterator[Candidate]:
    roles = {character.name: character.role for character in named}
    for name, here, place in _places(state):
        if name in roles:
            yield Candidate(("where", place), int(place == here), f"Is {name} {place}?")
    for thing, holder in state.holder.items():
        for name, role in roles.items():
            yield Candidate(("holds", role), int(name == holder), f"Does {name} have the {thing}?")
    for name, feeling, word in _feelings(state):
        yield Candidate(("feels", word), int(word == feeling), f"Is {name} {word}?")


def _sentences(named: list[Character], told: str, state: Known) -> Iterator[Candidate]:
    def says(*key: str, label: int, who: str, what: str) -> Candidate:
        return Candidate(key, label, f"{capital(who)} is {what}. True, false, or neither?")

    # Open is where somebody named is who was met nowhere yet, and what somebody feels of whom no feeling was told. Not
    # elders: little is told of them ever, and their names would say "neither".
    people = [character for character in named if character.role != "elder"]
    for name, here, place in _places(state):
        yield says("where", label=ENTAILMENT if place == here else CONTRADICTION, who=name, what=place)
    for name in (character.name for character in people if character.name not in state.seen):
        for place in _visited(state):
            yield says("where", label=NEUTRAL, who=name, what=place)
    for name, feeling, word in _feelings(state):
        yield says("feels", word, label=ENTAILMENT if word == feeling else CONTRADICTION, who=name, what=word)
    for name in (character.name for character in people if character.name not in state.felt):
        for word in opposite():
            yield says("feels", word, label=NEUTRAL, who=name, what=word)
    if "how patient" in told:  # that tells a trait anew
        return
    other_trait = dict(lexicon.OPPOSITE_TRAITS) | {other: trait for trait, other in lexicon.OPPOSITE_TRAITS}
    for character in people:
        for word in other_trait if character.trait in other_trait else ():
            other = CONTRADICTION if word == other_trait[character.trait] else NEUTRAL
            label = ENTAILMENT if word == character.trait else other
            yield says("trait", word, label=label, who=character.name, what=word)


def _places(state: Known) -> Iterator[tuple[str, str, str]]:
    """Yield who is where, with that place and with those where anybody has been; not at home, for that is whose?"""
    places = _visited(state)
    for name, here in state.at.items():
        if at(here) in places and len(places) > 1:
            for place in places:
                yield name, at(here), place


def _visited(state: Known) -> list[str]:
    return [place for place in map(at, state.visited) if place != places()["home"].at]


def _feelings(state: Known) -> Iterator[tuple[str, str, str]]:
    """Yield who feels what, with that word and with those that it excludes."""
    for name, feeling in state.feels.items():
        if feeling in opposite():
            for word in (feeling, *opposite()[feeling]):
                yield name, feeling, word
