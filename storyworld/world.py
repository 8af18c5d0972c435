"""Keep the state of a story's world and refuse what cannot happen in it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody in a story; `call` is how others address them, `hands` what they hold things with."""

    name: str
    kind: str
    pronoun: str
    trait: str
    call: str
    hands: str
    role: str = "friend"


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


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to be: phrases for being there and going there, a clause about it, spots where things can lie."""

    name: str
    at: str
    to: str
    where: str
    spots: tuple[str, ...]
    indoors: bool = False


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


# acts for which the other one must be there
NEAR = {"meet", "give", "grab", "trade", "gotogether", "uncover", "free", "plan", "inside"}


@dataclass(slots=True)
class World:
    """The state: who is where, who holds what, what lies where, who feels what."""

    at: dict[str, str] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)
    lies: dict[str, tuple[str, str]] = field(default_factory=dict)
    feelings: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def apply(self, act: str, who: str, other: str, thing: str, swap: str, place: str, spot: str) -> None:
        """Change the state by one act; raise ValueError where the state does not allow it."""
        here = self.at[who]
        if other and act in NEAR and self.at[other] != here:
            raise ValueError(f"{other} is not at {here}, where {who} is")
        if act == "go":
            self.at[who] = place
        elif act == "gotogether":
            self.at[who] = self.at[other] = place
        elif act == "put":
            self.need(self.holder.get(thing) == who, who, act, thing)
            del self.holder[thing]
            self.lies[thing] = (here, spot)
        elif act == "take":
            self.need(self.lies.get(thing) == (here, spot), who, act, thing)
            del self.lies[thing]
            self.holder[thing] = who
        elif act == "give":
            self.need(self.holder.get(thing) == who, who, act, thing)
            self.holder[thing] = other
        elif act == "grab":
            self.need(self.holder.get(thing) == other, who, act, thing)
            self.holder[thing] = who
        elif act == "trade":
            one, two = self.holder.get(thing), self.holder.get(swap)
            self.need({one, two} == {who, other}, who, act, thing)
            self.holder[thing], self.holder[swap] = two, one
        elif act == "make":
            self.need(thing not in self.holder and thing not in self.lies, who, act, thing)
            self.holder[thing] = who
        elif act == "eat":
            self.need(self.holder.get(thing) == who, who, act, thing)
            del self.holder[thing]
        elif act == "get":
            self.need(thing not in self.holder and thing not in self.lies, other, act, thing)
            self.holder[thing] = other
        elif act == "enter":
            self.need(self.holder.get(thing) == who, who, act, thing)
        elif act == "look":
            self.need(self.lies.get(thing) != (here, spot) and spot not in self.hidden.values(), who, act, thing)
        elif act == "hide":
            self.hidden[who] = spot
        elif act == "uncover":
            self.need(self.hidden.pop(other, None) == spot, who, act, other)
        elif act == "break":
            self.broken.add(thing)
        elif act == "mend":
            self.need(thing in self.broken and self.holder.get(swap) == who, who, act, thing)
            self.broken.remove(thing)
        elif act in ("pack", "unpack"):
            self.need(self.holder.get(swap) == who, who, act, swap)

    @staticmethod
    def need(true: bool, who: str, act: str, thing: str) -> None:
        """Raise ValueError unless the state allows the act."""
        if not true:
            raise ValueError(f"{who} cannot {act} the {thing} now")
