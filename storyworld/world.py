"""Keep the state of a story's world, all of it or what a reader knows of it, and refuse what cannot happen there."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

SOMEWHERE = "somewhere"  # a place that a text has not named
UNTOLD = ""  # a spot that it has not named


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody in a story; `call` is how others address them, `hands` what they hold things with; "" is not known."""

    name: str
    kind: str = ""
    pronoun: str = ""
    trait: str = ""
    call: str = ""
    hands: str = ""
    role: str = "friend"

    @property
    def look(self) -> tuple[str, ...]:
        """Return the trait and the kind, which tell somebody from others; of elders the stories do not speak so."""
        return (self.trait, self.kind) if self.trait and self.role != "elder" else ()

    @property
    def little(self) -> str:
        """Return what an animal is introduced with, in front of its kind."""
        return "" if self.kind in ("girl", "boy") else "little "

    @property
    def hand(self) -> str:
        """Return what one holds something with."""
        return self.hands[:-1]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be held; `look` and `noun` never change, and together they name it within a story."""

    look: str
    noun: str
    plural: bool = False

    @property
    def name(self) -> str:
        """Return the look and the noun, as in "red kite"."""
        return f"{self.look} {self.noun}" if self.look else self.noun

    @property
    def color(self) -> str:
        """Return a word for how it looks from afar."""
        return self.look or "small"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to be: phrases for being there and going there, a clause about it, spots where things can lie."""

    name: str
    at: str
    to: str
    where: str
    spots: tuple[str, ...]
    indoors: bool = False

    @property
    def key(self) -> str:
        """Return the name by which a reader knows the place: everybody's home is "home"."""
        return "home" if self.to == "home" else self.name


