"""Draws the best that pruning has to offer: the least perplexity for a time or a size."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from linstudy.show.look import begin, cost_axis, finish, looks
from linstudy.show.words import label, need, number


def frontier(df: pd.DataFrame, *, x: str = "decode_ms") -> pd.DataFrame:
    """Return the rows that no row of the same action beats in both `x` and perplexity, in rising order of `x`."""
    need(df, x, "perplexity", "action")
    rows = df.sort_values([x, "perplexity"])
    least = rows.groupby("action").perplexity.transform(lambda values: values.cummin().shift(fill_value=np.inf))
    return rows[rows.perplexity < least]


def frontier_plot(
    df: pd.DataFrame, *, x: str = "decode_ms", chosen: pd.Series | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the least perplexity that is to be had for a time or a size, a staircase for each action.

    A dot is a row of :func:`frontier`: left of it there is none of its kind that costs less. `chosen`, a row of the
    table, gets a ring, wherever it lies.
    """
    y, hue, best = "perplexity", "action", frontier(df, x=x)
    ax = begin(ax, best, x, y, hue)
    for name, color, marker in looks(df[hue].unique()):
        part = best[best[hue] == name]
        look = {"drawstyle": "steps-post", "marker": marker, "markeredgecolor": "white", "markeredgewidth": 0.5}
        ax.plot(part[x], part[y], color=color, label=name, **look)
    if chosen is not None:
        ring = {"markersize": 15, "markeredgecolor": "black", "markeredgewidth": 1.5, "fillstyle": "none"}
        ax.plot([chosen[x]], [chosen[y]], "o", **ring)
    cost_axis(ax)
    said = []  # both ends of every staircase
    for name, part in best.groupby(hue, sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        ends = [f"{number(row[y])} at {number(row[x])}" for row in ((first, last) if len(part) > 1 else (first,))]
        said.append(f"{name}: {' down to '.join(ends)}")
    what = f"Lowest {label(y)} that is to be had, by {label(x)}, a staircase for each {label(hue)}"
    return finish(ax, x, y, f"{what}: {'; '.join(said)}.")
