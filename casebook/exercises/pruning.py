"""Checks of chapter 5: maps in the place of layers, what layers cost, and who may choose."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from scipy.stats import pearsonr, spearmanr

from linstudy.evaluate import cross_entropy
from linstudy.models import small_model, without

from .answers import Found, compared


def replacement(fit: Callable) -> Found:
    """Fit the map on centred states, and let the shift take the mean of X to the mean of Y."""
    draw = torch.Generator().manual_seed(6)
    X = torch.randn(300, 8, generator=draw).double() + 4
    Y = X + torch.relu((X - 4) @ torch.randn(8, 8, generator=draw).double()) - 2
    mean_x, mean_y = X.mean(0), Y.mean(0)
    A = torch.linalg.lstsq(X - mean_x, Y - mean_y).solution
    right = X @ A + mean_y - mean_x @ A
    W, b = (torch.as_tensor(part).double() for part in fit(X.clone(), Y.clone()))
    if W.shape != (8, 8):
        return "matrix", {"found": tuple(W.shape)}
    return compared(
        X @ W + b,
        right,
        no_shift=X @ A,
        mean_of_y=X @ A + mean_y,
        update=right - X,
        sign=X @ A + mean_y + mean_x @ A,
        through_origin=X @ torch.linalg.lstsq(X, Y).solution,
    )


def single_costs(costs: Callable) -> Found:
    """Remove each layer alone, `without(model, [index])`, and take the whole model's loss off the loss that is left."""
    model = small_model("llama", seed=1)
    draw = torch.Generator().manual_seed(8)
    text = torch.randint(3, 2000, (2, 16), generator=draw)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # or random layers would cost next to nothing
    whole, left = cross_entropy(model, text), []
    for index in range(3):
        with without(model, [index]):
            left.append(cross_entropy(model, text))
    right = np.array(left) - whole
    found = costs(model, text)
    if isinstance(found, dict):
        found = list(found.values())
    if not np.isclose(cross_entropy(model, text), whole):
        return "not_whole"
    perplexities = np.exp(left) - np.exp(whole)
    others = {"losses": left, "sign": -right, "perplexities": perplexities, "layer_out": right - right[0]}
    return compared(found, right, within=1e-4, **others)


def interaction(extra: Callable) -> Found:
    """Take the two single costs away from the joint cost; a cost is a loss less the whole model's."""
    whole, first, second, both = 2.0, 2.3, 2.1, 2.9
    return compared(
        extra(whole, first, second, both),
        0.5,
        whole_once_more=both - first - second,
        sign=-0.5,
        joint=both - whole,
        one_left=(both - whole) - (first - whole),
        perplexities=np.exp(both) - np.exp(first) - np.exp(second) + np.exp(whole),
    )


def chosen(choose: Callable) -> Found:
    """Let the validation text choose the penalty, and report the error on the test text at that penalty."""
    tried = pd.DataFrame(
        {
            "penalty": [0.0, 0.1, 1.0, 10.0],
            "fitted": [0.10, 0.15, 0.30, 0.60],
            "validation": [0.90, 0.50, 0.45, 0.70],
            "test": [0.95, 0.44, 0.52, 0.72],
        }
    )
    return compared(
        choose(tried.copy()),
        (1.0, 0.52),
        test_chooses=(0.1, 0.44),
        fitted_chooses=(0.0, 0.95),
        flattering=(1.0, 0.45),
        error_of_fitted=(1.0, 0.30),
        order=(0.52, 1.0),
        two_rows=(1.0, 0.44),
    )


def kendall(tau: Callable) -> Found:
    """For every pair of layers ask whether score and cost put them in the same order: same less other, over all."""
    score, cost = np.array([0.1, 0.9, 0.5, 0.7, 0.2]), np.array([1.0, 2.0, 9.0, 5.0, 3.0])
    signs = np.array([np.sign((score[i] - score[j]) * (cost[i] - cost[j])) for i, j in combinations(range(5), 2)])
    return compared(
        tau(score.copy(), cost.copy()),
        signs.mean(),
        pearson=pearsonr(score, cost)[0],
        spearman=spearmanr(score, cost)[0],
        share=(signs > 0).mean(),
        summed=signs.sum(),
        with_itself=signs.sum() * 2 / 25,
        sign=-signs.mean(),
    )


CHECKS = {"5.1": replacement, "5.2": single_costs, "5.3": interaction, "5.4": chosen, "5.5": kendall}
