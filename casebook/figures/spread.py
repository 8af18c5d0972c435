"""Draws a row a name: values measured several times, of seeds or of layers."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from linstudy.show.look import GREY, looks, place_legend, text_width
from linstudy.show.words import axis_label, keep, label, need, number, say

Reference = float | tuple[float, str]
"""What values are compared with, and its name in the legend."""


def spread_plot(
    df: pd.DataFrame,
    *,
    x: str,
    row: str,
    hue: str | None = None,
    reference: Reference | None = None,
    chance: tuple[str, str] | None = None,
    falling: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each name: a small dot a value (a seed), a marker at their mean, a line over their range.

    Rows stand in the order of the table, or `falling`: by their means, of the first `hue`, from the highest down.
    `reference`, a number or one with its name, is a vertical line: no change, or plain. `chance` names the columns
    between which a row's mean would lie by chance: a grey band. Without `ax` the figure is as high as its rows need.
    """
    need(df, x, row, *([hue] if hue else []))
    names = list(dict.fromkeys(df[row]))
    if falling:
        first = df[df[hue] == df[hue].iloc[0]] if hue else df
        names = list(first.groupby(row)[x].mean().sort_values(ascending=False).index)
    groups = dict(list(df.groupby(hue, sort=False))) if hue else {None: df}
    height = 1.0 + max(0.26, 0.17 * len(groups)) * len(names)
    ax = ax or plt.figure(figsize=(plt.rcParams["figure.figsize"][0], height)).gca()
    keep(ax, df, row, hue, x, *(chance or ()))
    compared = compare_with(ax.axvline, reference)
    if chance is not None:
        low, high = (df.groupby(row)[column].mean()[names] for column in chance)
        ax.hlines(range(len(names)), low, high, color="0.8", linewidth=8, label="by chance")
    said = []
    for place, (name, color, marker) in enumerate(looks(groups)):
        part = groups[name]
        found = part.dropna(subset=x).groupby(row)[x].agg(["mean", "min", "max"]).reindex(names)
        heights = np.arange(len(names)) + 0.5 / len(groups) * (place - (len(groups) - 1) / 2)
        ax.hlines(heights, found["min"], found["max"], color=color, linewidth=1.5)
        every = part[row].map(dict(zip(names, heights, strict=True)))
        ax.plot(part[x], every, ".", color=color, markersize=3)
        look = {"color": color, "markersize": 6.5, "markeredgewidth": 0.6, "markeredgecolor": "white"}
        ax.plot(found["mean"], heights, marker, label=name, **look)
        ends = _ends(part.groupby(row)[x].mean().dropna())
        said.append(f"{name}: {ends}" if hue else ends)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.5, -0.5))
    size = ax.get_yticklabels()[0].get_fontsize()
    widest = max(text_width(str(name), size) for name in names)
    room = 72 * ax.figure.get_figwidth() - widest - 2 * size  # points; a letter takes .55 of its size
    ax.set(xlabel=axis_label(x, min(40, int(room / (0.55 * size)))))
    place_legend(ax, back=widest / 72)
    beside = f", with {number(compared)} for comparison" if compared is not None else ""
    return say(ax, f"{label(x)}, a row for each of {len(names)}{beside}; means: {'; '.join(said)}.")


def _ends(means: pd.Series) -> str:
    return f"lowest {number(means.min())} ({means.idxmin()}), highest {number(means.max())} ({means.idxmax()})"


def compare_with(draw_line: Callable[..., Any], reference: Reference | None) -> float | None:
    """Draw a reference, if there is one, as a dashed line (`ax.axhline` or `ax.axvline`); return its value."""
    if reference is None:
        return None
    value, name = reference if isinstance(reference, tuple) else (reference, None)
    draw_line(value, color=GREY, linestyle="--", linewidth=1.2, label=name)
    return value
