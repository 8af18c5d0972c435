"""Draws one plot again and again, below each other: for several columns, or for each value of a column."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from linstudy.show.look import cost_axis
from linstudy.show.words import keep, say, table_of, title, typeset, words_of


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


def panels_by(
    plot: Callable[..., Axes],
    df: pd.DataFrame,
    by: str,
    *,
    height: float = 3.0,
    label: str = "",
    costs: bool = False,
    **options: Any,
) -> Figure:
    """Draw one plot for each value of a column, one below the other over a common axis, its value at its left.

    Only the first has a legend and only the last a name below its axis; ``label`` names what all of them show. The y
    axes of ``costs`` are log ones. Example::

        picture(panels_by(spread_plot, df, "text", x="delta_update_linearity", row="layer", hue="labels"))
    """
    groups = list(df.groupby(by, sort=False))
    width = plt.rcParams["figure.figsize"][0]
    figure, axes = plt.subplots(len(groups), 1, figsize=(width, height * len(groups)), sharex=True, squeeze=False)
    for ax, (value, part) in zip(axes.flat, groups, strict=True):
        plot(part, ax=ax, **options)
        ax.set_ylabel(typeset(str(value), int(9 * height)))  # so many letters are as long as a panel is high
        if costs:
            cost_axis(ax)
        say(ax, f"{title(value)}: {words_of(ax)}")
        if (table := table_of(ax)) is not None:
            keep(ax, table.assign(**{by: value}))
        if ax is not axes[0, 0] and ax.get_legend():
            ax.get_legend().remove()
        if ax is not axes[-1, 0]:
            ax.set_xlabel("")
    if axes[-1, 0].get_xscale() == "linear":
        axes[-1, 0].locator_params(axis="x", nbins=5)
    if label:
        figure.supylabel(label, fontsize="medium")
    return figure
