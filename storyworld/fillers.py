"""Say what may stand in each slot of a template: the words of the stories, whatever the story."""

from collections.abc import Iterable
from functools import cache

from . import lexicon
from .kinds import kinds
from .rows import tables
from .voice import FORMS, article, listed
from .world import Place, Thing

KINDS = {**{kind: hands for kind, (hands, _) in lexicon.ANIMALS.items()}, **dict.fromkeys(lexicon.SLY, "paws")}
KINDS |= {"girl": "hands", "boy": "hands"}
# name: kind, pronoun, how others address them, what they hold things with
ELDERS = {
    name: (kind, pronoun, call, "hands" if folk == "people" else "arms")
    for folk, elders in lexicon.ELDERS.items()
    for name, kind, pronoun, call in elders
}
NAMES = frozenset({*lexicon.GIRLS, *lexicon.BOYS, *lexicon.ANIMAL_NAMES, *ELDERS})
HOME = Place("home", "at home", "home", "where everything was just right", ())


@cache
def fillers(kind: str, slot: str) -> frozenset[str]:
    """Return all that the stories ever put into a slot of an event of this kind, as it reads within a sentence."""
    if slot in ("x", "y"):
        return frozenset(word for source in getattr(kinds()[kind], slot).split() for word in _source(source))
    if kind.startswith("mood.") and slot == "feeling":
        return frozenset(lexicon.FEELINGS[kind.removeprefix("mood.")])
    return _people(kinds()[kind].level == "told").get(slot) or _things().get(slot) or _rest()[slot]


@cache
def things() -> dict[str, tuple[Thing, ...]]:
    """Return the things of all stories by the words that name them: "red kite" is one, "kite" is of any look."""
    known: dict[str, dict[Thing, None]] = {}
    for thing in _all_things():
        known.setdefault(thing.name, {})[thing] = None
        known.setdefault(thing.noun, {})[thing] = None
    return {name: tuple(sorted(same, key=lambda thing: thing.name != name)) for name, same in known.items()}


@cache
def places() -> dict[str, Place]:
    """Return the places of all stories by their names, and everybody's home as "home"."""
    return {place.name: place for region in tables().places.values() for place in region} | {"home": HOME}


@cache
def spots(place: str) -> frozenset[str]:
    """Return the spots of a place."""
    at_home = (spot for folk in tables().home_spots.values() for spot in folk)
    return frozenset(at_home if place == "home" else places()[place].spots)


def _introduced(kinds: Iterable[str]) -> set[str]:
    small = {kind: kind if kind in ("girl", "boy") else f"little {kind}" for kind in kinds}
    return {article(f"{trait} {kind}") for trait in lexicon.TRAITS for kind in small.values()}


@cache
def _people(told: bool) -> dict[str, frozenset[str]]:
    he, him, his, himself = ({pronoun[index] for pronoun in FORMS.values()} for index in range(4))
    hands = {*KINDS.values(), "arms"}
    kinds = set(lexicon.TOLD_ANIMALS) if told else {*KINDS, *(elder[0] for elder in ELDERS.values())}
    calls = {*(NAMES - set(ELDERS)), *(elder[2] for elder in ELDERS.values())}
    feelings = {word for words in lexicon.FEELINGS.values() for word in words}
    plain = {words[0] for words in lexicon.FEELINGS.values()}
    slots: dict[str, Iterable[str]] = {
        "who": {*NAMES, *he, *(f"the {trait} {kind}" for trait in lexicon.TRAITS for kind in KINDS)},
        "name": NAMES,
        "other": NAMES,
        "a.who": _introduced(lexicon.TOLD_ANIMALS if told else KINDS),
        "a.other": _introduced(KINDS),
        "he": he,
        "He": NAMES | he,  # so written where a sentence begins, a name where two could be meant
        "him": him,
        "his": his,
        "himself": himself,
        "kind": kinds,
        "hands": hands,
        "mycall": calls,
        "feeling": feelings,
        "feeling.plain": plain,
        "call": calls,
        "o.he": NAMES | he,
        "o.him": NAMES | him,
        "o.his": {f"{name}'s" for name in NAMES} | his,
        "o.own": his,
        "o.kind": kinds,
        "o.hands": hands,
        "o.hand": {hand[:-1] for hand in hands},
        "o.feeling": feelings,
        "o.feeling.plain": plain,
    }
    return {slot: frozenset(words) for slot, words in slots.items()}


