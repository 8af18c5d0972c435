"""Draws what happens in training: a number along the steps, and a loss for every learning rate."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, SymmetricalLogLocator

from .look import RANGE, draw_lines, log_axis, markers, place_legend, score_axis
from .words import axis_label, label, need


def steps_plot(
    df: pd.DataFrame, *, y: str, x: str = "step", hue: str | None = None, ax: Axes | None = None, errorbar=RANGE
) -> Axes:
    """Draw a number along training, a line for each `hue`, its rows of one step (seeds, layers) averaged.

    Steps are on a log axis that has room for step 0, the model as it was drawn.
    """
    need(df, x, y, *([hue] if hue else []))
    ax = plt.gca() if ax is None else ax
    draw_lines(df, x=x, y=y, hue=hue, ax=ax, errorbar=errorbar)
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    ax.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(-0.3, 1.3 * df[x].max())
    if "linearity" in y:
        score_axis(ax)
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    place_legend(ax, title=label(hue) if hue and pd.api.types.is_numeric_dtype(df[hue]) else None)
    return ax


def rates_plot(
    df: pd.DataFrame, *, hue: str, x: str = "rate", y: str = "validation_nats", ax: Axes | None = None
) -> Axes:
    """Draw a loss against the learning rate, a line for each `hue`, with a ring around the lowest of each.

    Runs that diverged have no loss and are left out: a line ends before them.
    """
    need(df, x, y, hue)
    ax = plt.gca() if ax is None else ax
    groups = list(df.dropna(subset=y).groupby(hue, sort=False))
    looks = zip(sns.color_palette("colorblind", len(groups)), markers(len(groups)), strict=True)
    for (name, part), (color, marker) in zip(groups, looks, strict=True):
        means = part.groupby(x)[y].mean()
        ax.plot(means.index, means, marker=marker, color=color, markeredgecolor="white", markersize=6, label=name)
        ax.plot(means.idxmin(), means.min(), "o", markersize=11, markerfacecolor="none", markeredgecolor=color)
    ax.set_xscale("log")
    log_axis(ax.xaxis, wide=False)
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    place_legend(ax)
    return ax


def rates_alt(df: pd.DataFrame, *, hue: str, x: str = "rate", y: str = "validation_nats") -> str:
    """Say in words what `rates_plot` draws of the same table: the best rate of each line and its loss."""
    need(df, x, y, hue)
    said = []
    for name, part in df.dropna(subset=y).groupby(hue, sort=False):
        means = part.groupby(x)[y].mean()
        said.append(f"{name}: lowest {means.min():.3f} at {means.idxmin():g}")
    return f"{label(y)} by {label(x)}, one line a {label(hue)}: {'; '.join(said)}."
