"""Draws scores of many models, a row a model: what an architecture scores, before or after training."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from .look import markers, place_legend, text_width
from .words import label, need, number, typeset

SCORES = ("linearity", "update_linearity")


def family_plot(df: pd.DataFrame, *, y: Sequence[str] = SCORES, family: str = "model", ax: Axes | None = None) -> Axes:
    """Draw a row for each family and in it the scores of its layers: a dot a layer, and a line over their range.

    Seeds and texts of a layer are averaged in its dot; the line spans them all. Families stand in the order of the last
    score. Without `ax` the figure is as high as its rows need.
    """
    names = _ranked(df, y, family)
    if ax is None:
        ax = plt.figure(figsize=(plt.rcParams["figure.figsize"][0], 1.0 + 0.21 * len(names))).gca()
    looks = zip(y, sns.color_palette("colorblind", len(y)), markers(len(y)), strict=True)
    for place, (score, color, marker) in enumerate(looks):
        heights = np.arange(len(names)) + 0.36 * (place - (len(y) - 1) / 2)
        spread = df.groupby(family)[score].agg(["min", "max"]).loc[names]
        ax.hlines(heights, spread["min"], spread["max"], color=color, linewidth=1.5)
        dots = df.groupby([family, "layer"])[score].mean()
        across = [dots[name].to_numpy() for name in names]
        up = np.repeat(heights, [len(each) for each in across])
        look = {"color": color, "markersize": 5, "markeredgewidth": 0.5, "markeredgecolor": "white"}
        ax.plot(np.concatenate(across), up, marker, label=typeset(label(score), 40), **look)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.4, -0.6), xlim=(min(0.0, ax.dataLim.x0) - 0.02, max(1.02, ax.dataLim.x1)))
    size = ax.get_yticklabels()[0].get_fontsize()
    place_legend(ax, back=max(text_width(str(name), size) for name in names) / 72)
    return ax


def family_alt(df: pd.DataFrame, *, y: Sequence[str] = SCORES, family: str = "model") -> str:
    """Say in words what `family_plot` draws of the same table: of each score its lowest and its highest family."""
    names = _ranked(df, y, family)
    means = df.groupby(family)[list(y)].mean()
    said = [
        f"{label(score)}: lowest {number(means[score].min())} ({means[score].idxmin()}), "
        f"highest {number(means[score].max())} ({means[score].idxmax()})"
        for score in y
    ]
    return f"A row for each of {len(names)}, with the mean over the layers of {'; '.join(said)}."


def _ranked(df: pd.DataFrame, y: Sequence[str], family: str) -> list[str]:
    need(df, "layer", family, *y)
    return list(df.groupby(family)[y[-1]].mean().sort_values(ascending=False).index)
