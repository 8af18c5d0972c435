"""Let acts change the state of a world, all of it or what a reader knows of it, and refuse what cannot happen there."""

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from .kinds import acts

SOMEWHERE = "somewhere"  # a place that a text has not named
UNTOLD = ""  # a spot that it has not named


class Deed(NamedTuple):
    """An act with those who take part in it, by their names."""

    act: str
    who: str
    other: str = ""
    thing: str = ""
    swap: str = ""
    place: str = ""
    spot: str = ""


@dataclass(slots=True)
class World:
    """The state: who is where, where things are (with somebody, or in a spot of a place), who hides where.

    A `partial` world is what a reader knows: an act that needs what is missing there takes it for granted.
    """

    at: dict[str, str] = field(default_factory=dict)
    things: dict[str, str | tuple[str, str]] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    lacks: dict[str, str] = field(default_factory=dict)  # thing: who has not got it
    partial: bool = False

    def copy(self) -> "World":
        """Return the same world, to change on its own."""
        return World(*map(copy, (self.at, self.things, self.hidden, self.broken, self.lacks)), self.partial)

    def apply(self, deed: Deed) -> None:
        """Change the state by one deed; raise ValueError where the state does not allow it."""
        act, who, other, thing, swap, place, spot = deed
        rule = acts()[act]
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

    def insist(self, deed: Deed) -> None:
        """Believe that a deed happened which cannot have: forget what contradicts it, so that it counts but once."""
        self.forget(deed.thing, deed.swap)
        self.lacks.pop(deed.thing, None)
        if deed.other:
            self.at[deed.other] = self.at.get(deed.who, SOMEWHERE)
        if deed.act == "mend":
            self.broken.add(deed.thing)
        with suppress(ValueError):
            self.apply(deed)

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
