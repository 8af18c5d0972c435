"""Checks of chapter 7: errors of tokens, the lens, chance, and who wrote the stream."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from linstudy.models import capture, final_norm, small_model

from .answers import Found, compared


def relative_errors(errors: Callable) -> Found:
    """Fit the affine map, take the length of each token's error, and divide by the root of the mean variance of Y."""
    draw = torch.Generator().manual_seed(9)
    X = torch.randn(200, 6, generator=draw).double() + 2
    Y = X + torch.relu((X - 2) @ torch.randn(6, 6, generator=draw).double()) + 3
    x, y = X - X.mean(0), Y - Y.mean(0)
    length = (y - x @ torch.linalg.lstsq(x, y).solution).norm(dim=1)
    sigma = y.square().sum(1).mean().sqrt()
    return compared(
        errors(X.clone(), Y.clone()),
        length / sigma,
        own_length=length / y.norm(dim=1),
        own_length_with_mean=length / Y.norm(dim=1),
        scale_with_mean=length / Y.square().sum(1).mean().sqrt(),
        squares=(length / sigma).square(),
        scale_squared=length / sigma**2,
        no_scale=length,
        through_origin=(Y - X @ torch.linalg.lstsq(X, Y).solution).norm(dim=1) / sigma,
        one_feature=length / y.square().mean().sqrt(),
    )


def worst_share(share: Callable) -> Found:
    """Square the errors, sort them, and divide the sum of the largest hundredth by the sum of all."""
    draw = torch.Generator().manual_seed(10)
    errors = torch.rand(400, generator=draw).double() + 0.1
    errors[::50] += 3
    squares = errors.square().sort(descending=True).values
    whole, worst = squares.sum(), squares[:4].sum()
    return compared(
        share(errors.clone()),
        worst / whole,
        not_squared=errors.sort(descending=True).values[:4].sum() / errors.sum(),
        smallest=squares[-4:].sum() / whole,
        not_sorted=errors[:4].square().sum() / whole,
        largest=squares[0] / whole,
        ten_per_cent=squares[:40].sum() / whole,
        mean_by_sum=squares[:4].mean() / whole,
        per_cent=100 * worst / whole,
    )


def lens(loss_of: Callable) -> Found:
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
        return compared(
            loss_of(model, state.clone(), ids),
            right,
            within=1e-4,
            no_norm=_loss(bare[:, :-1], ids[:, 1:]),
            itself=_loss(logits, ids),
            wrong_way=_loss(logits[:, 1:], ids[:, :-1]),
            likeliest=_loss(logits, logits.argmax(-1)),
            summed=right * ids[:, 1:].numel(),
        )


def chance_band(band: Callable) -> Found:
    """Shuffle the labels many times, take the mean of the labelled tokens each time, and cut off 1 % at both ends."""
    draw = torch.Generator().manual_seed(13)
    values = torch.rand(600, generator=draw).double()
    marked = torch.zeros(600, dtype=torch.bool)
    marked[values.argsort(descending=True)[:120:2]] = True  # 60 of the large ones
    spread = values.std() * math.sqrt((1 / 60) * (1 - 60 / 600))
    found = torch.as_tensor(band(values.clone(), marked.clone())).double()
    if found.shape != (2,):
        return "two_numbers"
    own = values[marked]
    return compared(
        (found - values.mean()) / spread,  # what chance gives is next to normal: -2.33 and 2.33
        (-2.33, 2.33),
        within=0.12,  # 2,000 shuffles scatter by .08
        single_tokens=[(values.quantile(q) - values.mean()) / spread for q in (0.01, 0.99)],
        resampled=[(own.mean() - values.mean() + z * own.std() / math.sqrt(60)) / spread for z in (-2.33, 2.33)],
        ninety_five=(-1.96, 1.96),
        five_each=(-1.645, 1.645),
        order=(2.33, -2.33),
    )


def contributions(shares: Callable) -> Found:
    """Take what every part added, the embedding first, times the final state, over the square of its length."""
    draw = torch.Generator().manual_seed(14)
    stream = list(torch.randn(4, 5, 8, generator=draw).double().cumsum(0))
    last, added = stream[-1], [stream[0], *(b - a for a, b in pairwise(stream))]

    def over(parts: Iterable[Tensor]) -> Tensor:
        return torch.stack([(part * last).sum(-1) / last.square().sum(-1) for part in parts])

    right = over(added)
    return compared(
        shares(stream),
        right,
        no_embedding=right[1:],
        lengths=torch.stack([d.norm(dim=-1) / last.norm(dim=-1) for d in added]),
        cosines=torch.stack([cosine_similarity(d, last, dim=-1) for d in added]),
        one_root=right * last.norm(dim=-1),
        whole_states=over(stream),
        order=right.T,
    )


def _loss(logits: Tensor, ids: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1), ids.flatten())


CHECKS = {"7.1": relative_errors, "7.2": worst_share, "7.3": lens, "7.4": chance_band, "7.5": contributions}