@cache
def _things() -> dict[str, frozenset[str]]:
    full = {thing for same in things().values() for thing in same}
    a_thing = {f"a pair of {thing.name}" if thing.plural else article(thing.name) for thing in full}
    my_thing = {f"my {name}" for name in things()}
    slots: dict[str, Iterable[str]] = {
        "thing": {f"the {name}" for name in things()},
        "my.thing": my_thing,
        "a.thing": a_thing,
        "bare": {thing.name for thing in full},
        "a.noun": {thing.noun if thing.plural else article(thing.noun) for thing in full},
        "color": {thing.look or "small" for thing in full},
        "swap": {f"the {thing.name}" for thing in full},
        "a.swap": a_thing,
        "my.swap": my_thing,
        "this.swap": {f"{'these' if thing.plural else 'this'} {thing.name}" for thing in full},
        "it": {"it", "them"},
        "it.s": {"it", "they"},
        "was": {"was", "were"},
        "is": {"is", "are"},
        "this": {"this", "these"},
    }
    return {slot: frozenset(words) for slot, words in slots.items()}


@cache
def _rest() -> dict[str, frozenset[str]]:
    homes = {*lexicon.HOMES, *(home for _, home in lexicon.ANIMALS.values())}
    there = [place.name for place in places().values() if place is not HOME]
    weather = {word for words in lexicon.SEASONS.values() for word in words}
    slots: dict[str, Iterable[str]] = {
        "at": {place.at for place in places().values()},
        "to": {place.to for place in places().values()},
        "place": {*there, *(f"the {home}" for home in homes)},
        "where": {place.where for place in places().values()},
        "spot": {spot for place in places() for spot in spots(place)},
        "home": {
            f"{article(f'{look} {home}')} {near} {place}"
            for look in lexicon.HOME_LOOKS
            for home in homes
            for near in ("near", "not far from", "close to")
            for place in there
        },
        "season": lexicon.SEASONS,
        "weather": weather,
        "a.weather": {article(word) for word in weather},
        "a.x": {article(word) for word in lexicon.TOLD_GOODS + lexicon.TOLD_LOSSES},
        "x.s": {f"{word}s" for word in lexicon.TOLD_GOODS + lexicon.TOLD_LOSSES},
    }
    return {slot: frozenset(words) for slot, words in slots.items()}


def _source(source: str) -> Iterable[str]:
    """Return the words of a source that data/kinds.toml names."""
    if source == "spots":
        return [f"{spot} {place.at}" for place in places().values() for spot in place.spots]
    if source == "parts":
        return [listed([article(part) for part in row[1].split(", ")]) for row in lexicon.PROJECTS]
    table, _, column = source.partition(".")
    if table == "places":
        return [getattr(place, column) for place in places().values() if place is not HOME or column == "at"]
    words = getattr(lexicon, table)
    if column:
        return [row[int(column)] for row in words]
    return [word for several in words.values() for word in several] if isinstance(words, dict) else words


def _all_things() -> Iterable[Thing]:
    for group, (looks, nouns) in lexicon.THINGS.items():
        # what is made after another's is of any color
        colors = lexicon.COLORS if group in ("toy", "treasure", "clothes", "tool") else ()
        yield from (Thing(look, noun, group == "pairs") for look in (*looks, *colors) for noun in nouns)
    for noun, _, tool, _ in tables().breakable:
        yield from (Thing(look, noun) for look in lexicon.COLORS)
        yield from (Thing(look, tool) for look in ("old", "little", "small", "trusty"))
    yield from (Thing(look, tool) for _, tool in tables().troubles for look in ("old", "little"))
    for what, parts in tables().projects:
        yield Thing("", what.split(" ", 1)[1])
        for part in parts.split(", "):
            yield Thing("", part) if " of " in part else Thing(*part.split(" ", 1))