@dataclass(frozen=True, slots=True)
class Wish:
    """What the story is about, as a fact of the world that the ending grants or not.

    Goals: `hold` (who holds thing), `give` (other holds thing), `whole` (thing is mended), `inside` (who got into
    detail at place), `able` (who can do detail), `fearless` (who saw at place what detail really was), `together`
    (who and other did detail), `fed` (who ate other's thing), `free` (other is out of trouble), `home` (who is at
    place), `found` (other is no longer hidden), `friends` (who and other made up).
    """

    who: str
    goal: str
    other: str = ""
    thing: str = ""
    place: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: what (`kind`), its effect on the world (`act`), who took part, where, what came of it.

    `feelings` are everybody's after the event. `level` is "real", or "told", "dreamt", "remembered" for what has no
    effect on the world. `text[start:stop]` of the story tells it.
    """

    kind: str
    act: str
    who: str
    other: str
    thing: str
    swap: str
    place: str
    spot: str
    detail: str
    level: str
    feelings: tuple[tuple[str, str], ...]
    start: int
    stop: int


class Act(NamedTuple):
    """What an act cannot do without, whether the other one must be there, and where the thing is before and after.

    The thing is with "who" or "other", in the "spot", or nowhere ("").
    """

    takes: str = ""
    near: bool = False
    moves: tuple[str, str] | None = None


ACTS = {
    "": Act(),
    "meet": Act(near=True),
    "go": Act(),
    "gotogether": Act("other", near=True),
    "put": Act("thing", moves=("who", "spot")),
    "take": Act("thing", moves=("spot", "who")),
    "give": Act("other thing", near=True, moves=("who", "other")),
    "grab": Act("other thing", near=True, moves=("other", "who")),
    "make": Act("thing", moves=("", "who")),
    "get": Act("other thing", moves=("", "other")),
    "eat": Act("thing", moves=("who", "")),
    "enter": Act("thing", moves=("who", "who")),
    "trade": Act("other thing swap", near=True),
    "break": Act("thing"),
    "mend": Act("thing swap"),
    "pack": Act("swap"),
    "unpack": Act("swap"),
    "look": Act(),
    "hide": Act(),
    "uncover": Act("other", near=True),
    "free": Act("other", near=True),
    "able": Act(),
    "plan": Act(near=True),
    "inside": Act(near=True),
}


@dataclass(slots=True)
class World:
    """The state: who is where, where things are (with somebody, or in a spot of a place), who hides, who feels what.

    A `partial` world is what a reader knows: an act that needs what is missing there takes it for granted.
    """

    at: dict[str, str] = field(default_factory=dict)
    things: dict[str, str | tuple[str, str]] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    feelings: dict[str, str] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)  # thing: who has not got it
    partial: bool = False

    def copy(self) -> "World":
        """Return the same world, to change on its own; nobody feels anything in it."""
        return World(
            dict(self.at), dict(self.things), dict(self.hidden), set(self.broken), {}, dict(self.lacks), self.partial
        )

    def apply(self, act: str, who: str, other: str, thing: str, swap: str, place: str, spot: str) -> None:
        """Change the state by one act; raise ValueError where the state does not allow it."""
        rule = ACTS[act]
        here = self._together(who, other if rule.near else "")
        if rule.moves:
            sides = {"who": who, "other": other, "spot": (here, spot), "": None}
            before, after = (sides[side] for side in rule.moves)
            self.need(self.is_with(thing, before), who if before else after, act, thing)
            self.things[thing] = after
            if not after:
                del self.things[thing]
        elif act == "go":
            self.at[who] = place
        elif act == "gotogether":
            self.at[who] = self.at[other] = place
        elif act == "trade":
            back = self.things.get(swap) == other or self.things.get(thing) == who
            one, two = (who, other) if back else (other, who)
            self.need(self.is_with(thing, one) and self.is_with(swap, two), who, act, thing)
            self.things[thing], self.things[swap] = two, one
        elif act == "look":
            self.need(self.things.get(thing) != (here, spot) and spot not in self.hidden.values(), who, act, thing)
        elif act == "hide":
            self.hidden[who] = spot
        elif act == "uncover":
            known = self.hidden.pop(other, None)
            self.need(known == spot or (self.partial and known == UNTOLD), who, act, other)
        elif act == "break":
            self.broken.add(thing)
        elif act == "mend":
            self.need(thing in self.broken and self.is_with(swap, who), who, act, thing)
            self.broken.remove(thing)
        elif act in ("pack", "unpack"):
            self.need(self.is_with(swap, who), who, act, swap)

    def insist(self, act: str, who: str, other: str, thing: str, swap: str, place: str, spot: str) -> None:
        """Believe that an act happened which cannot have: forget what contradicts it, so that it counts but once."""
        self.forget(thing, swap)
        self.lacks.pop(thing, None)
        if other:
            self.at[other] = self.at.get(who, SOMEWHERE)
        if act == "mend":
            self.broken.add(thing)
        if act == "uncover":
            self.hidden[other] = spot
        with suppress(ValueError):
            self.apply(act, who, other, thing, swap, place, spot)

    def forget(self, *names: str) -> None:
        """Forget where somebody or something is."""
        for name in names:
            for known in (self.at, self.things, self.hidden):
                known.pop(name, None)

    def is_at(self, who: str, place: str) -> None:
        """Note where somebody is; raise ValueError if they are elsewhere."""
        if self.at.get(who, SOMEWHERE) not in (SOMEWHERE, place):
            raise ValueError(f"{who} is at {self.at[who]}, not at {place}")
        self.at[who] = place

    def is_with(self, thing: str, where: str | tuple[str, str] | None) -> bool:
        """Say whether a thing is with somebody, in a spot or (None) nowhere, or whether it can be: then it is."""
        known = self.things.get(thing)
        if known is None:
            can_be = where is not None and self.lacks.get(thing) != where
        else:
            can_be = isinstance(where, tuple) and known in ((where[0], UNTOLD), (SOMEWHERE, UNTOLD))
        if self.partial and can_be:
            self.things[thing] = known = where
        return known == where

    def _together(self, who: str, other: str) -> str:
        """Return where somebody is; raise ValueError if another one is elsewhere."""
        if self.partial:
            here = self.at.setdefault(who, SOMEWHERE)
            there = self.at.setdefault(other, here) if other else here
            if here != there and SOMEWHERE in (here, there):
                self.at[who] = self.at[other] = there if here == SOMEWHERE else here
        if other and self.at[other] != self.at[who]:
            raise ValueError(f"{other} is not at {self.at[who]}, where {who} is")
        return self.at[who]

    @staticmethod
    def need(true: bool, who: str, act: str, thing: str) -> None:
        """Raise ValueError unless the state allows the act."""
        if not true:
            raise ValueError(f"{who} cannot {act} the {thing} now")
