"""List what there can be in a story, whichever it is: people, things, places, and the words for details."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

from . import lexicon
from .world import Character, Place, Thing


def article(phrase: str) -> str:
    """Return the phrase with a or an before it."""
    vowel = (phrase[0] in "aeiou" and not phrase.startswith("uni")) or phrase.startswith("honest")
    return f"{'an' if vowel else 'a'} {phrase}"


def capital(words: str) -> str:
    """Return the words as a sentence begins with them."""
    return words[0].upper() + words[1:]


# -------------------------------------------------------------- people


@cache
def people() -> dict[str, Character]:
    """Return everybody by name, as far as a name tells who it is."""
    found = [Character(name, "girl", "she", call=name, hands="hands") for name in lexicon.GIRLS]
    found += [Character(name, "boy", "he", call=name, hands="hands") for name in lexicon.BOYS]
    found += [Character(name, call=name) for name in lexicon.ANIMAL_NAMES]
    found += [elder(folk, row) for folk, rows in lexicon.ELDERS.items() for row in rows]
    return {character.name: character for character in found}


def elder(folk: str, row: Iterable[str]) -> Character:
    """Return somebody old and wise."""
    name, kind, pronoun, call = row
    return Character(name, kind, pronoun, "wise", call, "hands" if folk == "people" else "arms", "elder")


@cache
def hands() -> dict[str, str]:
    """Return the kinds of those who are not elders, and what they hold things with."""
    kinds = {kind: row[0] for kind, row in lexicon.ANIMALS.items()} | dict.fromkeys(lexicon.SLY, "paws")
    return kinds | {"girl": "hands", "boy": "hands"}


def looks(kinds: Iterable[str]) -> list[Character]:
    """Return nobody in particular, of every kind, pronoun and trait."""
    return [
        Character("", kind, pronoun, trait, hands=hands().get(kind, "paws"))
        for kind, pronoun, trait in product(kinds, ("he", "she"), lexicon.TRAITS)
    ]


# -------------------------------------------------------------- things


class Project(NamedTuple):
    """Something to make, in words and as a thing, and what it takes, as things and as a list in words."""

    what: str
    thing: Thing
    parts: tuple[Thing, ...]
    needs: str


@cache
def projects() -> tuple[Project, ...]:
    """Return all that somebody can make."""
    found = []
    for what, names in lexicon.PROJECTS:
        parts = [Thing("", name) if " of " in name else Thing(*name.split(" ", 1)) for name in names.split(", ")]
        needs = [article(part.name) for part in parts]
        found.append(
            Project(what, Thing("", what.split(" ", 1)[1]), tuple(parts), f"{', '.join(needs[:-1])}, and {needs[-1]}")
        )
    return tuple(found)


@cache
def everything() -> tuple[Thing, ...]:
    """Return the things of all stories."""
    found: list[Thing] = []
    for group, (looks, nouns) in lexicon.THINGS.items():
        # what is made after another's is of any color
        colors = lexicon.COLORS if group in ("toy", "treasure", "clothes", "tool") else ()
        found += [Thing(look, noun, group == "pairs") for look in (*looks, *colors) for noun in nouns]
    for noun, _, tool, _ in lexicon.BREAKABLE:
        found += [Thing(look, noun) for look in lexicon.COLORS]
        found += [Thing(look, tool) for look in lexicon.TOOL_LOOKS]
    found += [Thing(look, tool) for _, tool in lexicon.TROUBLES for look in lexicon.PLAIN_LOOKS]
    for project in projects():
        found += [project.thing, *project.parts]
    return tuple(dict.fromkeys(found))


@cache
def things() -> dict[str, tuple[Thing, ...]]:
    """Return the things of all stories by the words that name them: "red kite" is one, "kite" is of any look."""
    known: dict[str, list[Thing]] = {}
    for thing in everything():
        for name in {thing.name, thing.noun}:
            known.setdefault(name, []).append(thing)
    return {name: tuple(sorted(same, key=lambda thing: thing.name != name)) for name, same in known.items()}


# -------------------------------------------------------------- places


@cache
def regions() -> dict[str, tuple[Place, ...]]:
    """Return the places of each region."""

    def place(name: str, preposition: str, where: str, spots: str) -> Place:
        there = f"the {name}"
        at, to = f"{preposition} {there}", f"to {there}"
        return Place(there, at, to, where, tuple(spots.split(", ")), name in lexicon.INDOORS)

    return {region: tuple(place(*row) for row in rows) for region, rows in lexicon.PLACES.items()}


def home(noun: str, spots: tuple[str, ...] = ()) -> Place:
    """Return a place where somebody lives."""
    return Place(noun, "at home", "home", "where everything was just right", spots)


@cache
def homes() -> tuple[Place, ...]:
    """Return all the places where somebody can live."""
    nouns = (*lexicon.HOMES, *(noun for _, noun in lexicon.ANIMALS.values()))
    return tuple(home(f"the {noun}") for noun in dict.fromkeys(nouns))


def home_lines() -> Iterator[str]:
    """Yield all descriptions of homes, as in "a snug den near the brook"."""
    near = [f"{near} {place.name}" for near in lexicon.NEAR for place in away()]
    for look, place in product(lexicon.HOME_LOOKS, homes()):
        line = place.name.replace("the", article(look), 1)
        yield from (f"{line} {words}" for words in near)


def away() -> list[Place]:
    """Return the places of all stories where nobody lives."""
    return [place for region in regions().values() for place in region]


@cache
def places() -> dict[str, Place]:
    """Return the places of all stories by their names, and everybody's home as "home"."""
    anywhere = home("home", tuple(spot for spots in lexicon.HOME_SPOTS.values() for spot in spots))
    return {place.name: place for place in (*away(), anywhere)}


# -------------------------------------------------------------- details


@cache
def details(sources: str) -> frozenset[str]:
    """Return the words that data/kinds.toml names by their sources."""
    return frozenset(word for source in sources.split() for word in _source(source))


def _source(source: str) -> Iterable[str]:
    table, _, column = source.partition(".")
    if table == "spots":
        return [spot for place in places().values() for spot in place.spots]
    if table == "whereabouts":
        return [f"{spot} {place.at}" for place in places().values() for spot in place.spots]
    if table == "parts":
        return [project.needs for project in projects()]
    if table == "places":
        return [getattr(place, column) for place in (*away(), *homes()) if place.key != "home" or column == "at"]
    words = getattr(lexicon, table)
    if column:
        return [row[int(column)] for row in words]
    return [word for several in words.values() for word in several] if isinstance(words, dict) else words
