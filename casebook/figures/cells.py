"""Draws a matrix as coloured cells: what every part wrote of every token."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from linstudy.show.words import keep, number, say


def share_map(df: pd.DataFrame, *, x: str = "token") -> Axes:
    """Draw the table's rows, the first on top, as cells: blue above 0, red below. For ``picture(..., form="png")``."""
    bound = float(np.nanmax(np.abs(df.to_numpy())))
    ax = plt.figure(figsize=(plt.rcParams["figure.figsize"][0], 1 + 0.26 * len(df))).gca()
    image = ax.imshow(df, aspect="auto", cmap="RdBu", vmin=-bound, vmax=bound)
    ax.set(xlabel=x)
    ax.set_yticks(range(len(df)), df.index)
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label="share")
    means = ", ".join(f"{name} {number(value)}" for name, value in df.mean(axis=1).items())
    keep(ax, df.reset_index())
    return say(ax, f"share of every part in each of {df.shape[1]} cells, {x} by {x}; means: {means}.")
