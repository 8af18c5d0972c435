"""The book's figures of scores: a table in; the axes it was drawn on out, with what they show in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .look import GREY, RANGE, begin, draw_lines, finish
from .words import (
    keep,
    lines_in_words,
    need,
    say,
    table_of,
    title,
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

        picture(panels_by(profile_plot, df, "text", y="update_linearity", hue="seed"))
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
