"""Checks of chapter 4: a penalty, its gradient and its unit, and a comparison without a leak."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from .answers import Found, compared


def cosine_penalty(penalty: Callable) -> Found:
    """Average 1 - cos over the tokens for each pair of neighbours, the last state among them, and add the pairs up."""
    draw = torch.Generator().manual_seed(4)
    stream = list(torch.randn(5, 3, 7, 6, generator=draw).double().cumsum(0))
    pairs = [1 - cosine_similarity(y, x, dim=-1) for x, y in pairwise(stream)]

    def over(some: Sequence[Tensor]) -> Tensor:
        return 0.5 * sum(pair.mean() for pair in some)

    right = over(pairs)
    return compared(
        penalty(stream, 0.5),
        right,
        within=1e-5,
        no_last=over(pairs[:-1]),
        pairs_averaged=right / 4,
        tokens_summed=right * 21,
        no_weight=2 * right,
        cosine=0.5 * 4 - right,
        no_embeddings=over(pairs[1:]),
    )


def gradient(slope: Callable) -> Found:
    """Differentiate x.y / (|x| |y|) by x, term by term, and turn the sign."""
    x, y = torch.tensor([3.0, -1.0, 2.0]).double(), torch.tensor([0.5, 2.0, 1.0]).double()
    cosine, a, b = cosine_similarity(x, y, dim=0), x.norm(), y.norm()
    right = cosine * x / a**2 - y / (a * b)
    return compared(
        slope(x.clone(), y.clone()),
        right,
        sign=-right,
        y_alone=-y / (a * b),
        one_factor=right * a,
        of_y=cosine * y / b**2 - x / (a * b),
        one_norm=cosine * x / a - y / (a * b),
    )


def units(answers: Any) -> Found:
    """Write 2 h for h in both formulas, and count what the squared norm adds up."""
    cosine, squares, weight = answers
    return (
        compared(cosine, 1, other="first")
        or compared(squares, 4, other="second")
        or compared(weight, 64, turned=0.5 / 128, features=128, as_it_was=0.5, other="third")
    )


def fair_gain(gain: Callable) -> Found:
    """Choose each variant's rate by seed 0, and average the difference to plain over the other seeds."""
    losses = {("plain", 1): (2.0, 2.3, 2.5), ("plain", 2): (2.2, 2.1, 2.2)}
    losses |= {("new", 1): (2.1, 1.9, 1.9), ("new", 2): (1.7, 2.2, 2.3)}
    rows = [(*key, seed, loss) for key, values in losses.items() for seed, loss in enumerate(values)]
    runs = pd.DataFrame(rows, columns=["variant", "rate", "seed", "loss"])
    return compared(
        gain(runs.copy(), "new"),
        0.15,
        luckiest=(0.3 + 0.1 + 0.2) / 3,
        chooser_judges=0.3,
        judges_choose=(2.1 + 2.2) / 2 - (1.9 + 1.9) / 2,
        one_rate=2.4 - 1.9,
        sign=-0.15,
    )


def standard_errors(z: Callable) -> Found:
    """Divide the difference by the root of both variances added, each p (1 - p) / n."""
    a, b, n = 0.62, 0.58, 500
    one, other = a * (1 - a) / n, b * (1 - b) / n
    return compared(
        z(a, b, n),
        (a - b) / (one + other) ** 0.5,
        within=1e-3,
        one_variance=(a - b) / one**0.5,
        other_variance=(a - b) / other**0.5,
        no_number=(a - b) / (n * (one + other)) ** 0.5,
        no_root=(a - b) / (one + other),
        errors_added=(a - b) / (one**0.5 + other**0.5),
        sign=(b - a) / (one + other) ** 0.5,
    )


CHECKS = {"4.1": cosine_penalty, "4.2": gradient, "4.3": units, "4.4": fair_gain, "4.5": standard_errors}
