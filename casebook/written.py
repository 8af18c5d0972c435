"""Rows of the tables of long runs: found by their key, and added without ever losing one."""

import os
from collections.abc import Iterable, Mapping

import pandas as pd

from linstudy.files import locked, written_whole
from linstudy.lookup import named
from linstudy.study.results import home, results, typed
from linstudy.study.tables import TABLES


def have(table: str, *, folder: str | os.PathLike | None = None, **key: object) -> bool:
    """Say whether the table has rows whose key columns have these values (None: the cell is empty)."""
    columns = named(TABLES, table, "table").key
    unknown = [name for name in key if name not in columns]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no key column of {table}; they are {', '.join(columns)}.")
    return not matching(results(table, folder=folder), key).empty


def append(table: str, rows: pd.DataFrame, *, folder: str | os.PathLike | None = None) -> None:
    """Add rows to a table; a row whose key is there already takes that row's place.

    The file is written whole or not at all, floats to the last bit, and by one process at a time.
    """
    known, path = named(TABLES, table, "table"), home(folder) / f"{table}.csv"
    missing = [name for name in known.columns if name not in rows]
    if missing:
        raise ValueError(f"rows for {table} lack the columns {', '.join(missing)}; add them.")
    new = typed(rows)
    twice = new[list(known.key)].duplicated()
    if twice.any():
        raise ValueError(f"two rows for {table} have the same key {cells_of(new[twice], known.key)[0]}; keep one.")
    with locked(path):
        old = results(table, folder=folder)
        columns = list(dict.fromkeys([*old.columns, *new.columns]))
        # A dict keeps the place of a key whose value is replaced.
        merged: dict[tuple[str, ...], dict] = {}
        for part in (old, new):
            merged.update(zip(cells_of(part, known.key), part.to_dict("records"), strict=True))
        frame = typed(pd.DataFrame(list(merged.values()), columns=columns))
        with written_whole(path) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")


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
