"""Keep what a text has said of its world, and refuse what contradicts it; what it has not said can all be true."""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from .fillers import places, spots
from .kinds import kinds
from .world import NEAR, World

SOMEWHERE = "somewhere"  # a place the text has not named
UNTOLD = ""  # a spot the text has not named


def happen(facts: "Facts", kind: str, act: str, names: tuple[str, str, str, str], words: dict[str, str]) -> str:
    """Let an event happen, in the words of its slots, and return what contradicts it, or "".

    `names` are who, the other one, the thing, the other thing. What contradicts it is forgotten after that: a mistake
    counts once.
    """
    who, _, thing, _ = names
    moves = act in ("go", "gotogether")
    said = words.get("to" if moves else "", "") or words.get("at") or words.get("place") or ("at home" if moves else "")
    place = _by_phrase().get(said, "home" if said else "")
    spot = words.get("spot", UNTOLD)
    if act == "put" and not thing:
        act = ""  # the text has not named what was lost
    try:
        if kind in ("hint", "remember"):
            if kind == "hint":
                place = next(name for name, there in places().items() if words["x"].endswith(f" {there.at}"))
                spot = words["x"].removesuffix(f" {places()[place].at}")
            if thing:
                facts.lies(thing, place, spot)
            return ""
        if kind == "open" or (place and not moves):
            facts.is_at(who, place or "home")
        if "where" in words:
            facts.such(place or facts.world.at.get(who, SOMEWHERE), words["where"])
        if kind and kinds()[kind].has and thing:
            facts.holds(who, thing)
        if kind == "missing":
            facts.lacks[thing] = who
        if spot:
            facts.near(who, spot)
        facts.act(act, *names, place, spot)
    except ValueError as error:
        facts.insist(act, *names, place, spot)
        return str(error)
    return ""


@cache
def _by_phrase() -> dict[str, str]:
    """Return the places by the words for going and being there; all others are for somebody's home."""
    return {phrase: name for name, place in places().items() for phrase in (place.to, place.at, place.name)}


@dataclass(slots=True)
class Facts:
    """A world of which only a part is known."""

    world: World = field(default_factory=World)
    lacks: dict[str, str] = field(default_factory=dict)  # who needs a thing has not got it

    def copy(self) -> "Facts":
        """Return the same facts, to change on their own."""
        w = self.world
        world = World(dict(w.at), dict(w.holder), dict(w.lies), {}, dict(w.hidden), set(w.broken))
        return Facts(world, dict(self.lacks))

    def act(self, act: str, who: str, other: str, thing: str, swap: str, place: str, spot: str) -> None:
        """Fill in what an act takes for granted, then let it happen; raise ValueError if that is contradicted."""
        self._grant(act, who, other, thing, swap, spot)
        self.world.apply(act, who, other, thing, swap, place, spot)

    def insist(self, act: str, who: str, other: str, thing: str, swap: str, place: str, spot: str) -> None:
        """Believe that an act happened which cannot have: forget what contradicts it, so that it counts but once."""
        self.forget(thing, swap)
        self.lacks.pop(thing, None)
        if other:
            self.world.at[other] = self.world.at.get(who, SOMEWHERE)
        if act == "mend":
            self.world.broken.add(thing)
        if act == "uncover":
            self.world.hidden[other] = spot
        with suppress(ValueError):
            self.act(act, who, other, thing, swap, place, spot)

    def is_at(self, who: str, place: str) -> None:
        """Note where somebody is; raise ValueError if they are elsewhere."""
        if self.world.at.setdefault(who, place) == SOMEWHERE:
            self.world.at[who] = place
        if self.world.at[who] != place:
            raise ValueError(f"{who} is at {self.world.at[who]}, not at {place}")

    def near(self, who: str, spot: str) -> None:
        """Raise ValueError if where somebody is there is no such spot."""
        place = self.world.at.get(who, SOMEWHERE)
        if place != SOMEWHERE and spot not in spots(place):
            raise ValueError(f"nothing at {place} is {spot}")

    def such(self, place: str, clause: str) -> None:
        """Raise ValueError if a place is not as the clause says."""
        if place != SOMEWHERE and places()[place].where != clause:
            raise ValueError(f"{place} is no place {clause}")

    def clause(self, who: str) -> str:
        """Return the clause about the place where somebody is, "" if that is not known."""
        place = self.world.at.get(who, SOMEWHERE)
        return "" if place == SOMEWHERE else places()[place].where

    def holds(self, who: str, thing: str) -> None:
        """Note that somebody has a thing; raise ValueError if it is elsewhere."""
        if self._unknown(thing):
            self.world.holder[thing] = who
        self.world.need(self.world.holder.get(thing) == who, who, "have", thing)

    def lies(self, thing: str, place: str, spot: str) -> None:
        """Note where a thing lies; raise ValueError if it is elsewhere."""
        where = self.world.lies.get(thing, (place, UNTOLD) if self._unknown(thing) else ("", ""))
        if where[0] not in (place, SOMEWHERE) or where[1] not in (spot, UNTOLD):
            raise ValueError(f"the {thing} does not lie {spot} {places()[place].at}")
        self.world.lies[thing] = (place, spot)

    def forget(self, *names: str) -> None:
        """Forget where somebody or something is."""
        for name in names:
            for known in (self.world.at, self.world.holder, self.world.lies, self.world.hidden):
                known.pop(name, None)

    def _unknown(self, thing: str) -> bool:
        return thing not in self.world.holder and thing not in self.world.lies

    def _grant(self, act: str, who: str, other: str, thing: str, swap: str, spot: str) -> None:
        """Fill in what an act takes for granted, where the text has said nothing."""
        w = self.world
        here = w.at.setdefault(who, SOMEWHERE)
        if other and act in NEAR:
            there = w.at.setdefault(other, here)
            if SOMEWHERE in (here, there):
                here = w.at[who] = w.at[other] = there if here == SOMEWHERE else here
        if act in ("put", "give", "eat", "enter", "trade", "grab") and self._unknown(thing):
            owner = other if act == "grab" or (act == "trade" and w.holder.get(swap) != other) else who
            if self.lacks.get(thing) != owner:
                w.holder[thing] = owner
        if act in ("mend", "pack", "unpack", "trade") and self._unknown(swap):
            w.holder[swap] = other if act == "trade" and w.holder.get(thing) == who else who
        if act == "take" and (self._unknown(thing) or w.lies.get(thing) in ((here, UNTOLD), (SOMEWHERE, UNTOLD))):
            w.lies[thing] = (here, spot)
        if act == "uncover" and w.hidden.get(other) == UNTOLD:
            w.hidden[other] = spot
