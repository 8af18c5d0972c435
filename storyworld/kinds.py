"""Know the kinds of event, where their words come from, and the acts by which they change the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .tables import toml


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: a row of data/kinds.toml, where the columns are explained."""

    act: str = ""
    level: str = "real"
    has: bool = False
    lapse: bool = False
    leaves: str = ""
    x: str = ""
    y: str = ""
    who: str = ""
    feeling: str = ""
    noun: str = ""
    feel: str = ""
    other_feel: str = ""
    cause: str = ""
    held: bool = False
    says: str = ""

    def act_with(self, other: bool) -> str:
        """Return what such an event does to the world, with another one or alone: nobody meets nobody."""
        return self.act if other or self.act != "meet" else ""


@cache
def kinds() -> dict[str, Kind]:
    """Return all kinds of event by their names."""
    return {name: Kind(**row) for name, row in toml("kinds.toml").items()}


@dataclass(frozen=True, slots=True)
class Act:
    """What an act takes and where it moves a thing: a row of data/acts.toml, where the columns are explained."""

    takes: str = ""
    near: bool = False
    moves: Sequence[str] = ()


@cache
def acts() -> dict[str, Act]:
    """Return all acts by their names, and "" for none."""
    return {"": Act(), **{name: Act(**row) for name, row in toml("acts.toml").items()}}
