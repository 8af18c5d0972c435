"""Name what a story is made of: people, things and places, the wish it is about, the events that happen."""

from dataclasses import dataclass

from .acts import Deed


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

    @property
    def deed(self) -> Deed:
        """Return what it does to the world."""
        return Deed(self.act, self.who, self.other, self.thing, self.swap, self.place, self.spot)
