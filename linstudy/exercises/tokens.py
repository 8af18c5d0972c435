"""Checks of chapter 7: errors of tokens, the lens, chance, and who wrote the stream."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from ..models import capture, final_norm, small_model
from .answers import compared


def relative_errors(errors: Callable) -> str | None:
    """Fit the affine map, take the length of each token's error, and divide by the root of the mean variance of Y."""
    draw = torch.Generator().manual_seed(9)
    X = torch.randn(200, 6, generator=draw).double() + 2
    Y = X + torch.relu((X - 2) @ torch.randn(6, 6, generator=draw).double()) + 3
    x, y = X - X.mean(0), Y - Y.mean(0)
    length = (y - x @ torch.linalg.lstsq(x, y).solution).norm(dim=1)
    sigma = y.square().sum(1).mean().sqrt()
    origin = (Y - X @ torch.linalg.lstsq(X, Y).solution).norm(dim=1)
    mistakes = {
        "Each token is divided by its own length. One scale for the layer makes the tokens comparable.": length
        / y.norm(dim=1),
        "Each token is divided by its own length, with the mean in it. Take one scale for the layer.": length
        / Y.norm(dim=1),
        "The scale still has the mean of Y in it.": length / Y.square().sum(1).mean().sqrt(),
        "These are squares. The error is a length.": (length / sigma).square(),
        "The scale is squared: take its root.": length / sigma**2,
        "These are lengths in the units of the stream. Divide by the scale of the layer.": length,
        "The fit goes through the origin: centre both.": origin / sigma,
        "The scale is that of one feature. A token's distance adds up all of them.": length / y.square().mean().sqrt(),
    }
    otherwise = "The mean of the squares of these must be 1 - LS."
    return compared(errors(X.clone(), Y.clone()), length / sigma, mistakes, otherwise=otherwise)


def worst_share(share: Callable) -> str | None:
    """Square the errors, sort them, and divide the sum of the largest hundredth by the sum of all."""
    draw = torch.Generator().manual_seed(10)
    errors = torch.rand(400, generator=draw).double() + 0.1
    errors[::50] += 3
    squares = errors.square().sort(descending=True).values
    count = 4
    mistakes = {
        "The errors are to be squared first: the score adds squares.": errors.sort(descending=True).values[:count].sum()
        / errors.sum(),
        "These are the smallest.": squares[-count:].sum() / squares.sum(),
        "These are the four that stand first in the text. Sort first.": errors[:count].square().sum() / squares.sum(),
        "That is the largest alone. One per cent of 400 tokens are 4.": squares[0] / squares.sum(),
        "That is ten per cent.": squares[:40].sum() / squares.sum(),
        "A mean divided by a sum. Sum both.": squares[:count].mean() / squares.sum(),
        "How many times the mean they are. Which share of the sum is theirs?": squares[:count].mean() / squares.mean(),
        "That is in per cent. A share lies between 0 and 1.": 100 * squares[:count].sum() / squares.sum(),
    }
    otherwise = "Equal tokens would give 0.01."
    return compared(share(errors.clone()), squares[:count].sum() / squares.sum(), mistakes, otherwise=otherwise)


def lens(loss_of: Callable) -> str | None:
    """Let the state pass the final norm, then the head, and score what comes out at the *next* token."""
    model = small_model("llama", seed=2)
    ids = torch.randint(3, 2000, (3, 12), generator=torch.Generator().manual_seed(12))
    norm, head = final_norm(model), model.get_output_embeddings()
    with torch.no_grad(), capture(model) as stream:
        model(ids, use_cache=False)
        for parameter in (norm.weight, head.weight):
            parameter.mul_(20)
        state = stream[2]
        logits, bare = head(norm(state)), head(state)
        right = _loss(logits[:, :-1], ids[:, 1:])
        best = cross_entropy(logits.flatten(0, 1), logits.flatten(0, 1).argmax(-1))
        mistakes = {
            "The final norm is missing: the head was trained on what comes out of it.": _loss(bare[:, :-1], ids[:, 1:]),
            "Each token is asked for itself. The prediction at a place is for the next one.": _loss(logits, ids),
            "The shift goes the wrong way: this asks for the token before.": _loss(logits[:, 1:], ids[:, :-1]),
            "This is the loss of the likeliest token, and not of the true one.": best,
            "Summed over the tokens: take their mean.": right * ids[:, 1:].numel(),
        }
        found = loss_of(model, state.clone(), ids)
    otherwise = "At the last boundary it must be the model's own loss, `linstudy.cross_entropy(model, ids)`."
    return compared(found, right, mistakes, otherwise=otherwise, within=1e-4)


