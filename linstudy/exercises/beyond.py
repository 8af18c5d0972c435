"""Checks of chapter 6: who looks ahead, two architectures beside each other, and what padding does to a score."""

import math
from collections.abc import Callable

import torch
from scipy.stats import sem, t
from torch import Tensor
from torch.nn import functional as F

from ..measure import profile_of_states
from .answers import compared


def looks_ahead(ahead: Callable) -> str | None:
    """Change the last token, and ask whether what stands before it has changed."""
    draw = torch.Generator().manual_seed(4)
    table = torch.randn(50, 4, generator=draw)
    runs = {
        "Here nothing before the last token has changed: this one does not look ahead.": (
            False,
            lambda ids: table[ids].cumsum(1),
        ),
        "A state before the last has changed: this one looks ahead.": (
            True,
            lambda ids: table[ids] + table[ids].mean(1, keepdim=True),
        ),
        "One token ahead is ahead: compare all states before the last, up to the very last of them.": (
            True,
            lambda ids: table[ids] + F.pad(table[ids][:, 1:], (0, 0, 0, 1)),
        ),
    }
    answers = []
    for _, run in runs.values():
        found = ahead(run, torch.randint(1, 50, (2, 7), generator=draw))
        if isinstance(found, float) or torch.as_tensor(found).numel() != 1:
            return "True or False is asked for: whether states before the last token change with it."
        answers.append(bool(found))
    if len(set(answers)) == 1:
        why = "; the last token's own state changes in all of them: leave it out" if answers[0] else ""
        return f"It says {answers[0]} of every model, and some look ahead and others do not{why}."
    return next((said for (said, (right, _)), found in zip(runs.items(), answers, strict=True) if found != right), None)


def gap(compare: Callable) -> str | None:
    """Take the differences seed by seed, and their mean with Student's t of one degree of freedom less than seeds."""
    other, decoder = torch.tensor([0.91, 0.93, 0.99]).double(), torch.tensor([0.88, 0.91, 0.92]).double()
    difference = other - decoder
    mean, error = float(difference.mean()), float(sem(difference))
    reach = float(t.ppf(0.975, 2)) * error
    apart = float(t.ppf(0.975, 4)) * math.hypot(sem(other), sem(decoder))
    mistakes = {
        "The seeds are pairs: subtract first, then look at the spread of the differences.": (
            mean - apart,
            mean + apart,
        ),
        "1.96 is for many seeds. Three seeds have two degrees of freedom: t = 4.30.": (
            mean - 1.96 * error,
            mean + 1.96 * error,
        ),
        "This is one standard deviation; the interval of the *mean* divides by the root of the number of seeds.": (
            mean - difference.std().item(),
            mean + difference.std().item(),
        ),
        "These are the least and the greatest of three differences, and no interval of their mean.": (
            difference.min().item(),
            difference.max().item(),
        ),
        "The root of the number of seeds is missing.": (mean - reach * 3**0.5, mean + reach * 3**0.5),
        "The sign: above 0 means that the other architecture scores more than the decoder.": (
            -mean - reach,
            -mean + reach,
        ),
    }
    otherwise = "mean of the differences, less and more t times their standard deviation over the root of 3."
    return compared(compare(other, decoder), (mean - reach, mean + reach), mistakes, otherwise=otherwise, within=1e-3)


def padded(pad: Callable) -> str | None:
    """Append rows that are all the same, far from the others, and that the layer leaves as they are."""
    draw = torch.Generator().manual_seed(9)
    X = torch.randn(400, 6, generator=draw).double()
    Y = torch.randn(400, 6, generator=draw).double()  # has nothing to do with X
    fuller = [torch.as_tensor(part).double() for part in pad(X.clone(), Y.clone())]
    if any(part.ndim != 2 or part.shape[1] != 6 for part in fuller) or fuller[0].shape != fuller[1].shape:
        return "Return two matrices of six features and the same number of tokens."
    if not all(torch.equal(part[: len(whole)], whole) for part, whole in zip(fuller, (X, Y), strict=True)):
        return "The text's own tokens must stay as they are, and come first: only append."
    added = [part[400:] for part in fuller]
    if not 0 < len(added[0]) <= 400:
        return "Append some pads, and no more than there are tokens."
    if not all(torch.equal(part, part[:1].expand_as(part)) for part in added):
        return "A pad is a pad: all of them have one state entering and one leaving."
    score = float(profile_of_states(fuller).linearity_raw[0])
    if score > 0.99:
        return None
    return f"LS is {score:.3f}, and 0.99 is asked for: how far from the text's centre are the pads, on both sides?"


