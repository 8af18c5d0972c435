"""The book's figures of scores: a table in; the axes it was drawn on out, with what they show in words."""

import math

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from .look import GREY, RANGE, begin, draw_lines, finish
from .words import keep, lines_in_words, need

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
