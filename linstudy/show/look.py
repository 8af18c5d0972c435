"""What the figures share: their look, lines that can be told apart without colour, a legend that covers nothing."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from .words import axis_label, keep, label, need, plain, say

RANGE = ("pi", 100)  # the spread drawn around a mean: from the smallest value to the largest
GREY = "0.4"
NEAREST = 1e-7  # a score that is nearer to 1 than this is drawn here: rounding moves it


def style() -> None:
    """Give every figure from here on the book's look; inside ``plt.rc_context()`` it ends with the block.

    Its size and its letters are chosen together: on a phone 375 px wide, where a figure gets 310, they are of 11 px.
    """
    plt.style.use(f"{__package__}.book")


def draw_lines(df: pd.DataFrame, *, x: str, y: str, hue: str | None, ax: Axes) -> None:
    """Draw means in a band over their range, in lines that differ in colour, marker and dashes, not in colour alone."""
    few = df[x].nunique() <= 16
    shape = {"markersize": 6 if few else 4, "markeredgewidth": 0.75 if few else 0}
    if hue is None:
        color = sns.color_palette("colorblind")[0]
        sns.lineplot(df, x=x, y=y, ax=ax, errorbar=RANGE, marker="o", color=color, **shape)
        return
    colors = sns.color_palette("crest" if pd.api.types.is_numeric_dtype(df[hue]) else "colorblind", df[hue].nunique())
    shape |= {"markers": True, "palette": colors, "legend": "full"}
    sns.lineplot(df, x=x, y=y, hue=hue, style=hue, ax=ax, errorbar=RANGE, **shape)


def markers(count: int) -> list[str]:
    """Give the first so many markers, beginning anew after eight."""
    return [("o", "X", "s", "P", "D", "^", "v", "*")[i % 8] for i in range(count)]


def looks(names: Iterable[Any]) -> Iterator[tuple[Any, tuple, str]]:
    """Give every name a colour and a marker."""
    names = list(names)
    return zip(names, sns.color_palette("colorblind", len(names)), markers(len(names)), strict=True)


def begin(ax: Axes | None, df: pd.DataFrame, *columns: str | None) -> Axes:
    """Check that a table has these columns, keep them, and return the axes to draw them on: by default the last."""
    need(df, *(column for column in columns if column))
    ax = plt.gca() if ax is None else ax
    keep(ax, df, *columns)
    return ax


def finish(ax: Axes, x: str, y: str, words: str, *, hue: pd.Series | None = None, nines: bool = False) -> Axes:
    """Name the axes, show a score from 0 to 1, put the legend above (titled where `hue` is numbers), keep the words.

    With `nines` the axis of LS is a log axis of 1 - LS.
    """
    if "linearity" in y:
        score_axis(ax)
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    if nines and y.startswith("linearity"):
        nines_axis(ax)
    place_legend(ax, title=label(hue.name) if hue is not None and pd.api.types.is_numeric_dtype(hue) else None)
    return say(ax, words)


def score_axis(ax: Axes) -> None:
    """Show 0 to 1, so that scores of different figures compare by eye; further only if a score is."""
    ax.set_ylim(min(0.0, ax.dataLim.y0 - 0.02), max(1.02, ax.dataLim.y1))


def nines_axis(ax: Axes) -> None:
    """Make the upright axis one of scores near 1: equal steps are equal factors of what is left of the score to 1."""
    low, high = min(0.0, ax.dataLim.y0), min(ax.dataLim.y1, 1 - NEAREST)
    ax.set_yscale("function", functions=(lambda y: -np.log10(np.maximum(1 - y, NEAREST)), lambda z: 1 - 10.0**-z))
    ticks = [tick for tick in (0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999) if tick <= high]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_ylim(low, 1 - (1 - high) / 1.5)
    ax.set_ylabel(f"{ax.get_ylabel()}\n(log axis of 1 − LS)")


def log_axis(axis: Axis, *, wide: bool, form: str = "{x:,.6g}") -> None:
    """Write plain numbers along a log axis: powers of ten, and unless it is `wide` 2 and 5 between them."""
    axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter(form))
    axis.set_minor_formatter(NullFormatter())


def cost_axis(ax: Axes) -> None:
    """Make the upright axis a log axis with plain numbers, as finely as the drawn costs need."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    log_axis(ax.yaxis, wide=bool(high > 100 * low))


def place_legend(ax: Axes, *, title: str | None = None, back: float = 0.35) -> None:
    """Put the legend above the axes, where it covers no data; in as many columns as there is room for.

    It begins `back` inches left of the axes, over the letters of the ticks, or two columns would not fit. A figure of
    one axes gets higher by what the legend takes beyond two rows, or little would be left of the axes.
    """
    handles, names = ax.get_legend_handles_labels()
    names = [plain(name) for name in names]
    if ax.get_legend():
        ax.get_legend().remove()
    if names:
        corner = ax.transAxes + ScaledTranslation(-back, 0, ax.figure.dpi_scale_trans)
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "bbox_transform": corner, "alignment": "left"}
        look = {"columnspacing": 1, "handlelength": 1.8, "frameon": False, "borderpad": 0}
        columns = _columns(ax, names)
        drawn = ax.legend(handles, names, title=title, ncols=columns, **place, **look)
        rows = math.ceil(len(names) / columns) + bool(title)
        if rows > 2 and len(ax.figure.axes) == 1:
            line = 1.65 * drawn.get_texts()[0].get_fontsize() / 72
            ax.figure.set_figheight(ax.figure.get_figheight() + (rows - 2) * line)


def text_width(text: str, size: float) -> float:
    """Return how wide a text is, in points, in letters of `size` points."""
    return TextPath((0, 0), text, size=size).get_extents().width


def _columns(ax: Axes, names: list[str]) -> int:
    """Say how many columns of names, up to four, fit above the axes; measured in points."""
    em = FontProperties(size=plt.rcParams["legend.fontsize"]).get_size_in_points()
    width = [text_width(name, em) + 3.7 * em for name in names]  # with its handle and the gaps around them
    grid, before = ax.get_subplotspec(), 30 + 17 * ax.get_ylabel().count("\n")
    room = 72 * ax.figure.get_figwidth() / (grid.get_gridspec().ncols if grid else 1) - before
    counts = range(min(4, len(names)), 1, -1)
    return next((n for n in counts if sum(part.max() for part in np.array_split(width, n)) - em < room), 1)
