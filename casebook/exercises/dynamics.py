"""Checks of chapter 3: where one begins to look, what few seeds allow, and fair controls."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from .answers import Found, compared


def peak(highest: Callable) -> Found:
    """Average over seeds and layers for each step, and ask at which step that mean is highest."""
    means = {0: 0.30, 1: 0.45, 4: 0.60, 16: 0.55, 64: 0.20}
    rows = [
        {"step": step, "layer": layer, "seed": seed, "update_linearity": mean + 0.1 * (layer - 2) + 0.01 * seed}
        for step, mean in means.items()
        for layer in (1, 2, 3)
        for seed in (0, 1)
    ]
    runs = pd.DataFrame(rows).sort_values(["seed", "layer", "step"], ignore_index=True)
    runs.loc[(runs.step == 16) & (runs.layer == 3), "update_linearity"] += 0.2
    runs.loc[(runs.step == 16) & (runs.layer == 1), "update_linearity"] -= 0.2
    row = int(runs.update_linearity.idxmax())
    return compared(highest(runs.copy()), 4, one_layer=16, place=2, row=row, last=64, height=means[4] + 0.005)


def split(parts: Callable) -> Found:
    """Take the difference, after less before, of ln(1 - LS_res), and of ln(update ratio)."""
    before, after = (0.4, 0.9), (0.7, 1.2)  # LS_res and ratio
    owed = math.log((1 - after[0]) / (1 - before[0])), math.log(after[1] / before[1])
    return compared(
        parts(before, after),
        owed,
        signs=[-value for value in owed],
        linear_part=[math.log(after[0] / before[0]), owed[1]],
        base_ten=[value / math.log(10) for value in owed],
        differences=[before[0] - after[0], after[1] - before[1]],
        order=owed[::-1],
    )


def interval(bounds: Callable) -> Found:
    """Go from the mean, both ways, by the t quantile of n - 1 degrees times the standard error."""
    values = np.array([0.10, 0.16, 0.07, 0.13])
    n, deviation, t_quantile = len(values), values.std(ddof=1), t.ppf(0.975, 3)
    error = deviation / math.sqrt(n)

    def about(reach: float) -> tuple[float, float]:
        return values.mean() - reach, values.mean() + reach

    return compared(
        bounds(values.copy()),
        about(t_quantile * error),
        within=1e-4,
        normal=about(norm.ppf(0.975) * error),
        by_n=about(t_quantile * values.std() / math.sqrt(n)),
        one_more_seed=about(t_quantile * deviation),
        five_each=about(t.ppf(0.95, n - 1) * error),
        degrees=about(t.ppf(0.975, n) * error),
        range=(values.min(), values.max()),
        one_error=about(error),
    )


def apart(effect: Callable) -> Found:
    """Subtract the mean of the control from that of the runs; the squares of the two standard errors add up."""
    true, shuffled = np.array([0.20, 0.40, 0.60, 0.80]), np.array([0.10, 0.05, 0.15])
    runs = pd.DataFrame({"labels": ["true"] * 4 + ["shuffled"] * 3, "change": [*true, *shuffled]})
    difference = true.mean() - shuffled.mean()
    errors = [values.std(ddof=1) / math.sqrt(len(values)) for values in (true, shuffled)]
    without = [values.std() / math.sqrt(len(values)) for values in (true, shuffled)]
    return compared(
        effect(runs.sample(frac=1, random_state=0)),
        (difference, math.hypot(*errors)),
        within=1e-4,
        sign=(-difference, math.hypot(*errors)),
        added=(difference, sum(errors)),
        single=(difference, math.hypot(true.std(ddof=1), shuffled.std(ddof=1))),
        divided_by_n=(difference, math.hypot(*without)),
        pooled=(difference, math.sqrt((3 * true.var(ddof=1) + 2 * shuffled.var(ddof=1)) / 5 * (1 / 4 + 1 / 3))),
        one_heap=(difference, runs.change.std() / math.sqrt(len(runs))),
        no_control=(true.mean(), errors[0]),
    )


def at_loss(score_at: Callable) -> Found:
    """Turn both lists round before interpolating: the x of `np.interp` must rise, and a loss falls."""
    losses, scores = np.array([5.0, 4.0, 2.0, 1.0]), np.array([0.1, 0.5, 0.9, 0.3])
    return compared(
        score_at(2.5, losses.copy(), scores.copy()),
        np.interp(2.5, losses[::-1], scores[::-1]),
        falling=np.interp(2.5, losses, scores),
        one_list=np.interp(2.5, losses[::-1], scores),
        nearest=0.9,
        loss=2.5,
    )


CHECKS = {"3.1": peak, "3.2": split, "3.3": interval, "3.4": apart, "3.5": at_loss}
