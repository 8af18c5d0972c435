"""Draws what pruning costs: against the layers gone, against time or size, and against what the scores had said."""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pandas.core.groupby import SeriesGroupBy

from .look import GREY, log_axis, markers, place_legend
from .words import axis_label, label, need, number


def budget_plot(
    df: pd.DataFrame,
    *,
    y: str = "perplexity",
    hue: str = "order",
    highlight: Sequence[str] | None = None,
    whole: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cost against the layers gone, a line for each value of `hue`, on a log axis.

    Rows of the same layers and hue (seeds) are one point, their geometric mean, in a band from the smallest to the
    largest. Lines that are not in `highlight` are thin and grey, without names. `whole` is the unpruned model's value.
    """
    need(df, "layers", y, hue)
    ax = plt.gca() if ax is None else ax
    groups = {str(name): part.groupby("layers")[y] for name, part in df.groupby(hue, sort=False)}
    shown = [name for name in (groups if highlight is None else highlight) if name in groups]
    for place, name in enumerate(name for name in groups if name not in shown):
        middle = _middle(groups[name])
        ax.plot(middle.index, middle, color="0.75", linewidth=1, label=None if place else "others")
    for name, color, marker in _looks(shown):
        middle, part = _middle(groups[name]), groups[name]
        ax.plot(middle.index, middle, color=color, marker=marker, markeredgecolor="white", label=name)
        ax.fill_between(middle.index, part.min(), part.max(), color=color, alpha=0.2, linewidth=0)
    if whole is not None:
        ax.axhline(whole, color="black", linewidth=1, linestyle=":", label="whole model")
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    log_axis(ax.yaxis, wide=bool(high > 100 * low))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=axis_label("layers", 40), ylabel=axis_label(y))
    place_legend(ax)
    return ax


def budget_alt(df: pd.DataFrame, *, y: str = "perplexity", hue: str = "order", whole: float | None = None) -> str:
    """Say in words what `budget_plot` draws of the same table: the best and the worst line at each number of layers."""
    need(df, "layers", y, hue)
    means = _middle(df.groupby(["layers", hue])[y])
    said = []
    for layers, part in means.groupby(level=0):
        part = part.droplevel(0)
        worst = f", largest {number(part.max())} ({part.idxmax()})" if len(part) > 1 else ""
        said.append(f"{layers} gone: lowest {number(part.min())} ({part.idxmin()}){worst}")
    title = f"{label(y)[0].upper()}{label(y)[1:]} by layers gone, a line for each {label(hue)}"
    before = f"; whole model {number(whole)}" if whole is not None else ""
    return f"{title}{before}; {'; '.join(said)}."


def frontier(df: pd.DataFrame, *, x: str = "decode_ms", y: str = "perplexity", hue: str = "action") -> pd.DataFrame:
    """Return the rows that no row of the same `hue` beats in both `x` and `y`, in rising order of `x`."""
    need(df, x, y, hue)
    rows = df.sort_values([x, y])
    return rows[rows[y] < rows.groupby(hue)[y].transform(lambda values: values.cummin().shift(fill_value=np.inf))]


def frontier_plot(
    df: pd.DataFrame,
    *,
    x: str = "decode_ms",
    y: str = "perplexity",
    hue: str = "action",
    chosen: pd.Series | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the least cost that is to be had for a time or a size, a staircase for each value of `hue`.

    A dot is a row of :func:`frontier`: left of it there is none of its kind that costs less. `chosen`, a row of the
    table, gets a ring, wherever it lies.
    """
    best = frontier(df, x=x, y=y, hue=hue)
    ax = plt.gca() if ax is None else ax
    for name, color, marker in _looks(list(df[hue].unique())):
        part = best[best[hue] == name]
        look = {"drawstyle": "steps-post", "marker": marker, "markeredgecolor": "white", "markeredgewidth": 0.5}
        ax.plot(part[x], part[y], color=color, label=name, **look)
    if chosen is not None:
        ring = {"markersize": 15, "markeredgecolor": "black", "markeredgewidth": 1.5, "fillstyle": "none"}
        ax.plot([chosen[x]], [chosen[y]], "o", **ring)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    log_axis(ax.yaxis, wide=bool(high > 100 * low))
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    place_legend(ax)
    return ax


def frontier_alt(df: pd.DataFrame, *, x: str = "decode_ms", y: str = "perplexity", hue: str = "action") -> str:
    """Say in words what `frontier_plot` draws of the same table: both ends of every staircase."""
    best = frontier(df, x=x, y=y, hue=hue)
    said = []
    for name, part in best.groupby(hue, sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        ends = [f"{number(row[y])} at {number(row[x])}" for row in ((first, last) if len(part) > 1 else (first,))]
        said.append(f"{name}: {' down to '.join(ends)}")
    return f"Lowest {label(y)} that is to be had, by {label(x)}, a staircase for each {label(hue)}: {'; '.join(said)}."


def agreement_plot(df: pd.DataFrame, *, row: str = "score", hue: str = "action", ax: Axes | None = None) -> Axes:
    """Draw Kendall's tau of each score, a dot for the mean over shards and a line over their range; 1 is agreement.

    Scores stand in the order of the first `hue`. Without `ax` the figure is as high as its rows need.
    """
    names = _ranked(df, row, hue)
    if ax is None:
        ax = plt.figure(figsize=(plt.rcParams["figure.figsize"][0], 1.2 + 0.42 * len(names))).gca()
    kinds = list(df[hue].unique())
    for place, (kind, color, marker) in enumerate(_looks(kinds)):
        heights = np.arange(len(names)) + 0.22 * (place - (len(kinds) - 1) / 2)
        tau = df[df[hue] == kind].groupby(row)["tau"].agg(["mean", "min", "max"]).reindex(names)
        ax.hlines(heights, tau["min"], tau["max"], color=color, linewidth=1.5)
        ax.plot(tau["mean"], heights, marker, color=color, markeredgecolor="white", label=kind)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(range(len(names)), [label(name).split(",")[0] for name in names])
    ax.set(ylim=(len(names) - 0.4, -0.6), xlim=(-1.05, 1.05), xlabel=axis_label("tau", 40))
    place_legend(ax, back=1.2)
    return ax


def agreement_alt(df: pd.DataFrame, *, row: str = "score", hue: str = "action") -> str:
    """Say in words what `agreement_plot` draws of the same table: every score's mean."""
    names = _ranked(df, row, hue)
    means = df.groupby([hue, row], sort=False)["tau"].mean()
    said = [
        f"{kind}: " + ", ".join(f"{label(name).split(',')[0]} {means[kind, name]:.2f}" for name in names)
        for kind in df[hue].unique()
    ]
    return f"Kendall's tau between each score and the true cost of a layer, mean over shards. {'; '.join(said)}."


def _looks(names: Sequence[str]) -> Iterable[tuple[str, tuple, str]]:
    """Give every name a colour and a marker."""
    return zip(names, sns.color_palette("colorblind", len(names)), markers(len(names)), strict=True)


def _middle(groups: SeriesGroupBy) -> pd.Series:
    """Return the geometric mean of each group: on a log axis it lies in the middle."""
    return groups.agg(lambda values: float(np.exp(np.log(values).mean())))


def _ranked(df: pd.DataFrame, row: str, hue: str) -> list[str]:
    need(df, "tau", row, hue)
    first = df[df[hue] == df[hue].iloc[0]]
    return list(first.groupby(row)["tau"].mean().sort_values(ascending=False).index)
