"""A table of long runs: its columns, and what makes its rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TypedDict

import pandas as pd


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
    """What tells the rows of a table apart, and what makes them: a run is the arguments that the maker takes.

    The columns are those of its file in ``linstudy/results``; every row has those of the ``key``. Arguments that are
    called like key columns, or have a ``key`` of several, are the run's part of the key and are typed nowhere else.

    ``maker(keep, **arguments)`` makes the rows, in pieces that it gives to a :class:`Keep`.
    """

    name: str
    key: tuple[str, ...]
    maker: Callable[..., None]

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

    def key_of(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the part of the key that the arguments of a run are."""
        said: dict[str, object] = {}
        for name, value in arguments.items():
            said |= getattr(value, "key", {name: int(value) if isinstance(value, bool) else value})
        return {name: said[name] for name in self.key if name in said}

    def rows(self, **arguments: object) -> pd.DataFrame:
        """Return the rows of one run, without provenance; nothing is written."""
        pieces: list[pd.DataFrame] = []
        nothing = pd.DataFrame(columns=list(self.header))
        self.maker(Keep(self.key_of(arguments), nothing, pieces.append), **arguments)
        return pd.concat(pieces, ignore_index=True)


@dataclass(frozen=True)
class Keep:
    """Keeps the rows of a run as they are made: ``write`` gets each piece, ``there`` are those of an earlier try."""

    key: Mapping[str, object]  # the run's part
    there: pd.DataFrame
    write: Callable[[pd.DataFrame], object]

    def __call__(self, make: Callable[[], pd.DataFrame], **key: object) -> pd.DataFrame:
        """Return the rows of a piece; where they are not there, ``make`` makes them and they are written at once.

        ``key`` is the rest of the piece's key, beyond the run's, as far as what ``make`` returns does not hold it.
        """
        key = {**self.key, **key}
        rows = matching(self.there, key)
        if rows.empty:
            rows = make().assign(**key)
            self.write(rows)
        return rows


def matching(frame: pd.DataFrame, key: Mapping[str, object]) -> pd.DataFrame:
    """Return the rows whose columns have these values (None: the cell is empty); none where nothing is there."""
    for name, value in key.items():
        if frame.empty:
            break
        frame = frame[[as_written(cell) == as_written(value) for cell in frame[name]]]
    return frame


def cells_of(frame: pd.DataFrame, names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return of every row the cells of these columns, as a file has them."""
    rows = frame[list(names)].itertuples(index=False, name=None)
    return [tuple(map(as_written, row)) for row in rows]


def as_written(cell: object) -> str:
    """Return a cell as a file has it."""
    return "" if pd.isna(cell) else str(cell)
