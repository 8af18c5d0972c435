"""Know the kinds of event: what each does to the world, and where its words come from."""

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

    def act_with(self, other: bool) -> str:
        """Return what such an event does to the world, with another one or alone: nobody meets nobody."""
        return self.act if other or self.act != "meet" else ""


@cache
def kinds() -> dict[str, Kind]:
    """Return all kinds of event by their names."""
    return {name: Kind(**row) for name, row in toml("kinds.toml").items()}
