"""A table of long runs with what makes its rows, and how the rows of a run are kept while they are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from linstudy.study.tables import Table

from .written import matching


@dataclass(frozen=True)
class MadeTable(Table):
    """A table with what makes its rows: a run is the arguments that the maker takes.

    Arguments that are called like key columns, or have a ``key`` of several, are the run's part of the key and are
    typed nowhere else.

    ``maker(keep, **arguments)`` makes the rows, in pieces that it gives to a :class:`Keep`.
    """

    maker: Callable[..., None]

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
