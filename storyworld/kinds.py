"""Know the kinds of event: what each does to the world, where its words come from, which wish it states."""

from dataclasses import dataclass
from functools import cache

from .tables import toml

ENDINGS = ("granted", "changed", "let go")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: a row of data/kinds.toml, where the columns are explained.

    `ends` says for each ending of the wish that it states, if it does, the ways to get there: kinds of events in order.
    """

    ends: dict[str, tuple[tuple[str, ...], ...]]
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
    found = {}
    for name, row in toml("kinds.toml").items():
        ends = {end: tuple(tuple(way.split()) for way in row[end]) for end in ENDINGS if end in row}
        found[name] = Kind(ends, **{column: value for column, value in row.items() if column not in ends})
    return found


@cache
def wishes() -> dict[str, Kind]:
    """Return the kinds of event that state a wish."""
    return {name: kind for name, kind in kinds().items() if kind.ends}
