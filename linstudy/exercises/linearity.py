"""Checks of chapter 1: the score, its floor, and ways to break it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .answers import compared


def least_squares(ls: Callable) -> str | None:
    """Centre both, fit A by least squares, and take 1 less the error's share of the variance of Y."""
    X, Y = _two_parts(400)[0]
    x, y = _centred(X), _centred(Y)
    columns = torch.stack([_score(x, y[:, [j]], y[:, [j]]) for j in range(y.shape[1])])
    mistakes = {
        "Nothing is centred, and the means are large: a map is credited with hitting them.": _score(X, Y, Y),
        "Y is centred and X is not: the means of X are still in the fit.": _score(X, y, y),
        "X is centred and Y is not: the mean of Y is part of the error.": _score(x, Y, Y),
        "The fit is right, but its error is divided by the squares of Y with the mean in them.": _score(x, y, Y),
        "This is the share that is left over. The score is 1 less that.": 1 - _score(x, y, y),
        "This fits X from Y. A layer goes the other way, and the score is not symmetric.": _score(y, x, x),
        "The norms in the formula are squared: these are their roots.": 1 - (1 - _score(x, y, y)).sqrt(),
        "Columns are averaged here. The score adds squares first, so that large columns count more.": columns.mean(),
    }
    otherwise = "No known mistake gives this. Try it on Y = X, which must give 1, and on Y = |X| of a Gaussian: near 0."
    return compared(ls(X.clone(), Y.clone()), _score(x, y, y), mistakes, otherwise=otherwise)


def adjusted(adjust: Callable) -> str | None:
    """Multiply what is left over, 1 less the score, by (n - 1) / (n - d - 1)."""
    raw, n, d = 0.5, 30, 9
    left = 1 - raw
    mistakes = {
        "Width and number of tokens have changed places.": 1 - left * (d - 1) / (d - n - 1),
        "The 1 for the mean is missing: centring takes a degree of freedom too.": 1 - left * n / (n - d),
        "The numerator needs its 1 as well: n - 1 degrees are left after centring.": 1 - left * n / (n - d - 1),
        "Subtracting the floor is half of it: now a perfect layer no longer scores 1.": raw - d / (n - 1),
        "The fraction is upside down: the correction must lower the score.": 1 - left * (n - d - 1) / (n - 1),
        "A fit makes the *error* too small, so scale 1 - raw and not raw.": raw * (n - 1) / (n - d - 1),
    }
    right = 1 - left * (n - 1) / (n - d - 1)
    otherwise = "Check the ends: a raw score of 1 must stay 1, and the floor d / (n - 1) must become 0."
    return compared(adjust(raw, n, d), right, mistakes, otherwise=otherwise)


def perfect_noise(tokens: Any) -> str | None:
    """Count the equations of one column of A, and remember that centring takes one row away."""
    d = 64
    mistakes = {
        "Also perfect, but one token more would be: of n centred rows the last follows from the others.": d,
        "With so many the fit is no longer perfect: this is the least number that the package accepts.": d + 2,
        "Also perfect, but two tokens more would be: 64 unknowns fit 64 equations exactly.": d - 1,
    }
    otherwise = f"A column of A has {d} unknowns, and every centred token is an equation. How many can be met exactly?"
    return compared(tokens, d + 1, mistakes, otherwise=otherwise)


def held_out(score: Callable) -> str | None:
    """Fit A and both means on X and Y alone, then predict the new tokens with these three."""
    (X, Y), (X_new, Y_new) = _two_parts(60)

    def left(X: Tensor, Y: Tensor, about: tuple[Tensor, Tensor]) -> Tensor:
        """Return the squared error on the new tokens of a map fitted on X and Y, with the means `about`."""
        A = torch.linalg.lstsq(_centred(X), _centred(Y)).solution
        return (Y_new - about[1] - (X_new - about[0]) @ A).square().sum()

    old, new = (X.mean(0), Y.mean(0)), (X_new.mean(0), Y_new.mean(0))
    all_X, all_Y = torch.cat([X, X_new]), torch.cat([Y, Y_new])
    error, whole = left(X, Y, old), _centred(Y_new).square().sum()
    leaked = left(all_X, all_Y, (all_X.mean(0), all_Y.mean(0)))
    mistakes = {
        "The map is fitted on the new tokens and scored on them: that is the raw score again.": 1
        - left(X_new, Y_new, new) / whole,
        "The map is fitted on old and new tokens together: it has seen what it is tested on.": 1 - leaked / whole,
        "The new tokens are centred by their own means, which tells the map where they lie.": 1
        - left(X, Y, new) / whole,
        "The error is divided by the variance of the old tokens; take that of Y_new.": 1
        - error / _centred(Y).square().sum(),
        "Divide by the variance of Y_new about its own mean, not about the old one.": 1
        - error / (Y_new - old[1]).square().sum(),
        "This is the score of the tokens that the map was fitted on.": _score(_centred(X), _centred(Y), _centred(Y)),
    }
    otherwise = "From the old tokens come A and two means; X_new, Y_new and the variance of Y_new are all that is new."
    return compared(score(X, Y, X_new, Y_new), 1 - error / whole, mistakes, otherwise=otherwise)


def dead_column(solve: Callable) -> str | None:
    """Divide only by singular values that are more than a tiny share of the largest."""
    X, Y = map(_centred, _two_parts(400)[0])
    X[:, 3] = 1e-16 * torch.arange(400).double().cos()  # what rounding leaves of a column that never varies
    small = X.clone()
    small[:, 5] *= 1e-6  # small, and not noise
    cases = {
        "Column 3 never varies: only rounding is left of it, and 1 / S makes that the largest entry of A.": X,
        "A small column is taken for a dead one: rounding is 1e-15 of the largest singular value, not 1e-6.": small,
        "In other units, X times 1e-12, all of it counts as dead: compare with the largest singular value.": 1e-12 * X,
    }
    for said, case in cases.items():
        right = torch.linalg.pinv(case, rtol=1e-11) @ Y
        if found := compared(solve(case.clone(), Y.clone()), right, {}, otherwise=said, within=1e-3):
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


CHECKS = {
    "1.1": least_squares,
    "1.2": adjusted,
    "1.3": perfect_noise,
    "1.4": held_out,
    "1.5": dead_column,
}
