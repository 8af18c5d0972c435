"""Checks of chapter 2: the identity, an outlier that owns the score, and states in half precision."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from linstudy.measure import profile_of_states

from .answers import Found, compared


def update_ratio(ratio: Any) -> Found:
    """Solve 1 - LS = (1 - LS_res) * ratio for the ratio."""
    return compared(ratio, 0.02, inverse=50, product=0.005, none_linear=0.01, scores=0.99 / 0.5, lengths=0.02**0.5)


def swapped(swap: Callable) -> Found:
    """Take the non-linearity of the trained model's updates times the size of the twin's: 1 less that is LS."""
    names = ["linearity", "update_linearity", "update_ratio"]
    trained = pd.DataFrame([(0.86, 0.3, 0.2), (0.8, 0.6, 0.5)], columns=names)
    twin = pd.DataFrame([(0.955, 0.1, 0.05), (0.981, 0.9, 0.19)], columns=names)
    left = (1 - trained.update_linearity) * twin.update_ratio
    values = {
        "other_way": 1 - (1 - twin.update_linearity) * trained.update_ratio,
        "linear_part": 1 - trained.update_linearity * twin.update_ratio,
        "ls_put_in": 1 - (1 - trained.linearity) * twin.update_ratio,
        "left_over": left,
        "not_swapped": trained.linearity,
    }
    values = {name: value.to_numpy() for name, value in values.items()}
    return compared(swap(trained, twin), 1 - left.to_numpy(), **values)


def shrunk(shrink: Callable) -> Found:
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
        return "inverse"
    if abs(factor - ((1 - target) / (1 - reached(1.0))) ** 0.5) < 1e-3:
        return "nearly", {"score": reached(factor)}
    if 0 < factor < 1 and abs(reached(factor**0.5) - target) < 1e-3:
        return "square"
    return "other", {"factor": factor, "score": reached(factor), "target": target}


def outliers(find: Callable) -> Found:
    """Measure each token's distance from the centre, feature by feature the median, and compare with 5 medians."""
    draw = torch.Generator().manual_seed(3)
    plain = torch.randn(500, 10, generator=draw).double()
    spiked = plain.clone()
    spiked[[7, 80, 401], 4] += 300
    apart = plain + 1000 * torch.eye(10)[2].double()  # an offset that all share makes nobody an outlier
    apart[[7, 80, 401], 4] += 300
    many = plain.clone()
    many[::5, 4] += 300
    for name, X in {"not_found": spiked, "from_zero": apart, "mean_follows": many}.items():
        distance = (X - X.median(0).values).norm(dim=1)
        right = distance > 5 * distance.median()
        found = torch.as_tensor(find(X.clone()))
        if found.shape == (10,):
            return "features"
        if found.shape != right.shape:
            return "places", {"tokens": len(X)}
        if not torch.equal(found.bool(), right):
            return name
    return None


def half_precision(ratio: Callable) -> Found:
    """Turn the states into float64 before anything else is done with them."""
    draw = torch.Generator().manual_seed(2)
    X = (300 + 4 * torch.randn(600, 16, generator=draw)).half()
    Y = (X.float() + 0.5 * torch.randn(600, 16, generator=draw)).half()
    x, y = X.double(), Y.double()
    right = _ratio(x, y)
    return compared(
        ratio(X.clone(), Y.clone()),
        right,
        within=1e-4,
        overflow=_ratio(X, Y),
        late=_variance((Y - X) - (Y - X).mean(0)) / _variance(Y - Y.mean(0)),
        not_centred=(y - x).square().sum() / y.square().sum(),
        lengths=right.sqrt(),
        entering=right * _variance(y - y.mean(0)) / _variance(x - x.mean(0)),
    )


def _ratio(x: Tensor, y: Tensor) -> Tensor:
    d = y - x
    return (d - d.mean(0)).square().sum() / (y - y.mean(0)).square().sum()


def _variance(centred: Tensor) -> Tensor:
    return centred.double().square().sum()


CHECKS = {"2.1": update_ratio, "2.2": swapped, "2.3": shrunk, "2.4": outliers, "2.5": half_precision}
