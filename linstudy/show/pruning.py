"""Draws what pruning costs: against the layers gone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pandas.core.groupby import SeriesGroupBy

from .look import begin, cost_axis, finish, looks
from .words import label, number, title


def budget_plot(
    df: pd.DataFrame,
    *,
    hue: str = "order",
    highlight: Sequence[str] | None = None,
    whole: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cost against the layers gone, a line for each value of `hue`, on a log axis.

    Rows of the same layers and hue (seeds) are one point, their geometric mean, in a band from the smallest to the
    largest. Lines that are not in `highlight` are thin and grey, without names. `whole` is the unpruned model's value.
    """
    y = "perplexity"
    ax = begin(ax, df, "layers", y, hue)
    groups = {str(name): part.groupby("layers")[y] for name, part in df.groupby(hue, sort=False)}
    shown = [name for name in (groups if highlight is None else highlight) if name in groups]
    for place, name in enumerate(name for name in groups if name not in shown):
        middle = _middle(groups[name])
        ax.plot(middle.index, middle, color="0.75", linewidth=1, label=None if place else "others")
    for name, color, marker in looks(shown):
        middle, part = _middle(groups[name]), groups[name]
        ax.plot(middle.index, middle, color=color, marker=marker, markeredgecolor="white", label=name)
        ax.fill_between(middle.index, part.min(), part.max(), color=color, alpha=0.2, linewidth=0)
    if whole is not None:
        ax.axhline(whole, color="black", linewidth=1, linestyle=":", label="whole model")
    cost_axis(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    means = _middle(df.groupby(["layers", hue])[y])
    said = []  # the best and the worst line at each number of layers
    for layers, part in means.groupby(level=0):
        part = part.droplevel(0)
        worst = f", largest {number(part.max())} ({part.idxmax()})" if len(part) > 1 else ""
        said.append(f"{layers} gone: lowest {number(part.min())} ({part.idxmin()}){worst}")
    before = f"; whole model {number(whole)}" if whole is not None else ""
    words = f"{title(label(y))} by layers gone, a line for each {label(hue)}{before}; {'; '.join(said)}."
    return finish(ax, "layers", y, words)


def _middle(groups: SeriesGroupBy) -> pd.Series:
    """Return the geometric mean of each group: on a log axis it lies in the middle."""
    return groups.agg(lambda values: float(np.exp(np.log(values).mean())))