def chance_band(band: Callable) -> str | None:
    """Shuffle the labels many times, take the mean of the labelled tokens each time, and cut off 1 % at both ends."""
    draw = torch.Generator().manual_seed(13)
    values = torch.rand(600, generator=draw).double()
    marked = torch.zeros(600, dtype=torch.bool)
    marked[values.argsort(descending=True)[:120:2]] = True  # 60 of the large ones
    spread = values.std() * math.sqrt((1 / 60) * (1 - 60 / 600))
    found = torch.as_tensor(band(values.clone(), marked.clone())).double()
    if found.shape != (2,):
        return "Two numbers are asked for, the lower end of the band and the upper one."
    units = (found - values.mean()) / spread  # what chance gives is next to normal: -2.33 and 2.33
    single = [(values.quantile(q) - values.mean()) / spread for q in (0.01, 0.99)]
    own = values[marked]
    resampled = [(own.mean() - values.mean() + z * own.std() / math.sqrt(60)) / spread for z in (-2.33, 2.33)]
    mistakes = {
        "This is where single tokens lie. The mean of 60 is surer: shuffle the labels and take their mean.": single,
        "This resamples the marked tokens, and so it lies about their own mean. Chance does not know the labels.": (
            resampled
        ),
        "This is the 95 % band. From the 1st to the 99th per cent is asked for.": (-1.96, 1.96),
        "This cuts off 5 % at each end. 1 % is asked for.": (-1.645, 1.645),
        "Upper end first: turn them round.": (2.33, -2.33),
    }
    otherwise = "2,000 shuffles are enough: `marked[torch.randperm(len(marked))]` has as many marks in other places."
    return compared(units, (-2.33, 2.33), mistakes, otherwise=otherwise, within=0.08)


def contributions(shares: Callable) -> str | None:
    """Take what every part added, the embedding first, times the final state, over the square of its length."""
    draw = torch.Generator().manual_seed(14)
    stream = list(torch.randn(4, 5, 8, generator=draw).double().cumsum(0))
    last, added = stream[-1], [stream[0], *(b - a for a, b in pairwise(stream))]
    right = _stacked((d * last).sum(-1) / last.square().sum(-1) for d in added)
    mistakes = {
        "The embedding is a part as well, the first: without it the shares do not add up to 1.": right[1:],
        "These are ratios of lengths: they cannot be negative, and do not add up to 1.": _stacked(
            d.norm(dim=-1) / last.norm(dim=-1) for d in added
        ),
        "These are cosines: divide by the square of the final length, and by no part's own.": _stacked(
            cosine_similarity(d, last, dim=-1) for d in added
        ),
        "One root too many: divide by the square of the final length.": right * last.norm(dim=-1),
        "These are whole states. What did each part *add*?": _stacked(
            (state * last).sum(-1) / last.square().sum(-1) for state in stream
        ),
        "The order: a row a part, a column a token.": right.T,
    }
    otherwise = "Over the parts the shares of a token must add up to 1."
    return compared(shares(stream), right, mistakes, otherwise=otherwise)


def _loss(logits: Tensor, ids: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1), ids.flatten())


def _stacked(rows: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(rows))


CHECKS = {"7.1": relative_errors, "7.2": worst_share, "7.3": lens, "7.4": chance_band, "7.5": contributions}
