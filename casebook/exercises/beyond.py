"""Checks of chapter 6: who looks ahead, two architectures beside each other, and what padding does to a score."""

import math
from collections.abc import Callable

import torch
from scipy.stats import sem, t
from torch import Tensor
from torch.nn import functional as F

from linstudy.measure import profile_of_states

from .answers import Found, compared


def looks_ahead(ahead: Callable) -> Found:
    """Change the last token, and ask whether what stands before it has changed."""
    draw = torch.Generator().manual_seed(4)
    table = torch.randn(50, 4, generator=draw)
    runs = {
        "not_ahead": (False, lambda ids: table[ids].cumsum(1)),
        "ahead": (True, lambda ids: table[ids] + table[ids].mean(1, keepdim=True)),
        "one_ahead": (True, lambda ids: table[ids] + F.pad(table[ids][:, 1:], (0, 0, 0, 1))),
    }
    answers = []
    for _, run in runs.values():
        found = ahead(run, torch.randint(1, 50, (2, 7), generator=draw))
        if isinstance(found, float) or torch.as_tensor(found).numel() != 1:
            return "truth"
        answers.append(bool(found))
    if len(set(answers)) == 1:
        return "always" if answers[0] else "never"
    return next((name for (name, (right, _)), found in zip(runs.items(), answers, strict=True) if found != right), None)


def gap(compare: Callable) -> Found:
    """Take the differences seed by seed, and their mean with Student's t of one degree of freedom less than seeds."""
    other, decoder = torch.tensor([0.91, 0.93, 0.99]).double(), torch.tensor([0.88, 0.91, 0.92]).double()
    difference = other - decoder
    mean, error = float(difference.mean()), float(sem(difference))
    reach = float(t.ppf(0.975, 2)) * error

    def about(reach: float, mean: float = mean) -> tuple[float, float]:
        return mean - reach, mean + reach

    return compared(
        compare(other, decoder),
        about(reach),
        within=1e-3,
        unpaired=about(float(t.ppf(0.975, 4)) * math.hypot(sem(other), sem(decoder))),
        normal=about(1.96 * error),
        deviation=about(difference.std().item()),
        range=(difference.min().item(), difference.max().item()),
        no_root=about(reach * 3**0.5),
        sign=about(reach, -mean),
    )


def padded(pad: Callable) -> Found:
    """Append rows that are all the same, far from the others, and that the layer leaves as they are."""
    draw = torch.Generator().manual_seed(9)
    X = torch.randn(400, 6, generator=draw).double()
    Y = torch.randn(400, 6, generator=draw).double()  # has nothing to do with X
    fuller = [torch.as_tensor(part).double() for part in pad(X.clone(), Y.clone())]
    if any(part.ndim != 2 or part.shape[1] != 6 for part in fuller) or fuller[0].shape != fuller[1].shape:
        return "two_matrices"
    if not all(torch.equal(part[: len(whole)], whole) for part, whole in zip(fuller, (X, Y), strict=True)):
        return "text_changed"
    added = [part[400:] for part in fuller]
    if not 0 < len(added[0]) <= 400:
        return "too_many"
    if not all(torch.equal(part, part[:1].expand_as(part)) for part in added):
        return "different_pads"
    score = float(profile_of_states(fuller).linearity_raw[0])
    return None if score > 0.99 else ("other", {"score": score})


def masked(score: Callable) -> Found:
    """Keep the rows whose mask is 1, of both sides, and score those."""
    draw = torch.Generator().manual_seed(11)
    X = torch.randn(8, 40, 5, generator=draw).double()
    Y = X + torch.relu(X @ torch.randn(5, 5, generator=draw).double())
    mask = torch.arange(40) < torch.randint(20, 40, (8, 1), generator=draw)
    X[~mask], Y[~mask] = 50.0, 50.0
    weights, lengths = mask[..., None].double(), mask.sum(1)

    def cut(length: int) -> float:
        return _ls(X[:, :length].flatten(0, 1), Y[:, :length].flatten(0, 1))

    return compared(
        score(X.clone(), Y.clone(), mask.int()),
        _ls(X[mask], Y[mask]),
        pads_in=cut(40),
        pads_scored=1.0,
        times_zero=_ls((X * weights).flatten(0, 1), (Y * weights).flatten(0, 1)),
        longest=cut(int(lengths.max())),
        shortest=cut(int(lengths.min())),
    )


def after_norm(update: Callable) -> Found:
    """Normalise the sum of stream and what was added; the update is what has changed, not what was added."""
    draw = torch.Generator().manual_seed(13)
    X = F.layer_norm(torch.randn(60, 8, generator=draw).double(), (8,))
    F_of_X = 2 * torch.randn(60, 8, generator=draw).double()
    Y, inner = F.layer_norm(X + F_of_X, (8,)), F.layer_norm(F_of_X, (8,))
    ratio = _ratio(Y - X, Y)
    return compared(
        update(X.clone(), F_of_X.clone()),
        ratio,
        added=_ratio(F_of_X, Y),
        pre_norm=_ratio(F_of_X, X + F_of_X),
        norm_of_added=_ratio(inner, X + inner),
        entering=_ratio(Y - X, X),
        lengths=ratio**0.5,
        not_centred=(Y - X).square().sum() / Y.square().sum(),
    )


def _ls(x: Tensor, y: Tensor) -> float:
    return float(profile_of_states([x, y]).linearity_raw[0])


def _ratio(d: Tensor, y: Tensor) -> Tensor:
    return (d - d.mean(0)).square().sum() / (y - y.mean(0)).square().sum()


CHECKS = {"6.1": looks_ahead, "6.2": gap, "6.3": padded, "6.4": masked, "6.5": after_norm}
