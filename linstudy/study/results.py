"""Tables of long runs: read as DataFrames, grown row by row without ever losing one."""

import os
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..files import locked, written_whole
from ..lookup import entries, named
from .errors import one_line
from .tables import TABLES, cells_of, matching

# What a column holds is said (columns.csv) and not guessed from its cells: a revision of digits alone is no number; and
# whole numbers may be missing, for a finished model has no step.
_HOLDS = {name: one["holds"] for name, one in entries("columns.csv").items()}


def results(table: str, *, folder: str | os.PathLike | None = None) -> pd.DataFrame:
    """Return a table of long runs; it has its columns and no rows before the first run.

    Every row says with which command, commit, versions and hardware it was made, when, and in how many minutes.
    The tables come with the package; ``folder`` names another place to look for ``<table>.csv``.
    """
    known, path = named(TABLES, table, "table"), _path(table, folder)
    if not path.is_file():
        return _typed(pd.DataFrame(columns=list(known.header)))
    try:
        with path.open(encoding="utf-8") as file:
            frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    except ValueError as error:  # bytes that are no text, an empty file, rows of other lengths
        raise ValueError(
            f"{path} is no table ({one_line(error)}); restore it with `git checkout`, or remove it."
        ) from None
    for name in [name for name in frame if _HOLDS.get(name) != "text"]:
        with suppress(ValueError):  # a column of text that a later version wrote
            # Python's float gives back the bits that were written; not every pandas does.
            frame[name] = [float(cell) if cell else float("nan") for cell in frame[name].tolist()]
    missing = [name for name in known.columns if name not in frame]
    if missing:
        raise ValueError(f"{path.name} lacks the columns {', '.join(missing)}; restore it with `git checkout`.")
    return _typed(frame)


def published() -> pd.DataFrame:
    """Return what others printed: figures of the paper and of its authors' notebook, read off images.

    Columns: ``source``; ``model`` and its ``width``; ``score`` (the column of a profile that it corresponds to);
    ``place`` ("layer 3", "first", "last", or "plateau", the median over the middle of the model); ``value`` and its
    ``uncertainty``, half the range where the reading is one. None of them was measured here.
    """
    return pd.read_csv(_path("published", None))


def paper_table(number: int) -> pd.DataFrame:
    """Return a table of the paper as it is printed there; none of it was measured here.

    1: change of update linearity by fine-tuning and its deviation, a row a model and task. 2: zero-shot tasks of
    SuperGLUE and StoryCloze, in per cent, and their mean as printed. 3: stories graded by GPT-4, from 1 to 10. Tables 2
    and 3 have one training run a row, without spread. Raises ValueError for a table that is not here.
    """
    path = _path(f"paper-table-{number}", None)
    if not path.is_file():
        there = sorted(int(file.stem.rpartition("-")[2]) for file in path.parent.glob("paper-table-*.csv"))
        raise ValueError(f"table {number} of the paper is not here; those that are: {', '.join(map(str, there))}.")
    return pd.read_csv(path)


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
    known, path = named(TABLES, table, "table"), _path(table, folder)
    missing = [name for name in known.columns if name not in rows]
    if missing:
        raise ValueError(f"rows for {table} lack the columns {', '.join(missing)}; add them.")
    new = _typed(rows)
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
        frame = _typed(pd.DataFrame(list(merged.values()), columns=columns))
        with written_whole(path) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")


def home(folder: str | os.PathLike | None) -> Path:
    """Return where tables are: in this folder, or with the package."""
    return Path(str(files("linstudy") / "results") if folder is None else folder)


def _path(table: str, folder: str | os.PathLike | None) -> Path:
    return home(folder) / f"{table}.csv"


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    for name in frame:
        try:
            if _HOLDS.get(name) == "text":
                frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str)
            elif _HOLDS.get(name) == "whole":
                frame[name] = frame[name].astype("Int64")
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name} must hold whole numbers, not {list(frame[name])[:3]}.") from error
    return frame
