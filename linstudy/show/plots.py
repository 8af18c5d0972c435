"""The book's figures of scores: a table in; the axes it was drawn on out, with what they show in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .look import GREY, RANGE, begin, draw_lines, finish, log_axis, looks, place_legend, score_axis
from .words import (
    axis_label,
    keep,
    label,
    lines_in_words,
    need,
    number,
    say,
    table_of,
    title,
    typeset,
    words_of,
)

UNRELATED = "unrelated data"


def profile_plot(
    df: pd.DataFrame,
    *,
    x: str = "layer",
    y: str = "linearity",
    hue: str | None = None,
    ax: Axes | None = None,
    control: pd.DataFrame | None = None,
    nines: bool = False,
) -> Axes:
    """Draw one column of a profile against the layer, a line for each value of `hue`.

    Rows of the same layer and hue (seeds, shards) are averaged, in a band from the smallest to the largest. Under a raw
    score lies a grey band from 0 to its `floor`, what unrelated data would score. `control` is the table of the same
    model with random weights. The legend stands above the axes. With `nines` the axis of LS is a log axis of 1 - LS, on
    which 0.99 and 0.999 are as far apart as 0.9 and 0.99; other scores stay as they are.
    """
    ax = begin(ax, df, x, y, hue)
    draw_lines(df, x=x, y=y, hue=hue, ax=ax)
    if control is not None:
        need(control, x, y)
        beside = control[[x, y]].assign(**{hue or "weights": "random weights"})
        keep(ax, pd.concat([df, beside], ignore_index=True), x, y, hue or "weights")
        sns.lineplot(control, x=x, y=y, ax=ax, errorbar=RANGE, color=GREY, linestyle="--", label="random weights")
    if y.endswith("_raw") and "floor" in df.columns:
        floors = df.pivot_table(index=x, columns=hue, values="floor") if hue else df.groupby(x)[["floor"]].mean()
        for i, (_, height) in enumerate(floors.T.drop_duplicates().iterrows()):
            ax.fill_between(height.index, 0, height, color=GREY, alpha=0.2, linewidth=0, label=None if i else UNRELATED)
    if x == "layer":
        layers = sorted(df[x].unique())
        ax.set_xticks([layer for layer in layers if layer % math.ceil(len(layers) / 10) == 0])
    words = lines_in_words(df, x=x, y=y, hue=hue, control=control)
    return finish(ax, x, y, words, hue=df[hue] if hue else None, nines=nines)


def panels(
    plot: Callable[..., Axes],
    df: pd.DataFrame,
    y: Sequence[str] = ("linearity", "update_linearity"),
    *,
    height: float = 3.0,
    **options: Any,
) -> Figure:
    """Draw one plot for each column of `y`, one below the other over a common axis, each `height` inches high.

    Example::

        picture(panels(profile_plot, df, hue="model", control=twins))
    """
    width = plt.rcParams["figure.figsize"][0]
    figure, axes = plt.subplots(len(y), 1, figsize=(width, height * len(y)), sharex=True, squeeze=False)
    for ax, column in zip(axes.flat, y, strict=True):
        plot(df, y=column, ax=ax, **options)
        if ax is not axes[0, 0] and _legend(ax) and _legend(ax) == _legend(axes[0, 0]):
            ax.get_legend().set_visible(False)  # said once, at the top
    return figure


def _legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []


def panels_by(plot: Callable[..., Axes], df: pd.DataFrame, by: str, *, height: float = 3.0, **options: Any) -> Figure:
    """Draw one plot for each value of a column, one below the other over a common axis, its value at its left.

    Only the first has a legend and only the last a name below its axis. Example::

        picture(panels_by(spread_plot, df, "text", x="delta_update_linearity", row="layer", hue="labels"))
    """
    groups = list(df.groupby(by, sort=False))
    width = plt.rcParams["figure.figsize"][0]
    figure, axes = plt.subplots(len(groups), 1, figsize=(width, height * len(groups)), sharex=True, squeeze=False)
    for ax, (value, part) in zip(axes.flat, groups, strict=True):
        plot(part, ax=ax, **options)
        ax.set_ylabel(value)
        say(ax, f"{title(value)}: {words_of(ax)}")
        if (table := table_of(ax)) is not None:
            keep(ax, table.assign(**{by: value}))
        if ax is not axes[0, 0] and ax.get_legend():
            ax.get_legend().remove()
        if ax is not axes[-1, 0]:
            ax.set_xlabel("")
    if axes[-1, 0].get_xscale() == "linear":
        axes[-1, 0].locator_params(axis="x", nbins=5)
    return figure


def ablation_plot(df: pd.DataFrame, *, y: str = "linearity", hue: str = "ablation", ax: Axes | None = None) -> Axes:
    """Draw a score against the layer as it is, and again with something left out, a line for each `hue`.

    The first `hue` of the table is the score as it is: a broad grey line, and what stays on it has changed nothing. If
    the table has the score of standardised features too (``linearity_standardised``), that is one line more.
    """
    ax = begin(ax, df, "layer", y, hue)
    whole = df[df[hue] == df[hue].iloc[0]]
    mean = whole.groupby("layer")[y].mean()
    ax.plot(mean.index, mean, color="0.75", linewidth=7, solid_capstyle="round", zorder=1, label=whole[hue].iloc[0])
    changed = [df[df[hue] != df[hue].iloc[0]]]
    if f"{y}_standardised" in df.columns:
        changed.append(whole.assign(**{hue: "features standardised", y: whole[f"{y}_standardised"]}))
    profile_plot(pd.concat(changed), y=y, hue=hue, ax=ax)
    every = pd.concat([whole, *changed], ignore_index=True)
    keep(ax, every, hue, "layer", y)
    return say(ax, lines_in_words(every, x="layer", y=y, hue=hue))


def sweep_plot(
    df: pd.DataFrame,
    *,
    y: Sequence[str] = ("linearity_raw", "linearity", "linearity_heldout"),
    truth: float | None = None,
    truth_label: str = "true value",
    ax: Axes | None = None,
) -> Axes:
    """Draw scores against the number of tokens they were measured on, on a log axis.

    Shows the raw score's bias and how the others correct it: its `floor` d/(n-1) is the grey curve, `truth` the
    horizontal line all of them should find.
    """
    ax = begin(ax, df, "tokens", *y)
    names = {column: label(column).rstrip(")").split(" (") for column in y}  # "linearity, LS", "raw"
    one_score = len({name[0] for name in names.values()}) == 1
    legend = {column: name[-1] if one_score else label(column) for column, name in names.items()}
    long = df.melt("tokens", list(y), "score").replace({"score": legend})
    draw_lines(long, x="tokens", y="value", hue="score", ax=ax)
    if truth is not None:
        ax.axhline(truth, color="black", linewidth=1, label=truth_label)
    if "floor" in df.columns:
        height = df.groupby("tokens")["floor"].mean()
        ax.plot(height.index, height, color=GREY, linestyle=":", label=UNRELATED)
    ax.set_xscale("log")
    log_axis(ax.xaxis, wide=bool(df["tokens"].max() > 100 * df["tokens"].min()), form="{x:,.0f}")
    score_axis(ax)
    what = names[y[0]][0] if one_score else "share explained"
    ax.set(xlabel=axis_label("tokens", 40), ylabel=typeset(what))
    place_legend(ax)
    said = [f"{legend[column]} {_from_to(df.groupby('tokens')[column].mean())}" for column in y]
    exact = f"; {truth_label} {number(truth)}" if truth is not None else ""
    return say(ax, f"{title(what)} by {label('tokens')}, on a log axis: {'; '.join(said)}{exact}.")


def known_answers_plot(df: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw LS against the known ``answer`` of made-up ``data``; what is right lies on the diagonal.

    Rows of the same answer and data (seeds) are one point, their mean, with a bar from the smallest to the largest.
    """
    x, y = "answer", "linearity"
    ax = begin(ax, df, x, y, "data")
    ends = [min(0.0, df[x].min(), df[y].min()), 1.0]
    ax.plot(ends, ends, color=GREY, linewidth=1, label="exact")
    groups = dict(list(df.groupby("data", sort=False)))
    for name, color, marker in looks(groups):
        point = groups[name].groupby(x)[y].agg(["mean", "min", "max"])
        bars = [point["mean"] - point["min"], point["max"] - point["mean"]]
        ax.errorbar(
            point.index, point["mean"], bars, fmt=marker, color=color, markeredgecolor="white", capsize=3, label=name
        )
    known = f"known answer of {label(y).split(' (')[0]}"
    ax.set(xlabel=known, ylabel=axis_label(y))
    place_legend(ax)
    off = (df[y] - df[x]).abs().max()
    said = [f"{name} {_from_to(part.groupby(x)[y].mean())}" for name, part in groups.items()]
    return say(ax, f"{title(label(y))} by {known}: {'; '.join(said)}; off by {number(off)} at most.")


def _from_to(means: pd.Series) -> str:
    return f"{number(means.iloc[0])} at {means.index[0]:,g} to {number(means.iloc[-1])} at {means.index[-1]:,g}"
