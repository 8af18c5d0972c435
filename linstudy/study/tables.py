"""The tables of long runs: what tells the rows of each apart, and what every row says of where it comes from."""

from dataclasses import dataclass
from importlib.resources import files
from typing import TypedDict

from ..lookup import entries


class Provenance(TypedDict):
    """The columns that every table has besides its own."""

    command: str
    commit: str
    date: str
    versions: str
    hardware: str
    minutes: float


@dataclass(frozen=True)
class Table:
    """What tells the rows of a table apart: the columns of its ``key``, which every row has.

    The other columns are those of its file in ``linstudy/results``.
    """

    name: str
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is required."""
        return (*self.key, *Provenance.__annotations__)

    @property
    def header(self) -> tuple[str, ...]:
        """Every column, in the order of the shipped file."""
        path = files("linstudy") / "results" / f"{self.name}.csv"
        if not path.is_file():
            return self.columns
        with path.open(encoding="utf-8") as file:
            return tuple(file.readline().strip().split(","))


TABLES = {name: Table(name, tuple(key)) for name, key in entries("tables.toml").items()}
