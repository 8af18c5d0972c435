"""Draws the identity 1 - LS = (1 - LS_res) · update ratio as a plane, with the layers of models on it."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from linstudy.show.look import GREY, log_axis, looks, place_legend
from linstudy.show.words import axis_label, keep, need, number, say

SCORES = (0, 0.5, 0.9, 0.99, 0.999, 0.9999)
"""The values of LS whose lines are drawn."""
SHADE = "#1f5fa8"
STRIP = 0.13  # below the scores, where the lines are named
X, Y, HEIGHT = "update_ratio", "update_linearity", "linearity"


def identity_plane(
    df: pd.DataFrame,
    *,
    hue: str | None = "model",
    highlight: tuple[Any, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each layer by how large its update is and how linear, over the plane of LS that follows from the two.

    By the identity 1 - LS = (1 - LS_res) · update ratio, exact for the adjusted scores drawn here and for the raw
    ones, LS is near 1 wherever the update is small: upwards and to the left the plane gets darker, and each line has
    one LS. Points of a model are joined in the order of its layers, the first is numbered; rows of the same layer
    (seeds, texts) are averaged. `highlight`, a value of `hue` and a layer, writes the three numbers of one layer beside
    it and lets the other models fade. What is drawn around it stays the same, for pictures that take turns.
    """
    tracks = _tracks(df, hue)
    marked = _marked(tracks, highlight)
    ax = plt.gca() if ax is None else ax
    for name, color, marker in looks(tracks):
        part = tracks[name]
        look = {"color": color, "alpha": 1 if marked is None or name == highlight[0] else 0.35}
        ax.plot(part[X], part[Y], marker=marker, markeredgecolor="white", linewidth=1, label=name, **look)
        ax.annotate(str(part.index[0]), part.iloc[0][[X, Y]], (5, 4), textcoords="offset points", fontsize=11, **look)
    ax.set_xscale("log")
    ax.margins(x=0.12)
    left, right = ax.get_xlim()
    low = min(0.0, min(part[Y].min() for part in tracks.values()))
    ax.set(xlim=(left, right), ylim=(low - STRIP, 1.02), xlabel=axis_label(X, 40), ylabel=axis_label(Y))
    ax.set_yticks([tick for tick in ax.get_yticks() if low - 1e-9 <= tick < 1.01])
    log_axis(ax.xaxis, wide=bool(right > 100 * left))
    _levels(ax)
    if marked is not None:
        _note(ax, marked, highlight[1])
    place_legend(ax)
    keep(ax, (pd.concat(tracks, names=[hue]) if hue else tracks[None]).reset_index())
    return say(ax, _in_words(tracks, hue, highlight, marked))


NAMES = {"update ratio": X, "LS_res": Y, "LS": HEIGHT}


def _in_words(
    tracks: dict[Any, pd.DataFrame], hue: str | None, highlight: tuple[Any, Any] | None, marked: pd.Series | None
) -> str:
    """Tell the range of each model's numbers; of a highlight, the identity in its numbers."""
    if marked is not None:
        name = f"{highlight[0]}, " if hue else ""
        ls, res, ratio = (number(marked[column]) for column in (HEIGHT, Y, X))
        return (
            f"{name}layer {highlight[1]}, on the plane of LS over update linearity and update ratio: LS is {ls}, since "
            f"1 - {ls} = (1 - {res}) · {ratio}, where LS_res is {res} and the update ratio {ratio}."
        )
    said = [
        (f"{name}: " if hue else "") + ", ".join(f"{what} {_span(part[column])}" for what, column in NAMES.items())
        for name, part in tracks.items()
    ]
    return f"The layers on the plane of LS over update linearity and update ratio: {'; '.join(said)}."


def _span(values: pd.Series) -> str:
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"{low} to {high}"


def _tracks(df: pd.DataFrame, hue: str | None) -> dict[Any, pd.DataFrame]:
    """Give the means of each layer, model by model, in the order of the table."""
    need(df, "layer", X, Y, HEIGHT, *([hue] if hue else []))
    groups = df.groupby(hue, sort=False) if hue else [(None, df)]
    return {name: part.groupby("layer")[[X, Y, HEIGHT]].mean() for name, part in groups}


def _marked(tracks: dict[Any, pd.DataFrame], highlight: tuple[Any, Any] | None) -> pd.Series | None:
    if highlight is None:
        return None
    name, layer = highlight
    if name not in tracks:
        raise ValueError(f"highlight names {name!r}, and the table has {', '.join(map(repr, tracks))}")
    if layer not in tracks[name].index:
        raise ValueError(f"highlight names layer {layer!r} of {name!r}, which has {list(tracks[name].index)}")
    return tracks[name].loc[layer]


def _levels(ax: Axes) -> None:
    """Shade the plane and draw the lines of equal LS below the data, named in the strip at the bottom."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    said = "LS "
    for score in reversed(SCORES):
        start = (1 - score) / (1 - bottom)
        if start >= right:
            continue
        ratio = np.geomspace(max(start, left), right, 18)
        curve = 1 - (1 - score) / ratio
        ax.fill(
            [left, *ratio, right, left], [curve[0], *curve, top, top], color=SHADE, alpha=0.09, linewidth=0, zorder=-1
        )
        ax.plot(ratio, curve, color=GREY, linewidth=0.8, zorder=0)
        words = {"fontsize": 10.5, "color": "0.25"}
        if start > left:
            ax.text(start, bottom, f"{said}{score:g}", ha="right", va="bottom", **words)
        elif curve[0] < 0.9:
            ax.text(left, curve[0], f" {said}{score:g}", ha="left", va="top", **words)
        else:  # too near the top
            continue
        said = ""


def _note(ax: Axes, marked: pd.Series, layer: Any) -> None:
    """Ring a layer and write its numbers on the side where there is room."""
    across, up = ax.transAxes.inverted().transform(ax.transData.transform(marked[[X, Y]]))
    ax.plot(*marked[[X, Y]], marker="o", markersize=13, markerfacecolor="none", markeredgecolor="black", linestyle="")
    words = [f"layer {layer}", *(f"{name.split()[-1]} {number(marked[of])}" for name, of in NAMES.items())]
    ax.annotate(
        "\n".join(words).replace("LS_res", r"LS$_\mathrm{res}$"),
        marked[[X, Y]],
        (12 if across < 0.5 else -12, -8 if up > 0.5 else 8),
        textcoords="offset points",
        ha="left" if across < 0.5 else "right",
        va="top" if up > 0.5 else "bottom",
        fontsize=11,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "0.6", "alpha": 0.9},
    )
