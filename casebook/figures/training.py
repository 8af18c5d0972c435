"""Draws what happens in training: a number along the steps or the loss, and a loss for every learning rate."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
    StrMethodFormatter,
    SymmetricalLogLocator,
)

from linstudy.show.look import GREY, begin, draw_lines, finish, log_axis, looks, place_legend
from linstudy.show.words import axis_label, label, lines_in_words, number, say

from .spread import Reference, compare_with

BAND = ["low", "high"]


def steps_plot(df: pd.DataFrame, *, y: str, x: str = "step", hue: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw a number along training, a line for each `hue`, its rows of one step (seeds, layers) averaged.

    Steps are on a log axis that has room for step 0, the model as it was drawn.
    """
    ax = begin(ax, df, x, y, hue)
    draw_lines(df, x=x, y=y, hue=hue, ax=ax)
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    ax.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(-0.3, 1.3 * df[x].max())
    return finish(ax, x, y, lines_in_words(df, x=x, y=y, hue=hue), hue=df[hue] if hue else None)


def band_plot(
    df: pd.DataFrame,
    *,
    x: str,
    y: str,
    hue: str,
    reference: Reference | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a number with its interval against an amount on a log axis to base 4, a line and a band for each `hue`.

    Columns `low` and `high` are the interval's ends; where one of them is infinite there is no band. `reference`, a
    number or one with its name, is a horizontal line.
    """
    ax = begin(ax, df, x, y, hue, *BAND)
    compare_with(ax.axhline, reference)
    groups, said = dict(list(df.groupby(hue, sort=False))), []
    for name, color, marker in looks(groups):
        part = groups[name].sort_values(x)
        ends = part[BAND].replace([math.inf, -math.inf], math.nan)
        ax.plot(part[x], part[y], marker=marker, color=color, markeredgecolor="white", markersize=6, label=name)
        ax.fill_between(part[x], *ends.to_numpy().T, color=color, alpha=0.2, linewidth=0)
        ax.vlines(part[x], *ends.to_numpy().T, color=color, linewidth=1)
        told = zip(*(part[column] for column in (x, y, *BAND)), strict=True)
        values = (f"{number(mean)} ({number(low)} to {number(high)}) at {at:,.7g}" for at, mean, low, high in told)
        said.append(f"{name}: {', '.join(values)}")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(base=4))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.7g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    place_legend(ax)
    return say(ax, f"{label(y)} by {label(x)}, with intervals; {'; '.join(said)}.")


def path_plot(df: pd.DataFrame, *, y: str, hue: str, ax: Axes | None = None) -> Axes:
    """Draw a number against the loss, with the loss as the clock: a line for each seed, its steps in their order.

    The loss falls to the right, and a ring is around step 0. Runs that took different numbers of steps to the same loss
    are compared where they are equally good. Rows of one step (layers) are averaged.
    """
    x = "validation_nats"
    ax = begin(ax, df, x, y, hue, "seed", "step")
    for name, color, marker in looks(dict.fromkeys(df[hue])):
        for place, (_, part) in enumerate(df[df[hue] == name].groupby("seed")):
            path = part.groupby("step")[[x, y]].mean().sort_index()
            look = {"color": color, "marker": marker, "markersize": 4, "markeredgewidth": 0, "linewidth": 1.2}
            ax.plot(path[x], path[y], label=None if place else name, **look)
            ax.plot(*path.iloc[0], "o", markersize=9, markerfacecolor="none", markeredgecolor=color)
    ax.invert_xaxis()
    said = []  # where the lines begin, turn and end, runs averaged
    for name, part in df.groupby(hue, sort=False):
        path = part.groupby("step")[[x, y]].mean()
        ends = " to ".join(f"{number(row[y])} at {row[x]:.2f}" for _, row in path.iloc[[0, -1]].iterrows())
        low, high = (path.loc[step] for step in (path[y].idxmin(), path[y].idxmax()))
        turns = f"lowest {number(low[y])} at {low[x]:.2f}, highest {number(high[y])} at {high[x]:.2f}"
        said.append(f"{name}: from {ends}, {turns}")
    words = f"{label(y)} by {label(x)}, one line a seed of each {label(hue)}; {'; '.join(said)}."
    return finish(ax, x, y, words)


def rates_plot(df: pd.DataFrame, *, hue: str, ax: Axes | None = None) -> Axes:
    """Draw a loss against the learning rate, a line for each `hue`, with a ring around the lowest of each.

    Runs that diverged have no loss and are left out: a line ends before them.
    """
    x, y = "rate", "validation_nats"
    ax = begin(ax, df, x, y, hue)
    groups, said = dict(list(df.dropna(subset=y).groupby(hue, sort=False))), []
    for name, color, marker in looks(groups):
        means = groups[name].groupby(x)[y].mean()
        ax.plot(means.index, means, marker=marker, color=color, markeredgecolor="white", markersize=6, label=name)
        ax.plot(means.idxmin(), means.min(), "o", markersize=11, markerfacecolor="none", markeredgecolor=color)
        said.append(f"{name}: lowest {means.min():.3f} at {means.idxmin():g}")
    ax.set_xscale("log")
    log_axis(ax.xaxis, wide=False)
    return finish(ax, x, y, f"{label(y)} by {label(x)}, one line a {label(hue)}: {'; '.join(said)}.")


def dots_and_curve(
    df: pd.DataFrame, *, x: str, y: str, hue: str, curve: pd.DataFrame, name: str, ax: Axes | None = None
) -> Axes:
    """Draw runs as dots, a colour and marker for each `hue`, beside a curve in the same columns, with its band.

    `name` says what the curve is; its band goes from `low` to `high`. The axis of `x` is a log axis: rows where it is
    not above 0 are left out, and the words count them.
    """
    ax = begin(ax, df, x, y, hue)
    curve = curve[curve[x] > 0].sort_values(x)
    ax.plot(curve[x], curve[y], color=GREY, label=name, zorder=1)
    ax.fill_between(curve[x], curve.low, curve.high, color=GREY, alpha=0.2, linewidth=0)
    said = []
    for group, color, marker in looks(dict.fromkeys(df[hue])):
        part = df[(df[hue] == group) & (df[x] > 0)]
        shape = {"linestyle": "", "marker": marker, "markersize": 6, "markeredgecolor": "white"}
        ax.plot(part[x], part[y], color=color, label=group, **shape)
        out = int((df[hue] == group).sum()) - len(part)
        ends = (
            f"{number(part[y].min())} to {number(part[y].max())} at {number(part[x].min())} to {number(part[x].max())}"
        )
        said.append(f"{group}: {ends}" + (f", {out} not drawn" if out else ""))
    ax.set_xscale("log")
    log_axis(ax.xaxis, wide=True)
    ends = " to ".join(f"{number(row[y])} at {number(row[x])}" for _, row in curve.iloc[[0, -1]].iterrows())
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    place_legend(ax)
    return say(ax, f"{label(y)} by {label(x)}, a dot a run; {'; '.join(said)}. The curve is {name}: from {ends}.")
