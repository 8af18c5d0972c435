"""Penalties on the residual stream: what the paper adds to the loss so that neighbouring layers stay alike."""

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

CHOICES = {
    "kind": ("cosine", "mse"),
    "tokens": ("mean", "sum"),
    "layers": ("sum", "mean"),
    "features": ("sum", "mean"),
    "last": ("out", "stream", "normed"),
}
OVER = {"mean": torch.mean, "sum": torch.sum}
State = Float[Tensor, "batch token dim"]


@dataclass(frozen=True)
class Penalty:
    """A term of the loss that grows with the distance of neighbouring states h of the stream (the paper, section 4).

    ``cosine`` is weight · Σ (1 - cos(h_l, h_(l-1))), ``mse`` is weight · Σ ‖h_l - h_(l-1)‖², both in the unit of the
    loss, nats per token. The paper prints these sums and weights of 0.5 and 2.0, and leaves open what the sums run
    over and how they are normalised. So that is said here; the defaults are one reading of it, the one whose weight
    means the same for any batch, any length and any number of tokens.
    """

    kind: str  # cosine or mse
    weight: float  # λ
    _: KW_ONLY
    tokens: str = "mean"  # over the tokens of a step: mean or sum
    layers: str = "sum"  # over the pairs of neighbours: sum or mean
    features: str = "sum"  # of the squared differences of mse: sum, the squared norm as printed, or mean
    embeddings: bool = True  # whether the embedding layer's output is the first block's neighbour
    last: str = "stream"  # the last block's output: in, as it is, as the paper prints; out; or normed (in, after the
    # final norm, which is what a library's list of hidden states ends with)
    detached: bool = False  # whether the earlier neighbour is only a target and gets no gradient

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"a penalty's {name} is {getattr(self, name)!r}; it must be {' or '.join(choices)}")
        if not (self.weight >= 0 and math.isfinite(self.weight)):
            raise ValueError(f"a penalty's weight is {self.weight}; it must be 0 or above")


def neighbour_penalty(
    stream: Sequence[State], penalty: Penalty, *, final_norm: nn.Module | None = None
) -> Float[Tensor, ""]:
    """Return the weighted penalty of a captured stream, in nats per token.

    ``stream`` holds what enters the first block and what leaves each block (:func:`linstudy.capture`); ``final_norm``
    is needed for ``last="normed"`` alone.

    Raises ValueError where no two neighbours are left, or a final norm is wanted and not given.
    """
    states = list(stream[not penalty.embeddings : len(stream) - (penalty.last == "out")])
    if len(states) < 2:
        raise ValueError(
            f"a penalty needs two neighbouring states, but of {len(stream)} only {len(states)} count: take the "
            "embeddings or the last block's output in (embeddings=True, last='stream'), or a deeper model"
        )
    if penalty.last == "normed":
        if final_norm is None:
            raise ValueError("the last state is to be normed, but there is no final norm: take last='stream'")
        states[-1] = final_norm(states[-1])
    states = [state.float() for state in states]  # bfloat16 has not the digits for 1 - cos
    if penalty.kind == "cosine":
        distances = list(1 - NeighbourCosines.apply(penalty.detached, *states))
    else:
        squares = [(y - (x.detach() if penalty.detached else x)).square() for x, y in pairwise(states)]
        distances = [OVER[penalty.features](square, -1) for square in squares]
    over_tokens = torch.stack([OVER[penalty.tokens](distance) for distance in distances])
    return penalty.weight * OVER[penalty.layers](over_tokens)


class NeighbourCosines(torch.autograd.Function):
    """Cosines of neighbouring states, (pair, batch, token), with the gradient of each state in one sum.

    By autograd's own rules it would be gathered from products and norms, one pass over the states for each, and a
    penalty is paid for in every step. With c = cos(x, y), dc/dx = y / (|x| |y|) - c x / |x|^2.
    """

    @staticmethod
    def forward(ctx: Any, detached: bool, *states: State) -> Float[Tensor, "pair batch token"]:
        """Return the cosines; with ``detached`` the earlier neighbour of each pair gets no gradient."""
        norms = [torch.linalg.vector_norm(state, dim=-1).clamp_min(1e-8) for state in states]
        dots = torch.stack([(x * y).sum(-1) for x, y in pairwise(states)])
        cosines = dots / torch.stack([a * b for a, b in pairwise(norms)])
        ctx.detached, ctx.depth = detached, len(states)
        ctx.save_for_backward(*states, *norms, cosines)
        return cosines

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_cosine: Float[Tensor, "pair batch token"]) -> tuple[State | None, ...]:
        """Return the gradient of each state, None for one that gets none."""
        *saved, cosines = ctx.saved_tensors
        states, norms = saved[: ctx.depth], saved[ctx.depth :]
        gradients: list[State | None] = []
        for place, (state, norm) in enumerate(zip(states, norms, strict=True)):
            neighbours = [(place - 1, place - 1)] if place else []  # the pair, and who is in it besides this state
            neighbours += [(place, place + 1)] if place < len(cosines) and not ctx.detached else []
            gradient, along = None, 0.0
            for pair, other in neighbours:
                factor = (by_cosine[pair] / (norm * norms[other])).unsqueeze(-1)
                gradient = states[other] * factor if gradient is None else gradient.addcmul_(states[other], factor)
                along = along + by_cosine[pair] * cosines[pair]
            if gradient is not None:
                gradient.addcmul_(state, -(along / norm.square()).unsqueeze(-1))
            gradients.append(gradient)
        return None, *gradients
