"""Checks of chapter 4: a penalty, its gradient and its unit, and a comparison without a leak."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from .answers import compared


def cosine_penalty(penalty: Callable) -> str | None:
    """Average 1 - cos over the tokens for each pair of neighbours, without the last state, and add the pairs up."""
    draw = torch.Generator().manual_seed(4)
    stream = list(torch.randn(5, 3, 7, 6, generator=draw).double().cumsum(0))
    pairs = _distances(stream)

    def over(some: Sequence[Tensor]) -> Tensor:
        return 0.5 * sum(pair.mean() for pair in some)

    mistakes = {
        "The last block's output is in it. It has no neighbour that it should be like: leave it out.": over(pairs),
        "Tokens are averaged and pairs are summed; here the pairs are averaged too.": over(pairs[:-1]) / 3,
        "The tokens are summed: then the penalty would grow with the batch.": over(pairs[:-1]) * 21,
        "The weight is missing.": 2 * over(pairs[:-1]),
        "The cosine is 1 for states that agree. The penalty is 1 less that.": 0.5 * 3 - over(pairs[:-1]),
        "The embeddings, the first state, are the first block's neighbour: let them in.": over(pairs[1:-1]),
    }
    otherwise = "For 5 states that makes 3 pairs: (0, 1), (1, 2), (2, 3). Take the cosine along the last dimension."
    return compared(penalty(stream, 0.5), over(pairs[:-1]), mistakes, otherwise=otherwise, within=1e-5)


def gradient(slope: Callable) -> str | None:
    """Differentiate x.y / (|x| |y|) by x, term by term, and turn the sign."""
    x, y = torch.tensor([3.0, -1.0, 2.0]).double(), torch.tensor([0.5, 2.0, 1.0]).double()
    cosine, a, b = cosine_similarity(x, y, dim=0), x.norm(), y.norm()
    right = cosine * x / a**2 - y / (a * b)
    mistakes = {
        "The sign: the penalty has minus the cosine in it.": -right,
        "Only y has been seen to change: |x| in the denominator changes with x as well.": -y / (a * b),
        "One factor of 1 / |x| is missing: a longer x turns less for the same push.": right * a,
        "This is the gradient of y. Exchange the two.": cosine * y / b**2 - x / (a * b),
        "The second term has c x / |x|^2: one norm more below.": cosine * x / a - y / (a * b),
    }
    otherwise = "Test it: the gradient must stand at right angles to x, since making x longer changes no cosine."
    return compared(slope(x.clone(), y.clone()), right, mistakes, otherwise=otherwise)


def units(answers: Any) -> str | None:
    """Write 2 h for h in both formulas, and count what the squared norm adds up."""
    cosine, squares, weight = answers
    mistakes = {
        "Turned round: a mean over 128 features is small, and its weight must make up for that.": 0.5 / 128,
        "That is how many features there are; the weight was 0.5 to begin with.": 128,
        "With the weight as it was, the penalty would be 128 times smaller.": 0.5,
    }
    return (
        compared(cosine, 1, {}, otherwise="The first: a cosine has no unit. Lengths cancel out of it.")
        or compared(squares, 4, {}, otherwise="The second: twice the distance, and squared.")
        or compared(weight, 64, mistakes, otherwise="The third: a sum of 128 terms is 128 times their mean.")
    )


def fair_gain(gain: Callable) -> str | None:
    """Choose each variant's rate by seed 0, and average the difference to plain over the other seeds."""
    losses = {("plain", 1): (2.0, 2.3, 2.5), ("plain", 2): (2.2, 2.1, 2.2)}
    losses |= {("new", 1): (2.1, 1.9, 1.9), ("new", 2): (1.7, 2.2, 2.3)}
    rows = [(*key, seed, loss) for key, values in losses.items() for seed, loss in enumerate(values)]
    runs = pd.DataFrame(rows, columns=["variant", "rate", "seed", "loss"])
    mistakes = {
        "Seed 0 chose the rate and judges as well: of four runs it picked the luckiest.": (0.3 + 0.1 + 0.2) / 3,
        "This is judged by seed 0 alone, which has chosen.": 0.3,
        "Seeds that judge have chosen the rate.": (2.1 + 2.2) / 2 - (1.9 + 1.9) / 2,
        "Both have plain's rate. That is one rate for all, which decides the winner.": 2.4 - 1.9,
        "New less plain: turn the sign. A gain is a lower loss.": -0.15,
    }
    otherwise = "By seed 0 plain has the rate 1 and new the rate 2. What do seeds 1 and 2 say there?"
    return compared(gain(runs.copy(), "new"), 0.15, mistakes, otherwise=otherwise)


def standard_errors(z: Callable) -> str | None:
    """Divide the difference by the root of both variances added, each p (1 - p) / n."""
    a, b, n = 0.62, 0.58, 500
    one, other = a * (1 - a) / n, b * (1 - b) / n
    mistakes = {
        "Only one of the two is uncertain here. The variances of both add up.": (a - b) / one**0.5,
        "This is the error of one number. That of a difference has both variances.": (a - b) / other**0.5,
        "The number of questions is missing: more questions, less chance.": (a - b) / (n * (one + other)) ** 0.5,
        "This divides by a variance. The standard error is its root.": (a - b) / (one + other),
        "Standard errors do not add up, their squares do.": (a - b) / (one**0.5 + other**0.5),
        "The sign: better than the baseline is above 0.": (b - a) / (one + other) ** 0.5,
    }
    right = (a - b) / (one + other) ** 0.5
    otherwise = "Accuracies are shares between 0 and 1. An accuracy p of n questions has the variance p (1 - p) / n."
    return compared(z(a, b, n), right, mistakes, otherwise=otherwise, within=1e-3)


def _distances(stream: Sequence[Tensor]) -> list[Tensor]:
    return [1 - cosine_similarity(y, x, dim=-1) for x, y in pairwise(stream)]


CHECKS = {"4.1": cosine_penalty, "4.2": gradient, "4.3": units, "4.4": fair_gain, "4.5": standard_errors}
