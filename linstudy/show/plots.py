"""The book's figures: a table in, the axes it was drawn on out; nothing global is set unless `style` is called."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from .words import axis_label, label, need, typeset

RANGE = ("pi", 100)
"""The spread drawn around a mean: from the smallest value to the largest."""
GREY = "0.4"
UNRELATED = "unrelated data"


def style() -> None:
    """Give every figure from here on the book's look; inside ``plt.rc_context()`` it ends with the block.

    Its size and its letters are chosen together: on a phone 375 px wide, where a figure gets 310, they are of 11 px.
    """
    plt.rcParams.update(sns.axes_style("whitegrid"))
    plt.rcParams.update(
        {
            "axes.edgecolor": "0.3",
            "axes.labelsize": 12,
            "axes.prop_cycle": plt.cycler(color=sns.color_palette("colorblind")),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 12,
            "figure.constrained_layout.use": True,
            "figure.dpi": 144,
            "figure.figsize": (4.5, 3.1),
            "font.sans-serif": ["DejaVu Sans", "Arial"],  # the first comes with matplotlib: one layout on every machine
            "font.size": 12,
            "legend.fontsize": 11.5,
            "lines.linewidth": 1.8,
            "svg.fonttype": "none",
            "svg.hashsalt": "linstudy",
            "xtick.bottom": True,
            "xtick.labelsize": 11.5,
            "ytick.labelsize": 11.5,
        }
    )


def profile_plot(
    df: pd.DataFrame,
    *,
    x: str = "layer",
    y: str = "linearity",
    hue: str | None = None,
    ax: Axes | None = None,
    floor: bool = True,
    control: pd.DataFrame | None = None,
    errorbar=RANGE,
) -> Axes:
    """Draw one column of a profile against the layer, a line for each value of `hue`.

    Rows of the same layer and hue (seeds, shards) are averaged; `errorbar`, in seaborn's words, is the band around
    the mean. Under a raw score lies a grey band from 0 to its `floor`, what unrelated data would score. `control` is
    the table of the same model with random weights. The legend stands above the axes.
    """
    need(df, x, y, *([hue] if hue else []))
    ax = plt.gca() if ax is None else ax
    _lines(df, x=x, y=y, hue=hue, ax=ax, errorbar=errorbar)
    if control is not None:
        need(control, x, y)
        sns.lineplot(control, x=x, y=y, ax=ax, errorbar=errorbar, color=GREY, linestyle="--", label="random weights")
    if floor and y.endswith("_raw") and "floor" in df.columns:
        floors = df.pivot_table(index=x, columns=hue, values="floor") if hue else df.groupby(x)[["floor"]].mean()
        for i, (_, height) in enumerate(floors.T.drop_duplicates().iterrows()):
            ax.fill_between(height.index, 0, height, color=GREY, alpha=0.2, linewidth=0, label=None if i else UNRELATED)
    if "linearity" in y:
        _score_axis(ax)
    if x == "layer":
        layers = sorted(df[x].unique())
        ax.set_xticks([layer for layer in layers if layer % math.ceil(len(layers) / 10) == 0])
    ax.set(xlabel=axis_label(x, 40), ylabel=axis_label(y))
    _legend(ax, title=label(hue) if hue and pd.api.types.is_numeric_dtype(df[hue]) else None)
    return ax


def sweep_plot(
    df: pd.DataFrame,
    *,
    x: str = "tokens",
    y: Sequence[str] = ("linearity_raw", "linearity", "linearity_heldout"),
    truth: float | None = None,
    truth_label: str = "true value",
    floor: bool = True,
    ax: Axes | None = None,
    errorbar=RANGE,
) -> Axes:
    """Draw scores against the number of tokens they were measured on, on a log axis.

    Shows the raw score's bias and how the others correct it: its `floor` d/(n-1) is the grey curve, `truth` the
    horizontal line all of them should find.
    """
    need(df, x, *y)
    ax = plt.gca() if ax is None else ax
    names = {column: label(column).rstrip(")").split(" (") for column in y}  # "linearity, LS", "raw"
    one_score = len({name[0] for name in names.values()}) == 1
    legend = {column: name[-1] if one_score else label(column) for column, name in names.items()}
    long = df.melt(x, list(y), "score").replace({"score": legend})
    _lines(long, x=x, y="value", hue="score", ax=ax, errorbar=errorbar)
    if truth is not None:
        ax.axhline(truth, color="black", linewidth=1, label=truth_label)
    if floor and "floor" in df.columns:
        height = df.groupby(x)["floor"].mean()
        ax.plot(height.index, height, color=GREY, linestyle=":", label=UNRELATED)
    ax.set_xscale("log")
    wide = df[x].max() > 100 * df[x].min()
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    _score_axis(ax)
    ax.set(xlabel=axis_label(x, 40), ylabel=typeset(names[y[0]][0]) if one_score else "share explained")
    _legend(ax)
    return ax


def known_answers_plot(
    df: pd.DataFrame, *, x: str = "answer", y: str = "linearity", hue: str | None = "data", ax: Axes | None = None
) -> Axes:
    """Draw measured scores against the known answers of made-up data; what is right lies on the diagonal.

    Rows of the same answer and hue (seeds) are one point, their mean, with a bar from the smallest to the largest.
    """
    need(df, x, y, *([hue] if hue else []))
    ax = plt.gca() if ax is None else ax
    ends = [min(0.0, df[x].min(), df[y].min()), 1.0]
    ax.plot(ends, ends, color=GREY, linewidth=1, label="exact")
    groups = list(df.groupby(hue, sort=False)) if hue else [(None, df)]
    colors = sns.color_palette("colorblind", len(groups))
    for (name, part), color, marker in zip(groups, colors, _markers(len(groups)), strict=True):
        point = part.groupby(x)[y].agg(["mean", "min", "max"])
        bars = [point["mean"] - point["min"], point["max"] - point["mean"]]
        ax.errorbar(
            point.index, point["mean"], bars, fmt=marker, color=color, markeredgecolor="white", capsize=3, label=name
        )
    ax.set(xlabel=f"known answer of {label(y).split(' (')[0]}", ylabel=axis_label(y))
    _legend(ax)
    return ax


def update_plane(df: pd.DataFrame, *, hue: str | None = "model", ax: Axes | None = None) -> Axes:
    """Draw each layer by how large its update is and how linear, on the lines of equal LS.

    The identity 1 - LS = (1 - LS_res) · update_ratio, exact for raw scores, puts LS near 1 wherever the update is
    small. Points of a model are joined in the order of the layers; the first is numbered.
    """
    x, y = "update_ratio", "update_linearity_raw"
    need(df, "layer", x, y, *([hue] if hue else []))
    ax = plt.gca() if ax is None else ax
    groups = list(df.groupby(hue, sort=False)) if hue else [(None, df)]
    colors = sns.color_palette("colorblind", len(groups))
    for (name, part), color, marker in zip(groups, colors, _markers(len(groups)), strict=True):
        part = part.groupby("layer")[[x, y]].mean()
        ax.plot(part[x], part[y], color=color, marker=marker, markeredgecolor="white", linewidth=1, label=name)
        ax.annotate(str(part.index[0]), part.iloc[0], (5, 5), textcoords="offset points", color=color)
    ax.margins(x=0.1)
    ax.set_xscale("log")
    (left, right), bottom = ax.get_xlim(), min(0.0, df[y].min())
    for score in (0, 0.5, 0.9, 0.99, 0.999, 0.9999):
        start = (1 - score) / (1 - bottom)
        if left < start < right:
            ratio = np.geomspace(start, right, 100)
            ax.plot(ratio, 1 - (1 - score) / ratio, color=GREY, linewidth=0.8, zorder=0)
            ax.text(start, bottom, f" LS = {score:g}", rotation=90, ha="right", va="bottom", fontsize=10, color=GREY)
    ax.set(xlim=(left, right), ylim=(bottom, 1.02), xlabel=axis_label(x, 40), ylabel=axis_label(y))
    _legend(ax)
    return ax


def _lines(df: pd.DataFrame, *, x: str, y: str, hue: str | None, ax: Axes, errorbar) -> None:
    """Draw lines that differ in colour, marker and dashes, so that colour is never the only difference."""
    few = df[x].nunique() <= 16
    shape = {"markersize": 6 if few else 4, "markeredgewidth": 0.75 if few else 0}
    if hue is None:
        color = sns.color_palette("colorblind")[0]
        sns.lineplot(df, x=x, y=y, ax=ax, errorbar=errorbar, marker="o", color=color, **shape)
        return
    colors = sns.color_palette("crest" if pd.api.types.is_numeric_dtype(df[hue]) else "colorblind", df[hue].nunique())
    shape |= {"markers": True, "palette": colors, "legend": "full"}
    sns.lineplot(df, x=x, y=y, hue=hue, style=hue, ax=ax, errorbar=errorbar, **shape)


def _markers(count: int) -> list[str]:
    return [("o", "X", "s", "P", "D", "^", "v", "*")[i % 8] for i in range(count)]


def _score_axis(ax: Axes) -> None:
    """Show 0 to 1, so that scores of different figures compare by eye; further only if a score is."""
    ax.set_ylim(min(0.0, ax.dataLim.y0 - 0.02), max(1.02, ax.dataLim.y1))


def _legend(ax: Axes, title: str | None = None) -> None:
    """Put the legend above the axes, where it covers no data; in two columns unless a name is long."""
    handles, names = ax.get_legend_handles_labels()
    if ax.get_legend():
        ax.get_legend().remove()
    if names:
        columns = 1 if max(map(len, names)) > 22 else 2
        # Somewhat to the left, over the ticks' letters, or two columns would not fit.
        corner = ax.transAxes + ScaledTranslation(-0.35, 0, ax.figure.dpi_scale_trans)
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "bbox_transform": corner, "alignment": "left"}
        look = {"columnspacing": 1, "handlelength": 1.8, "frameon": False, "borderpad": 0}
        ax.legend(handles, names, title=title, ncols=columns, **place, **look)
