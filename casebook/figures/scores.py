"""Draws scores beside what they should be: with something left out, by number of tokens, and where LS is known."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from linstudy.show import profile_plot
from linstudy.show.look import GREY, begin, draw_lines, log_axis, looks, place_legend, score_axis
from linstudy.show.plots import UNRELATED
from linstudy.show.words import axis_label, keep, label, lines_in_words, number, say, title, typeset

# What knows less than a probe of a trained model, in black: what a figure calls it, and its line.
KNOW_LESS = {"constant": ("constant", "-"), "probe, mean of the embeddings": ("words alone", ":")}


def ablation_plot(df: pd.DataFrame, *, y: str = "linearity", hue: str = "ablation", ax: Axes | None = None) -> Axes:
    """Draw a score against the layer as it is, and again with something left out, a line for each `hue`.

    The first `hue` of the table is the score as it is: a broad grey line, and what stays on it has changed nothing. If
    the table has the score of standardised features too (``linearity_standardised``), that is one line more.
    """
    ax = begin(ax, df, "layer", y, hue)
    whole = df[df[hue] == df[hue].iloc[0]]
    mean = whole.groupby("layer")[y].mean()
    ax.plot(mean.index, mean, color="0.75", linewidth=7, solid_capstyle="round", zorder=1, label=whole[hue].iloc[0])
    changed = [df[df[hue] != df[hue].iloc[0]]]
    if f"{y}_standardised" in df.columns:
        changed.append(whole.assign(**{hue: "features standardised", y: whole[f"{y}_standardised"]}))
    profile_plot(pd.concat(changed), y=y, hue=hue, ax=ax)
    every = pd.concat([whole, *changed], ignore_index=True)
    keep(ax, every, hue, "layer", y)
    return say(ax, lines_in_words(every, x="layer", y=y, hue=hue))


def sweep_plot(
    df: pd.DataFrame,
    *,
    y: Sequence[str] = ("linearity_raw", "linearity", "linearity_heldout"),
    truth: float | None = None,
    truth_label: str = "true value",
    ax: Axes | None = None,
) -> Axes:
    """Draw scores against the number of tokens they were measured on, on a log axis.

    Shows the raw score's bias and how the others correct it: its `floor` d/(n-1) is the grey curve, `truth` the
    horizontal line all of them should find.
    """
    ax = begin(ax, df, "tokens", *y)
    names = {column: label(column).rstrip(")").split(" (") for column in y}  # "linearity, LS", "raw"
    one_score = len({name[0] for name in names.values()}) == 1
    legend = {column: name[-1] if one_score else label(column) for column, name in names.items()}
    long = df.melt("tokens", list(y), "score").replace({"score": legend})
    draw_lines(long, x="tokens", y="value", hue="score", ax=ax)
    if truth is not None:
        ax.axhline(truth, color="black", linewidth=1, label=truth_label)
    if "floor" in df.columns:
        height = df.groupby("tokens")["floor"].mean()
        ax.plot(height.index, height, color=GREY, linestyle=":", label=UNRELATED)
    ax.set_xscale("log")
    log_axis(ax.xaxis, wide=bool(df["tokens"].max() > 100 * df["tokens"].min()), form="{x:,.0f}")
    score_axis(ax)
    what = names[y[0]][0] if one_score else "share explained"
    ax.set(xlabel=axis_label("tokens", 40), ylabel=typeset(what))
    place_legend(ax)
    said = [f"{legend[column]} {_from_to(df.groupby('tokens')[column].mean())}" for column in y]
    exact = f"; {truth_label} {number(truth)}" if truth is not None else ""
    return say(ax, f"{title(what)} by {label('tokens')}, on a log axis: {'; '.join(said)}{exact}.")


def known_answers_plot(df: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw LS against the known ``answer`` of made-up ``data``; what is right lies on the diagonal.

    Rows of the same answer and data (seeds) are one point, their mean, with a bar from the smallest to the largest.
    """
    x, y = "answer", "linearity"
    ax = begin(ax, df, x, y, "data")
    ends = [min(0.0, df[x].min(), df[y].min()), 1.0]
    ax.plot(ends, ends, color=GREY, linewidth=1, label="exact")
    groups = dict(list(df.groupby("data", sort=False)))
    for name, color, marker in looks(groups):
        point = groups[name].groupby(x)[y].agg(["mean", "min", "max"])
        bars = [point["mean"] - point["min"], point["max"] - point["mean"]]
        ax.errorbar(
            point.index, point["mean"], bars, fmt=marker, color=color, markeredgecolor="white", capsize=3, label=name
        )
    known = f"known answer of {label(y).split(' (')[0]}"
    ax.set(xlabel=known, ylabel=axis_label(y))
    place_legend(ax)
    off = (df[y] - df[x]).abs().max()
    said = [f"{name} {_from_to(part.groupby(x)[y].mean())}" for name, part in groups.items()]
    return say(ax, f"{title(label(y))} by {known}: {'; '.join(said)}; off by {number(off)} at most.")


def _from_to(means: pd.Series) -> str:
    return f"{number(means.iloc[0])} at {means.index[0]:,g} to {number(means.iloc[-1])} at {means.index[-1]:,g}"


def probe_plot(df: pd.DataFrame, *, hue: str) -> Axes:
    """Draw the ``accuracy`` of probes by layer, beside what knows less: random weights, words alone, a constant.

    ``predictor`` says which of these a row is of ("probe" for the models' own).
    """
    of, ax = dict(list(df.groupby("predictor"))), plt.figure(figsize=(4.5, 3.6)).gca()
    for predictor, (name, line) in KNOW_LESS.items():
        ax.axhline(of[predictor].accuracy.mean(), label=name, color="black", linewidth=1, linestyle=line)
    return profile_plot(of["probe"], y="accuracy", hue=hue, control=of["probe of random weights"], ax=ax)
