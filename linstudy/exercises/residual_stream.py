"""Checks of chapter 2: the identity, an outlier that owns the score, and states in half precision."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from ..measure import profile_of_states
from .answers import compared


def update_ratio(ratio: Any) -> str | None:
    """Solve 1 - LS = (1 - LS_res) * ratio for the ratio."""
    mistakes = {
        "That is one over it: the update is the small one of the two.": 50,
        "Multiplied where a division is due: 0.01 is the product, and one factor is known.": 0.005,
        "This would be right if no part of the update were linear. Half of it is.": 0.01,
        "These are the scores themselves; the identity speaks of 1 less each.": 0.99 / 0.5,
        "This is a ratio of lengths. The identity has squares: variances.": 0.02**0.5,
    }
    otherwise = "Put LS = 0.99 and LS_res = 0.5 into the identity: three numbers, two are known."
    return compared(ratio, 0.02, mistakes, otherwise=otherwise)


def swapped(swap: Callable) -> str | None:
    """Take the non-linearity of the trained model's updates times the size of the twin's: 1 less that is LS."""
    names = ["linearity", "update_linearity", "update_ratio"]
    trained = pd.DataFrame([(0.86, 0.3, 0.2), (0.8, 0.6, 0.5)], columns=names)
    twin = pd.DataFrame([(0.955, 0.1, 0.05), (0.981, 0.9, 0.19)], columns=names)
    mistakes = {
        "The other way round: this has the twin's linearity and the trained model's size.": 1
        - (1 - twin.update_linearity) * trained.update_ratio,
        "It is the *non*-linearity, 1 less the score, that is multiplied by the ratio.": 1
        - trained.update_linearity * twin.update_ratio,
        "LS is what comes out. What goes in is the linearity of the update.": 1
        - (1 - trained.linearity) * twin.update_ratio,
        "This is 1 - LS.": (1 - trained.update_linearity) * twin.update_ratio,
        "Nothing is swapped: this is the score that the trained model has.": trained.linearity,
    }
    right = 1 - (1 - trained.update_linearity) * twin.update_ratio
    otherwise = "One column of each table is needed, `update_linearity` of one and `update_ratio` of the other."
    values = {said: value.to_numpy() for said, value in mistakes.items()}
    return compared(swap(trained, twin), right.to_numpy(), values, otherwise=otherwise)


def shrunk(shrink: Callable) -> str | None:
    """Look for the factor by trying: LS rises as the update shrinks, so halve the interval that it lies in."""
    draw = torch.Generator().manual_seed(5)
    X = torch.randn(800, 6, generator=draw).double()
    D = torch.relu(2 * X @ torch.randn(6, 6, generator=draw).double())
    target = 0.98

    def reached(factor: float) -> float:
        return float(profile_of_states([X, X + factor * D]).linearity_raw[0])

    factor = float(shrink(X.clone(), D.clone(), target))
    if abs(reached(factor) - target) < 1e-3:
        return None
    if factor > 0 and abs(reached(1 / factor) - target) < 1e-3:
        return "That is one over the factor: it should make the update smaller."
    if abs(factor - ((1 - target) / (1 - reached(1.0))) ** 0.5) < 1e-3:
        return (
            f"Nearly: this gives {reached(factor):.3f}. The stream shrinks with the update, so the ratio moves twice."
        )
    if 0 < factor < 1 and abs(reached(factor**0.5) - target) < 1e-3:
        return "That is the square of the factor: the ratio has the square in it, and the stream has not."
    return f"With X + {factor:.3g} D the score is {reached(factor):.3f}, and {target} is asked for."


def outliers(find: Callable) -> str | None:
    """Measure each token's distance from the centre, feature by feature the median, and compare with 5 medians."""
    draw = torch.Generator().manual_seed(3)
    plain = torch.randn(500, 10, generator=draw).double()
    spiked = plain.clone()
    spiked[[7, 80, 401], 4] += 300
    apart = plain + 1000 * torch.eye(10)[2].double()  # an offset that all share makes nobody an outlier
    apart[[7, 80, 401], 4] += 300
    many = plain.clone()
    many[::5, 4] += 300
    cases = {
        "The tokens are not found. Compare distances of whole tokens, rows, with five times their median.": spiked,
        "A large number that all tokens share is no outlier: measure from the centre and not from 0.": apart,
        "With many outliers the mean follows them. Take the median of every feature for the centre.": many,
    }
    for said, X in cases.items():
        distance = (X - X.median(0).values).norm(dim=1)
        right = distance > 5 * distance.median()
        found = torch.as_tensor(find(X.clone()))
        if found.shape == (10,):
            return "These are features, columns. Which tokens, which rows?"
        if found.shape != right.shape:
            return f"One truth value a token is asked for, {len(X)} in all: a mask, not a list of places."
        if not torch.equal(found.bool(), right):
            return said
    return None


def half_precision(ratio: Callable) -> str | None:
    """Turn the states into float64 before anything else is done with them."""
    draw = torch.Generator().manual_seed(2)
    X = (300 + 4 * torch.randn(600, 16, generator=draw)).half()
    Y = (X.float() + 0.5 * torch.randn(600, 16, generator=draw)).half()
    x, y = X.double(), Y.double()
    right = _ratio(x, y)
    mistakes = {
        "In float16 nothing above 65,504 exists, and sums of squares are soon above it.": _ratio(X, Y),
        "This is converted when the damage is done: the mean was rounded to the nearest quarter.": _variance(
            (Y - X) - (Y - X).mean(0)
        )
        / _variance(Y - Y.mean(0)),
        "The means are still in it: the identity is about centred matrices.": (y - x).square().sum() / y.square().sum(),
        "This is a ratio of lengths; the update ratio is one of squares.": right.sqrt(),
        "This divides by the stream that enters; the identity has the one that leaves.": right
        * _variance(y - y.mean(0))
        / _variance(x - x.mean(0)),
    }
    otherwise = "Convert, subtract, centre, square, add up, divide: in this order."
    return compared(ratio(X.clone(), Y.clone()), right, mistakes, otherwise=otherwise, within=1e-4)


def _ratio(x: Tensor, y: Tensor) -> Tensor:
    d = y - x
    return (d - d.mean(0)).square().sum() / (y - y.mean(0)).square().sum()


def _variance(centred: Tensor) -> Tensor:
    return centred.double().square().sum()


CHECKS = {
    "2.1": update_ratio,
    "2.2": swapped,
    "2.3": shrunk,
    "2.4": outliers,
    "2.5": half_precision,
}
