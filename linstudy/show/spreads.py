"""Draws values that were measured several times, a row a name: every value, their mean, and what they compare with."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from .look import GREY, markers, place_legend, text_width
from .words import axis_label, label, need, number


def spread_plot(
    df: pd.DataFrame,
    *,
    x: str,
    row: str,
    hue: str | None = None,
    reference: float | None = None,
    reference_label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each name: a small dot a value (a seed), a marker at their mean, a line over their range.

    Rows stand in the order of the table. `reference` is a vertical line: no change, or chance.
    Without `ax` the figure is as high as its rows need.
    """
    need(df, x, row, *([hue] if hue else []))
    names = list(dict.fromkeys(df[row]))
    groups = list(df.groupby(hue, sort=False)) if hue else [(None, df)]
    if ax is None:
        height = 1.0 + max(0.26, 0.17 * len(groups)) * len(names)
        ax = plt.figure(figsize=(plt.rcParams["figure.figsize"][0], height)).gca()
    if reference is not None:
        ax.axvline(reference, color=GREY, linestyle="--", linewidth=1.2, label=reference_label)
    looks = zip(sns.color_palette("colorblind", len(groups)), markers(len(groups)), strict=True)
    for place, ((name, part), (color, marker)) in enumerate(zip(groups, looks, strict=True)):
        heights = np.arange(len(names)) + 0.5 / len(groups) * (place - (len(groups) - 1) / 2)
        found = part.dropna(subset=x).groupby(row)[x].agg(["mean", "min", "max"]).reindex(names)
        ax.hlines(heights, found["min"], found["max"], color=color, linewidth=1.5)
        every = part[row].map(dict(zip(names, heights, strict=True)))
        ax.plot(part[x], every, ".", color=color, markersize=3)
        look = {"color": color, "markersize": 6.5, "markeredgewidth": 0.6, "markeredgecolor": "white"}
        ax.plot(found["mean"], heights, marker, label=name, **look)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlabel=axis_label(x, 40))
    size = ax.get_yticklabels()[0].get_fontsize()
    place_legend(ax, back=max(text_width(str(name), size) for name in names) / 72)
    return ax


def spread_alt(df: pd.DataFrame, *, x: str, row: str, hue: str | None = None, reference: float | None = None) -> str:
    """Say in words what `spread_plot` draws of the same table: of each hue its lowest and highest row."""
    need(df, x, row, *([hue] if hue else []))
    said = []
    for name, part in df.groupby(hue, sort=False) if hue else [(None, df)]:
        means = part.groupby(row)[x].mean().dropna()
        ends = f"lowest {number(means.min())} ({means.idxmin()}), highest {number(means.max())} ({means.idxmax()})"
        said.append(f"{name}: {ends}" if hue else ends)
    beside = f", with {number(reference)} for comparison" if reference is not None else ""
    return f"{label(x)}, a row for each of {df[row].nunique()}{beside}; means: {'; '.join(said)}."