def masked(score: Callable) -> str | None:
    """Keep the rows whose mask is 1, of both sides, and score those."""
    draw = torch.Generator().manual_seed(11)
    X = torch.randn(8, 40, 5, generator=draw).double()
    Y = X + torch.relu(X @ torch.randn(5, 5, generator=draw).double())
    mask = torch.arange(40) < torch.randint(20, 40, (8, 1), generator=draw)
    X[~mask], Y[~mask] = 50.0, 50.0
    weights = mask[..., None].double()
    mistakes = {
        "The pads are still in: the mask says which tokens count.": _ls(X.flatten(0, 1), Y.flatten(0, 1)),
        "This scores the pads. The mask is True, or 1, where there *is* a token.": 1.0,
        "Times 0 a pad is not gone: it counts as a token at the origin. Select, do not multiply.": _ls(
            (X * weights).flatten(0, 1), (Y * weights).flatten(0, 1)
        ),
        "Cutting at the longest text leaves the pads of the shorter ones.": _ls(
            X[:, : int(mask.sum(1).max())].flatten(0, 1), Y[:, : int(mask.sum(1).max())].flatten(0, 1)
        ),
        "This cuts every text at the shortest: no pads are left, and neither is much of the text.": _ls(
            X[:, : int(mask.sum(1).min())].flatten(0, 1), Y[:, : int(mask.sum(1).min())].flatten(0, 1)
        ),
    }
    otherwise = "`X[mask]` has one row a token that counts; `ls` scores two such matrices."
    return compared(score(X.clone(), Y.clone(), mask.int()), _ls(X[mask], Y[mask]), mistakes, otherwise=otherwise)


def after_norm(update: Callable) -> str | None:
    """Normalise the sum of stream and what was added; the update is what has changed, not what was added."""
    draw = torch.Generator().manual_seed(13)
    X = F.layer_norm(torch.randn(60, 8, generator=draw).double(), (8,))
    F_of_X = 2 * torch.randn(60, 8, generator=draw).double()
    Y = F.layer_norm(X + F_of_X, (8,))
    ratio = _ratio(Y - X, Y)
    mistakes = {
        "What is added is not the update of a post-norm layer: the norm moves the stream as well. Y - X is.": _ratio(
            F_of_X, Y
        ),
        "That is pre-norm: here the *sum* is normalised, and it is what leaves the layer.": _ratio(F_of_X, X + F_of_X),
        "The norm stands around the sum, stream and all, and not around what is added.": _ratio(
            F.layer_norm(F_of_X, (8,)), X + F.layer_norm(F_of_X, (8,))
        ),
        "The variance of what *leaves* the layer belongs below: of Y.": _ratio(Y - X, X),
        "This is a ratio of lengths; the update ratio is one of squares.": ratio**0.5,
        "The means are still in it: the identity is about centred matrices.": (Y - X).square().sum() / Y.square().sum(),
    }
    otherwise = "Y = norm(X + F); D = Y - X; both centred; the squares of D over those of Y."
    return compared(update(X.clone(), F_of_X.clone()), ratio, mistakes, otherwise=otherwise)


def _ls(x: Tensor, y: Tensor) -> float:
    return float(profile_of_states([x, y]).linearity_raw[0])


def _ratio(d: Tensor, y: Tensor) -> Tensor:
    return (d - d.mean(0)).square().sum() / (y - y.mean(0)).square().sum()


CHECKS = {"6.1": looks_ahead, "6.2": gap, "6.3": padded, "6.4": masked, "6.5": after_norm}
