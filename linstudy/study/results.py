"""Tables of long runs, read as DataFrames."""

import os
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..lookup import entries, named
from .errors import one_line
from .tables import TABLES

# What a column holds is said (columns.csv) and not guessed from its cells: a revision of digits alone is no number; and
# whole numbers may be missing, for a finished model has no step.
_HOLDS = {name: one["holds"] for name, one in entries("columns.csv").items()}


def results(table: str, *, folder: str | os.PathLike | None = None) -> pd.DataFrame:
    """Return a table of long runs; it has its columns and no rows before the first run.

    Every row says with which command, commit, versions and hardware it was made, when, and in how many minutes.
    The tables come with the package; ``folder`` names another place to look for ``<table>.csv``.

    Raises ValueError for a name that is no table's, and for a file that is damaged or lacks columns.
    """
    known, path = named(TABLES, table, "table"), home(folder) / f"{table}.csv"
    if not path.is_file():
        return typed(pd.DataFrame(columns=list(known.header)))
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
    return typed(frame)


def home(folder: str | os.PathLike | None) -> Path:
    """Return where tables are: in this folder, or with the package."""
    return Path(str(files("linstudy") / "results") if folder is None else folder)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns hold what columns.csv says of them; ValueError for one that cannot."""
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
