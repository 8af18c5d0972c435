"""Names a column, writes a number, and keeps with every drawing the words that say what it shows."""

import math
import textwrap
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..lookup import entries


def label(column: str) -> str:
    """Name a column, a text or a task as in the book; one it does not know keeps its name, underscores as spaces.

    Columns of result tables are in columns.csv, other names in show/names.toml.
    """
    said = entries("columns.csv").get(column, {}).get("label") or entries("show/names.toml").get(column)
    return said or str(column).replace("_", " ")


def named(df: pd.DataFrame) -> pd.DataFrame:
    """Name the columns, rows and levels of a table as in the book (:func:`label`); its values stay as they are."""

    def said(name: Any) -> Any:
        return label(name) if isinstance(name, str) else name

    return df.rename(columns=said, index=said).rename_axis(columns=said, index=said)


def axis_label(column: str, width: int = 28) -> str:
    """Name a column for an axis: in lines of at most `width` letters, with the index of LS_res set low."""
    return typeset(label(column), width)


def typeset(text: str, width: int = 28) -> str:
    """Break a text into lines of at most `width` letters and set the index of LS_res low."""
    return plain(textwrap.fill(text, width, break_on_hyphens=False)).replace("LS_res", r"LS$_\mathrm{res}$")


def plain(text: str) -> str:
    """Keep matplotlib from reading a formula into what somebody has called a model."""
    return text.replace("$", r"\$")


def number(value: float) -> str:
    """Write a score in three digits, or in as many as tell it from 1: 0.523, 0.999970."""
    if not math.isfinite(value):
        return str(value)
    digits = 3 - math.floor(math.log10(abs(value))) - 1 if value else 0
    if 0.99 < value < 1:
        digits = 1 - math.floor(math.log10(1 - value))
    return f"{value:.{max(digits, 0)}f}" if 1e-4 <= abs(value) < 1e5 or value == 0 else f"{value:.2e}"


def need(df: pd.DataFrame, *columns: str) -> None:
    """Check that a table has these columns and that each holds something: a ValueError says which and what there is."""
    for column in columns:
        if column not in df.columns:
            raise ValueError(f"the table has no column {column!r}; it has {', '.join(map(str, df.columns))}")
        if df[column].isna().all():
            remedy = "; measure with heldout=0.2 to fill it" if column.endswith("_heldout") else ""
            raise ValueError(f"column {column!r} holds no value in the table's {len(df)} rows{remedy}")


_SAID: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()
_DRAWN: WeakKeyDictionary[Axes, pd.DataFrame] = WeakKeyDictionary()


def say(ax: Axes, words: str) -> Axes:
    """Keep with the axes what is drawn on them, in words, for those who cannot see it; the last word counts."""
    _SAID[ax] = words
    return ax


def keep(ax: Axes, df: pd.DataFrame, *columns: str | None) -> None:
    """Keep with the axes the numbers drawn on them: these columns of a table, or all; the last table counts."""
    names = list(dict.fromkeys(column for column in columns if column))
    _DRAWN[ax] = df[names] if names else df


def words_of(drawn: Axes | Figure) -> str:
    """Return what was said of axes, or of all axes of a figure, in their order; nothing where nothing was."""
    return " ".join(_SAID[ax] for ax in _axes(drawn) if ax in _SAID)


def table_of(drawn: Axes | Figure) -> pd.DataFrame | None:
    """Return what is drawn on axes, or on all axes of a figure, as one table; None where no numbers were kept.

    Columns of the same rows stand side by side; other rows below each other, with the number of their ``panel``.
    """
    tables = [_DRAWN[ax] for ax in _axes(drawn) if ax in _DRAWN]
    if not tables:
        return None
    first, *others = tables
    shared = [[column for column in table if column in first] for table in others]
    alike = (table[both].equals(first[both]) for table, both in zip(others, shared, strict=True))
    if all(alike):
        side = [table.drop(columns=both) for table, both in zip(others, shared, strict=True)]
        return pd.concat([first, *side], axis=1)
    return pd.concat([table.assign(panel=number) for number, table in enumerate(tables, 1)], ignore_index=True)


def _axes(drawn: Axes | Figure) -> list[Axes]:
    return [drawn] if isinstance(drawn, Axes) else drawn.axes


def title(text: str) -> str:
    """Begin with a capital letter."""
    return text[0].upper() + text[1:]


def lines_in_words(df: pd.DataFrame, *, x: str, y: str, hue: str | None, control: pd.DataFrame | None = None) -> str:
    """Say what lines show: of which model, lowest and highest and where, of each line or of more than four together."""
    where = label(x).split(",")[0]
    what = title(label(y))
    groups = {str(name): part for name, part in df.groupby(hue, sort=False)} if hue else {}
    if len(groups) > 4:
        means = df.groupby([hue, x], sort=False)[y].mean()
        (low_name, low), (high_name, high) = means.idxmin(), means.idxmax()
        lowest = f"lowest {number(means.min())} ({low_name}, {where} {low})"
        said = [f"{lowest}, highest {number(means.max())} ({high_name}, {where} {high})"]
        what += f" by {where}, {len(groups)} lines, one a {label(hue)}"
    elif groups:
        said = [f"{name}: {_extremes(part, x, y, where)}" for name, part in groups.items()]
        what += f" by {where}, one line a {label(hue)}"
    else:
        names = df["model"].unique() if "model" in df.columns else []
        said = [_extremes(df, x, y, where)]
        what += f" of {names[0]}, by {where}" if len(names) == 1 else f" by {where}"
    if control is not None:
        said.append(f"with random weights: {_extremes(control, x, y, where)}")
    return f"{what}: {'; '.join(said)}."


def _extremes(df: pd.DataFrame, x: str, y: str, where: str) -> str:
    means = df.groupby(x)[y].mean().dropna()
    low, high = number(means.min()), number(means.max())
    if low == high:
        return f"{low} at {where} {means.index[0]}" if len(means) == 1 else f"{low} at every {where}"
    return f"lowest {low} at {where} {means.idxmin()}, highest {high} at {where} {means.idxmax()}"
