"""Draws how the errors of single tokens are spread, layer by layer, down to the rarest."""

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from scipy.special import gammaincc

from linstudy.show.look import GREY, log_axis, place_legend
from linstudy.show.words import axis_label, keep, label, need, number, say, title

GROUND = {"boxstyle": "round,pad=0.05", "facecolor": "white", "edgecolor": "none"}
POINTS = 60
"""On how many points a curve is drawn, evenly spread over the orders of magnitude of the share."""


def tail_plot(df: pd.DataFrame, *, dims: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the share of tokens with at least a given ``relative_error``, one curve a layer, with its number on it.

    A row of `df` is a token of a layer. Both axes are logarithmic: a thin tail falls like a cliff, a long one runs out
    to the right. With `dims` the errors are divided by the root of their mean square, curve by curve, so that only
    shapes differ; the dashed curve is then the one of a Gaussian error in that many dimensions, equal and independent
    (a chi distribution).
    """
    x, hue = "relative_error", "layer"
    groups = _errors(df, x, hue)
    words = _in_words(groups, x, hue)
    ax = plt.gca() if ax is None else ax
    if dims:
        groups = {name: errors / math.sqrt(np.mean(errors**2)) for name, errors in groups.items()}
    count = max(map(len, groups.values()))
    named = np.geomspace(0.3, 4 / count, len(groups))  # at a height of its own each, so that names keep apart
    colors = sns.color_palette("viridis", round(1.25 * len(groups)))  # without the yellow end, too faint on white
    curves = []
    for i, ((name, errors), color) in enumerate(zip(groups.items(), colors, strict=False)):
        ranks = np.unique(np.geomspace(1, len(errors), POINTS).round().astype(int))
        values, shares = errors[len(errors) - ranks], ranks / len(errors)
        curves.append(pd.DataFrame({hue: name, "error": values, "share": shares}))
        ends = i in (0, len(groups) - 1)  # the legend need not repeat every name
        ax.plot(values, shares, color=color, label=f"{label(hue)} {name}" if ends else None)
        if len(groups) <= 12 or i % math.ceil(len(groups) / 12) == 0:
            at = np.interp(named[i], shares, values), named[i]
            ax.text(*at, str(name), color=color, fontsize=11, ha="center", va="center", bbox=GROUND)
    ax.set(xscale="log", yscale="log")
    left = 0.8 * min(np.quantile(errors[errors > 0], 0.01) for errors in groups.values())
    right = ax.get_xlim()[1]
    if dims:
        at = np.geomspace(left, right, 400)
        ax.plot(at, gammaincc(dims / 2, dims * at**2 / 2), color=GREY, linestyle="--", label="Gaussian")
    ax.set(xlim=(left, right), ylim=(0.7 / count, 1.3), ylabel="share of tokens")
    ax.set_xlabel("error (1: root mean square of the layer)" if dims else axis_label(x, 40))
    log_axis(ax.xaxis, wide=bool(right > 100 * left))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    place_legend(ax)
    keep(ax, pd.concat(curves, ignore_index=True))
    return say(ax, words)


def _in_words(groups: dict[Any, np.ndarray], x: str, hue: str) -> str:
    """Tell of the first curve, the last, and that of the longest tail."""
    length = {name: float(errors[-1] / np.median(errors)) for name, errors in groups.items()}
    longest = max(length, key=length.get)
    said = []
    for name in dict.fromkeys((next(iter(groups)), next(reversed(groups)), longest)):
        half, hundredth, largest = (number(value) for value in np.quantile(groups[name], (0.5, 0.99, 1)))
        what = f"{label(hue)} {name}" + (", the longest tail" if name == longest and len(groups) > 1 else "")
        said.append(f"{what}: half of the tokens {half} or more, one in a hundred {hundredth}, the largest {largest}")
    return (
        f"{title(label(x).split(',')[0])} of the tokens, {len(groups)} curves, one a {label(hue)}: {'; '.join(said)}."
    )


def _errors(df: pd.DataFrame, x: str, hue: str) -> dict[Any, np.ndarray]:
    """Give the errors of each curve, in rising order."""
    need(df, x, hue)
    groups = {name: np.sort(part[x].dropna().to_numpy(dtype=float)) for name, part in df.groupby(hue)}
    for name, errors in groups.items():
        if not (errors > 0).any() or errors[0] < 0:
            raise ValueError(f"the {x} of {label(hue)} {name} cannot be drawn on a log axis: errors above 0 are needed")
    return groups
