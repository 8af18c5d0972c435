"""Checks of chapter 3: where one begins to look, what few seeds allow, and fair controls."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from .answers import compared


def peak(highest: Callable) -> str | None:
    """Average over seeds and layers for each step, and ask at which step that mean is highest."""
    steps, layers, seeds = [0, 1, 4, 16, 64], [1, 2, 3], [0, 1]
    means = dict(zip(steps, (0.30, 0.45, 0.60, 0.55, 0.20), strict=True))
    rows = [
        {"step": step, "layer": layer, "seed": seed, "update_linearity": mean + 0.1 * (layer - 2) + 0.01 * seed}
        for step, mean in means.items()
        for layer in layers
        for seed in seeds
    ]
    runs = pd.DataFrame(rows).sort_values(["seed", "layer", "step"], ignore_index=True)
    tall = (runs.step == 16) & (runs.layer == 3)
    runs.loc[tall, "update_linearity"] += 0.2
    runs.loc[(runs.step == 16) & (runs.layer == 1), "update_linearity"] -= 0.2
    mistakes = {
        "There one layer of one seed is highest. Average first, then look for the highest.": 16,
        "This is a place in the list of steps. Which step stands there?": 2,
        "This is the row of the table, not its step.": int(runs.update_linearity.idxmax()),
        "That is the last step: where it ends, not where it is highest.": 64,
        "That is the height of the peak. At which step is it?": means[4] + 0.005,
    }
    return compared(highest(runs.copy()), 4, mistakes, otherwise="`groupby` the step, take the mean, then `idxmax`.")


def split(parts: Callable) -> str | None:
    """Take the difference, after less before, of ln(1 - LS_res), and of ln(update ratio)."""
    before, after = (0.4, 0.9), (0.7, 1.2)  # LS_res and ratio
    owed = math.log((1 - after[0]) / (1 - before[0])), math.log(after[1] / before[1])
    mistakes = {
        "Before and after have changed places: the signs are turned.": [-value for value in owed],
        "The logarithm is of 1 - LS_res, what is *not* linear, since that is what the identity multiplies.": [
            math.log(after[0] / before[0]),
            owed[1],
        ],
        "These are logarithms to base 10: the formula has natural ones.": [value / math.log(10) for value in owed],
        "These are differences. Only their logarithms add up to that of 1 - LS.": [
            before[0] - after[0],
            after[1] - before[1],
        ],
        "The right two numbers, in the wrong order: linearity first.": owed[::-1],
    }
    otherwise = "Their sum must be the change of ln(1 - LS), with 1 - LS = (1 - LS_res) * ratio before and after."
    return compared(parts(before, after), owed, mistakes, otherwise=otherwise)


def interval(bounds: Callable) -> str | None:
    """Go from the mean, both ways, by the t quantile of n - 1 degrees times the standard error."""
    values = np.array([0.10, 0.16, 0.07, 0.13])
    n, mean, deviation = len(values), values.mean(), values.std(ddof=1)

    def about(reach: float) -> tuple[float, float]:
        return mean - reach, mean + reach

    error = deviation / math.sqrt(n)
    mistakes = {
        "1.96 is for many seeds. With so few the deviation is itself uncertain: take Student's t.": about(
            norm.ppf(0.975) * error
        ),
        "The deviation of n values about their own mean is divided by n - 1, not by n.": about(
            t.ppf(0.975, n - 1) * values.std() / math.sqrt(n)
        ),
        "This is where one more seed would lie. The mean of n is surer, by the root of n.": about(
            t.ppf(0.975, n - 1) * deviation
        ),
        "This leaves out 5 % at each end. For 95 % it is 2.5 % at each.": about(t.ppf(0.95, n - 1) * error),
        "Of n values n - 1 degrees of freedom are left.": about(t.ppf(0.975, n) * error),
        "That is the range of the seeds, which grows with every seed instead of shrinking.": (
            values.min(),
            values.max(),
        ),
        "That is one standard error about the mean: 95 % asks for more.": about(error),
    }
    right = about(t.ppf(0.975, n - 1) * error)
    otherwise = "Two numbers, the mean less and the mean plus `t.ppf(0.975, n - 1)` standard errors."
    return compared(bounds(values.copy()), right, mistakes, otherwise=otherwise, within=1e-4)


def paired(effect: Callable) -> str | None:
    """Subtract within each seed, leave out a seed that has no partner, and average what is left."""
    rows = [("true", 0, 0.20), ("true", 1, 0.40), ("true", 2, 0.90)]
    rows += [("shuffled", 1, 0.30), ("shuffled", 0, 0.05), ("shuffled", 3, 0.00)]
    runs = pd.DataFrame(rows, columns=["labels", "seed", "change"])
    means = runs.groupby("labels").change.mean()
    mistakes = {
        "These are the means of different seeds: seed 2 has no partner, and it decides.": means.true - means.shuffled,
        "Shuffled less true: turn the sign, what the labels add is asked for.": -0.125,
        "A seed without a partner counts as 0 here. Leave it out.": (0.15 + 0.10 + 0.90 + 0.0) / 4,
        "This is the change with true labels alone. Without its control it says nothing.": means.true,
    }
    otherwise = "A `pivot` with a row a seed and a column a kind of label makes the partners neighbours."
    return compared(effect(runs.copy()), 0.125, mistakes, otherwise=otherwise)


def at_loss(score_at: Callable) -> str | None:
    """Turn both lists round before interpolating: the x of `np.interp` must rise, and a loss falls."""
    losses, scores = np.array([5.0, 4.0, 2.0, 1.0]), np.array([0.1, 0.5, 0.9, 0.3])
    mistakes = {
        "`np.interp` wants x to rise and says nothing when it falls: turn both lists round.": np.interp(
            2.5, losses, scores
        ),
        "One list was turned round and the other not.": np.interp(2.5, losses[::-1], scores),
        "This is the score at the nearest point. Between two points take the line.": 0.9,
        "This is the loss again. Interpolate the scores over the losses.": 2.5,
    }
    right = np.interp(2.5, losses[::-1], scores[::-1])
    otherwise = "At a loss of 2.5, between 4 and 2, the score lies between theirs."
    return compared(score_at(2.5, losses.copy(), scores.copy()), right, mistakes, otherwise=otherwise)


CHECKS = {"3.1": peak, "3.2": split, "3.3": interval, "3.4": paired, "3.5": at_loss}
