"""Single tokens: how far each lies from where a layer's map puts it, what each layer adds to it, its states."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import JointMoments, joint_moments
from linstudy.measure.precision import RESOLUTION
from linstudy.measure.reading import check_text, read
from linstudy.measure.scores import best_map, need_tokens

QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}


@dataclass(frozen=True, eq=False)
class TokenErrors:
    """Errors of the best affine map of each layer, token by token.

    ``error`` is the distance of what leaves the layer from what the map predicts, in the stream's units; ``scale`` the
    root of the mean squared distance of what leaves the layer from its mean. ``relative`` is their ratio: 1 for a
    token that the map misses by as much as a typical token deviates, and, with the map fitted on these tokens, its
    mean square over them is 1 - LS (raw) exactly.
    """

    layers: tuple[int, ...]
    error: Float[Tensor, "layer block token"]
    scale: Float[Tensor, " layer"]

    @property
    def relative(self) -> Float[Tensor, "layer block token"]:
        """The errors in units of each layer's scale."""
        return self.error / self.scale[:, None, None]


@torch.no_grad()
def token_errors(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    moments: dict[int, JointMoments] | None = None,
    part: str = "block",
    layers: list[int] | None = None,
    stack: str | None = None,
    batch_size: int | None = None,
) -> TokenErrors:
    """Return the error ‖y - (xA + b)‖ of every token and layer (the paper's appendix A; 2502.15007, equation 2).

    The map is fitted on the same tokens, in a first pass over the text, or comes from ``moments`` of others
    (:func:`linstudy.measure.joint_moments` of another part of the text, for errors held out): then ``layers`` are
    theirs. The errors take 4 bytes a layer and token.

    Raises what :func:`linstudy.measure.joint_moments` does.
    """
    if moments is None:
        moments = joint_moments(model, blocks, part=part, layers=layers, stack=stack, batch_size=batch_size)
    elif layers is not None:
        moments = {layer: moments[layer] for layer in layers}
    maps, scale = {}, []
    for layer, kept in moments.items():
        need_tokens(kept.tokens, kept.dim)
        m = kept.centred()
        # Where products in float32 were good enough for the scores, they are for a token.
        work = torch.float64 if m.resolution == RESOLUTION[torch.float64] else torch.float32
        maps[layer] = [part.to(work) for part in (best_map(m), m.mean_x, m.mean_d)]
        scale.append(float(m.yy.sum() / m.tokens) ** 0.5)
    error = torch.empty(len(maps), *blocks.shape)
    for batch in read(model, blocks, part=part, stack=stack, batch_size=batch_size):
        for row, (layer, (a, mean_x, mean_d)) in zip(error, maps.items(), strict=True):
            x, y = (state.to(a.device, a.dtype) for state in batch.pairs[layer - 1])
            row[batch.rows] = (y - x - mean_d - (x - mean_x) @ a).norm(dim=-1).cpu()
    return TokenErrors(tuple(maps), error, torch.tensor(scale))


@torch.no_grad()
def layer_contributions(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, batch_size: int | None = None
) -> Float[Tensor, "part block token"]:
    """Return the share of each token's final stream that every part has added: `<d_l, h_L> / |h_L|²`.

    Part 0 is the embedding, d_0 = h_0, part l the update of layer l, d_l = h_l - h_{l-1}, and h_L what leaves the last
    layer, before the final norm. The shares of a token sum to 1; one is below 0 where a layer takes away what others
    have added. Where a norm follows the addition (post-norm models), the update is what the layer changed in all,
    rescaling included.

    Raises ValueError as :func:`linstudy.linearity_profile` does for the text and the states.
    """
    check_text(model, blocks)
    shares = []
    for batch in read(model, blocks, batch_size=batch_size):
        last = batch.stream[-1].cpu().double()
        along = torch.stack([(state.cpu().double() * last).sum(-1) for state in batch.stream])
        shares.append((along / along[-1]).diff(dim=0, prepend=torch.zeros_like(along[:1])))
    return torch.cat(shares, dim=1)


def sample_states(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    count: int,
    *,
    drop_first: int = 0,
    seed: int = 0,
    batch_size: int | None = None,
) -> Float[Tensor, "boundary point dim"]:
    """Return the states of ``count`` tokens drawn at random, the same ones at every layer boundary.

    Boundary 0 is what enters the first layer, boundary l what leaves layer l, before the final norm. The tokens are
    drawn by ``seed``, none twice and none of the first ``drop_first`` of a block, and keep the order of the text. The
    result is in the model's number type and in the memory of the CPU; all other states are let go batch by batch.

    Raises ValueError for more tokens than there are, and as :func:`linstudy.linearity_profile` does for the text.
    """
    check_text(model, blocks, drop_first)
    kept = blocks.shape[1] - drop_first
    if not 1 <= count <= len(blocks) * kept:
        raise ValueError(
            f"{count} tokens cannot be drawn from {len(blocks)} blocks of {kept} tokens: "
            f"give a count from 1 to {len(blocks) * kept:,}, or more text"
        )
    drawn = torch.zeros(len(blocks) * kept, dtype=torch.bool)
    drawn[torch.randperm(len(drawn), generator=torch.Generator().manual_seed(seed))[:count]] = True
    drawn, sample = drawn.view(len(blocks), kept), []
    for batch in read(model, blocks, batch_size=batch_size):
        sample.append(torch.stack([state[:, drop_first:][drawn[batch.rows]].cpu() for state in batch.stream]))
    return torch.cat(sample, dim=1)


def error_summary(errors: np.ndarray) -> dict[str, float]:
    """Sum up the relative errors of a layer's tokens: quantiles, and the worst per cent's share of their squares."""
    squares = np.sort(errors.astype(float)) ** 2
    worst = squares[-max(1, round(len(squares) / 100)) :].sum() / squares.sum()
    found = {name: float(np.quantile(errors, share)) for name, share in QUANTILES.items()}
    return found | {"worst_percent": float(worst)}
