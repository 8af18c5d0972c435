"""Draws a row a name: the scores of families, values measured several times, agreement of scores with costs."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .look import GREY, Reference, compare_with, looks, place_legend, text_width
from .words import axis_label, keep, label, need, number, say

WHITE = {"markeredgecolor": "white"}


def family_plot(
    df: pd.DataFrame,
    *,
    y: Sequence[str] = ("linearity", "update_linearity"),
    family: str = "model",
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each family and in it the scores of its layers: a dot a layer, and a line over their range.

    Seeds and texts of a layer are averaged in its dot; the line spans them all. Families stand in the order of the last
    score. Without `ax` the figure is as high as its rows need.
    """
    need(df, "layer", family, *y)
    means = df.groupby(family)[list(y)].mean()
    names = list(means[y[-1]].sort_values(ascending=False).index)
    ax = _axes(ax, 1.0 + 0.21 * len(names))
    keep(ax, df, family, "layer", *y)
    for place, (score, color, marker) in enumerate(looks(y)):
        heights = _ranges(ax, df.groupby(family)[score].agg(["min", "max"]).loc[names], 0.36, place, len(y), color)
        dots = df.groupby([family, "layer"])[score].mean()
        across = [dots[name].to_numpy() for name in names]
        up = np.repeat(heights, [len(each) for each in across])
        look = {"color": color, "markersize": 5, "markeredgewidth": 0.5, **WHITE}
        ax.plot(np.concatenate(across), up, marker, label=label(score), **look)  # a legend keeps no formulas
    ax.set(xlim=(min(0.0, ax.dataLim.x0) - 0.02, max(1.02, ax.dataLim.x1)))
    _name_rows(ax, names)
    said = [f"{label(score)}: {_ends(means[score])}" for score in y]
    return say(ax, f"A row for each of {len(names)}, with the mean over the layers of {'; '.join(said)}.")


def spread_plot(
    df: pd.DataFrame,
    *,
    x: str,
    row: str,
    hue: str | None = None,
    reference: Reference | None = None,
    chance: tuple[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each name: a small dot a value (a seed), a marker at their mean, a line over their range.

    Rows stand in the order of the table. `reference`, a number or one with its name, is a vertical line: no change, or
    plain. `chance` names the columns between which a row's mean would lie by chance: a grey band.
    Without `ax` the figure is as high as its rows need.
    """
    need(df, x, row, *([hue] if hue else []))
    names = list(dict.fromkeys(df[row]))
    groups = dict(list(df.groupby(hue, sort=False))) if hue else {None: df}
    ax = _axes(ax, 1.0 + max(0.26, 0.17 * len(groups)) * len(names))
    keep(ax, df, row, hue, x, *(chance or ()))
    compared = compare_with(ax.axvline, reference)
    if chance is not None:
        low, high = (df.groupby(row)[column].mean()[names] for column in chance)
        ax.hlines(range(len(names)), low, high, color="0.8", linewidth=8, label="by chance")
    said = []
    for place, (name, color, marker) in enumerate(looks(groups)):
        part = groups[name]
        found = part.dropna(subset=x).groupby(row)[x].agg(["mean", "min", "max"]).reindex(names)
        heights = _ranges(ax, found, 0.5 / len(groups), place, len(groups), color)
        every = part[row].map(dict(zip(names, heights, strict=True)))
        ax.plot(part[x], every, ".", color=color, markersize=3)
        look = {"color": color, "markersize": 6.5, "markeredgewidth": 0.6, **WHITE}
        ax.plot(found["mean"], heights, marker, label=name, **look)
        ends = _ends(part.groupby(row)[x].mean().dropna())
        said.append(f"{name}: {ends}" if hue else ends)
    ax.set(xlabel=axis_label(x, 40))
    _name_rows(ax, names, margin=0.5)
    beside = f", with {number(compared)} for comparison" if compared is not None else ""
    return say(ax, f"{label(x)}, a row for each of {len(names)}{beside}; means: {'; '.join(said)}.")


def agreement_plot(df: pd.DataFrame, *, row: str = "score", hue: str = "action", ax: Axes | None = None) -> Axes:
    """Draw Kendall's tau of each score, a dot for the mean over shards and a line over their range; 1 is agreement.

    Scores stand in the order of the first `hue`. Without `ax` the figure is as high as its rows need.
    """
    need(df, "tau", row, hue)
    names = list(df[df[hue] == df[hue].iloc[0]].groupby(row)["tau"].mean().sort_values(ascending=False).index)
    shown = [label(name).split(",")[0] for name in names]
    ax = _axes(ax, 1.2 + 0.42 * len(names))
    keep(ax, df, row, hue, "tau")
    kinds, said = list(df[hue].unique()), []
    for place, (kind, color, marker) in enumerate(looks(kinds)):
        tau = df[df[hue] == kind].groupby(row)["tau"].agg(["mean", "min", "max"]).reindex(names)
        heights = _ranges(ax, tau, 0.22, place, len(kinds), color)
        ax.plot(tau["mean"], heights, marker, color=color, label=kind, **WHITE)
        means = zip(shown, tau["mean"], strict=True)
        said.append(f"{kind}: " + ", ".join(f"{name} {mean:.2f}" for name, mean in means))
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set(xlim=(-1.05, 1.05), xlabel=axis_label("tau", 40))
    _name_rows(ax, shown, back=1.2)
    what = "Kendall's tau between each score and the true cost of a layer, mean over shards"
    return say(ax, f"{what}. {'; '.join(said)}.")


def _axes(ax: Axes | None, height: float) -> Axes:
    return ax or plt.figure(figsize=(plt.rcParams["figure.figsize"][0], height)).gca()


def _ranges(ax: Axes, found: pd.DataFrame, gap: float, place: int, count: int, color: tuple) -> np.ndarray:
    """Draw a line from the smallest to the largest value in each row; return how high the lines of this place lie."""
    heights = np.arange(len(found)) + gap * (place - (count - 1) / 2)
    ax.hlines(heights, found["min"], found["max"], color=color, linewidth=1.5)
    return heights


def _name_rows(ax: Axes, names: Sequence[str], *, margin: float = 0.4, back: float | None = None) -> None:
    """Write the names beside the rows, and put the legend over them, `back` inches to the left of the axes."""
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - margin, margin - 1))
    size = ax.get_yticklabels()[0].get_fontsize()
    place_legend(ax, back=back or max(text_width(str(name), size) for name in names) / 72)


def _ends(means: pd.Series) -> str:
    return f"lowest {number(means.min())} ({means.idxmin()}), highest {number(means.max())} ({means.idxmax()})"
