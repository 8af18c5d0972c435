"""Checks of chapter 1: the score, its floor, and ways to break it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .answers import Found, compared


def least_squares(ls: Callable) -> Found:
    """Centre both, fit A by least squares, and take 1 less the error's share of the variance of Y."""
    X, Y = _two_parts(400)[0]
    x, y = _centred(X), _centred(Y)
    right = _score(x, y, y)
    return compared(
        ls(X.clone(), Y.clone()),
        right,
        nothing_centred=_score(X, Y, Y),
        x_uncentred=_score(X, y, y),
        y_uncentred=_score(x, Y, Y),
        divided_by_raw=_score(x, y, Y),
        left_over=1 - right,
        backwards=_score(y, x, x),
        roots=1 - (1 - right).sqrt(),
        columns_averaged=torch.stack([_score(x, y[:, [j]], y[:, [j]]) for j in range(y.shape[1])]).mean(),
    )


def adjusted(adjust: Callable) -> Found:
    """Multiply what is left over, 1 less the score, by (n - 1) / (n - d - 1)."""
    raw, n, d = 0.5, 30, 9
    left = 1 - raw
    return compared(
        adjust(raw, n, d),
        1 - left * (n - 1) / (n - d - 1),
        exchanged=1 - left * (d - 1) / (d - n - 1),
        no_mean=1 - left * n / (n - d),
        numerator=1 - left * n / (n - d - 1),
        floor=raw - d / (n - 1),
        upside_down=1 - left * (n - d - 1) / (n - 1),
        scales_raw=raw * (n - 1) / (n - d - 1),
    )


def perfect_noise(tokens: Any) -> Found:
    """Count the equations of one column of A, and remember that centring takes one row away."""
    return compared(tokens, 65, one_fewer=64, one_more=66, two_fewer=63)


def held_out(score: Callable) -> Found:
    """Fit A and both means on X and Y alone, then predict the new tokens with these three."""
    (X, Y), (X_new, Y_new) = _two_parts(60)

    def left(X: Tensor, Y: Tensor, about: tuple[Tensor, Tensor]) -> Tensor:
        """Return the squared error on the new tokens of a map fitted on X and Y, with the means `about`."""
        A = torch.linalg.lstsq(_centred(X), _centred(Y)).solution
        return (Y_new - about[1] - (X_new - about[0]) @ A).square().sum()

    old, new = (X.mean(0), Y.mean(0)), (X_new.mean(0), Y_new.mean(0))
    all_X, all_Y = torch.cat([X, X_new]), torch.cat([Y, Y_new])
    error, whole = left(X, Y, old), _centred(Y_new).square().sum()
    return compared(
        score(X, Y, X_new, Y_new),
        1 - error / whole,
        fitted_on_new=1 - left(X_new, Y_new, new) / whole,
        fitted_on_both=1 - left(all_X, all_Y, (all_X.mean(0), all_Y.mean(0))) / whole,
        own_means=1 - left(X, Y, new) / whole,
        old_variance=1 - error / _centred(Y).square().sum(),
        about_old_mean=1 - error / (Y_new - old[1]).square().sum(),
        fitted_tokens=_score(_centred(X), _centred(Y), _centred(Y)),
    )


def dead_column(solve: Callable) -> Found:
    """Divide only by singular values that are more than a tiny share of the largest."""
    X, Y = map(_centred, _two_parts(400)[0])
    X[:, 3] = 1e-16 * torch.arange(400).double().cos()  # what rounding leaves of a column that never varies
    small = X.clone()
    small[:, 5] *= 1e-6  # small, and not noise
    for name, case in {"dead_kept": X, "small_dropped": small, "not_relative": 1e-12 * X}.items():
        right = torch.linalg.pinv(case, rtol=1e-11) @ Y
        if found := compared(solve(case.clone(), Y.clone()), right, within=1e-3, other=name):
            return found
    return None


def _centred(matrix: Tensor) -> Tensor:
    return matrix - matrix.mean(0)


def _score(X: Tensor, Y: Tensor, whole: Tensor) -> Tensor:
    """Return 1 less the error of the best matrix, as a share of the squares of `whole`."""
    return 1 - (X @ torch.linalg.lstsq(X, Y).solution - Y).square().sum() / whole.square().sum()


def _two_parts(n: int) -> list[tuple[Tensor, Tensor]]:
    """Return twice `n` tokens of one layer, far from the origin and with columns of different size."""
    draw = torch.Generator().manual_seed(11)
    X = torch.randn(2 * n, 12, generator=draw).double() + 3
    W = torch.randn(12, 12, generator=draw).double() * torch.linspace(0.3, 2, 12).double()
    Y = X + torch.relu((X - 3) @ W) + 5
    return [(X[:n], Y[:n]), (X[n:], Y[n:])]


CHECKS = {"1.1": least_squares, "1.2": adjusted, "1.3": perfect_noise, "1.4": held_out, "1.5": dead_column}
