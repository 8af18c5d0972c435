"""Checks of chapter 5: maps in the place of layers, what layers cost, and who may choose."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from scipy.stats import pearsonr, spearmanr

from ..evaluate import cross_entropy
from ..models import small_model, without
from .answers import compared


def replacement(fit: Callable) -> str | None:
    """Fit the map on centred states, and let the shift take the mean of X to the mean of Y."""
    draw = torch.Generator().manual_seed(6)
    X = torch.randn(300, 8, generator=draw).double() + 4
    Y = X + torch.relu((X - 4) @ torch.randn(8, 8, generator=draw).double()) - 2
    mean_x, mean_y = X.mean(0), Y.mean(0)
    W = torch.linalg.lstsq(X - mean_x, Y - mean_y).solution
    right = X @ W + mean_y - mean_x @ W
    mistakes = {
        "There is no shift in it: X W alone misses the mean of Y.": X @ W,
        "The shift is the mean of Y, as if X were centred. A layer's input is not: take mean(X) W away.": X @ W
        + mean_y,
        "This is the update. What takes the place of a layer gives the stream: add X, or the identity to W.": right - X,
        "The shift has the wrong sign in front of mean(X) W.": X @ W + mean_y + mean_x @ W,
        "The fit goes through the origin: centre both first, or give X a column of ones.": X
        @ torch.linalg.lstsq(X, Y).solution,
    }
    W, b = (torch.as_tensor(part).double() for part in fit(X.clone(), Y.clone()))
    if W.shape != (8, 8):
        return f"W has the shape {tuple(W.shape)}; it takes 8 features to 8."
    otherwise = "Compare X W + b with Y: of all maps it should have the smallest squared error."
    return compared(X @ W + b, right, mistakes, otherwise=otherwise)


def single_costs(costs: Callable) -> str | None:
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
    mistakes = {
        "These are losses. The cost is by how much they are above the whole model's.": left,
        "The sign: a layer that is needed has a cost above 0.": -right,
        "These are perplexities: the loss, in nats, is asked for.": np.exp(left) - np.exp(whole),
        "The whole model's loss was measured while a layer was out.": np.array(left) - left[0],
    }
    found = costs(model, text)
    if isinstance(found, dict):
        found = list(found.values())
    if not np.isclose(cross_entropy(model, text), whole):
        return "The model is not whole afterwards: remove layers inside a `with`."
    otherwise = "Are the other layers still in when one is removed? Blocks are counted from 0 in code."
    return compared(found, right, mistakes, otherwise=otherwise, within=1e-4)


def interaction(extra: Callable) -> str | None:
    """Take the two single costs away from the joint cost; a cost is a loss less the whole model's."""
    whole, first, second, both = 2.0, 2.3, 2.1, 2.9
    mistakes = {
        "The whole model's loss is in there once too often: cost by cost, loss less loss.": both - first - second,
        "The sign: above 0 means that the two together cost more.": -0.5,
        "This is the joint cost. Take both single ones away.": both - whole,
        "One single cost is still in it.": (both - whole) - (first - whole),
        "Perplexities multiply and losses add: stay with the losses.": np.exp(both)
        - np.exp(first)
        - np.exp(second)
        + np.exp(whole),
    }
    otherwise = "Three costs: both - whole, first - whole, second - whole."
    return compared(extra(whole, first, second, both), 0.5, mistakes, otherwise=otherwise)


def chosen(choose: Callable) -> str | None:
    """Let the validation text choose the penalty, and report the error on the test text at that penalty."""
    tried = pd.DataFrame(
        {
            "penalty": [0.0, 0.1, 1.0, 10.0],
            "fitted": [0.10, 0.15, 0.30, 0.60],
            "validation": [0.90, 0.50, 0.45, 0.70],
            "test": [0.95, 0.44, 0.52, 0.72],
        }
    )
    mistakes = {
        "The test text has chosen and is also what is reported: that is the leak.": (0.1, 0.44),
        "The text that was fitted always chooses no penalty: it rewards what is learnt by heart.": (0.0, 0.95),
        "The penalty is right. Its error on the validation text is flattering, since it was chosen for it.": (
            1.0,
            0.45,
        ),
        "The penalty is right, the error is that of the text that was fitted.": (1.0, 0.30),
        "Right, but the other way round: penalty first.": (0.52, 1.0),
        "Penalty and error must belong to one row of the table.": (1.0, 0.44),
    }
    otherwise = "Which row has the lowest `validation`? Return its `penalty` and its `test`."
    return compared(choose(tried.copy()), (1.0, 0.52), mistakes, otherwise=otherwise)


def kendall(tau: Callable) -> str | None:
    """For every pair of layers ask whether score and cost put them in the same order: same less other, over all."""
    score, cost = np.array([0.1, 0.9, 0.5, 0.7, 0.2]), np.array([1.0, 2.0, 9.0, 5.0, 3.0])
    pairs = list(combinations(range(5), 2))
    signs = [np.sign((score[i] - score[j]) * (cost[i] - cost[j])) for i, j in pairs]
    mistakes = {
        "That is Pearson's correlation. Only the order counts here.": pearsonr(score, cost)[0],
        "That is Spearman's, of the ranks' squares. Count pairs.": spearmanr(score, cost)[0],
        "This is the share of pairs in the same order, from 0 to 1. Take those in the other order away.": np.mean(
            np.array(signs) > 0
        ),
        "The number of pairs is missing below: tau lies between -1 and 1.": sum(signs),
        "Pairs of a layer with itself are counted below.": sum(signs) * 2 / 25,
        "The sign: the same order counts as +1.": -np.mean(signs),
    }
    otherwise = "Five layers make ten pairs. Try it on a score with itself: 1; and with its negative: -1."
    return compared(tau(score.copy(), cost.copy()), np.mean(signs), mistakes, otherwise=otherwise)


CHECKS = {"5.1": replacement, "5.2": single_costs, "5.3": interaction, "5.4": chosen, "5.5": kendall}
