"""How far each token lies from where the best affine map of a layer would put it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from .moments import RESOLUTION, JointMoments
from .reading import read
from .scores import best_map, need_tokens
from .sums import joint_moments


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
    moments: Mapping[int, JointMoments] | None = None,
    part: str = "block",
    layers: Sequence[int] | None = None,
    batch_size: int | None = None,
) -> TokenErrors:
    """Return the error ‖y - (xA + b)‖ of every token and layer (the paper's appendix A; 2502.15007, equation 2).

    The map is fitted on the same tokens, in a first pass over the text, or comes from ``moments`` of others
    (:func:`linstudy.measure.joint_moments` of another part of the text, for errors held out): then ``layers`` are
    theirs. The errors take 4 bytes a layer and token.

    Raises what :func:`linstudy.measure.joint_moments` does.
    """
    if moments is None:
        moments = joint_moments(model, blocks, part=part, layers=layers, batch_size=batch_size)
    elif layers is not None:
        moments = {layer: moments[layer] for layer in layers}
    maps, scale = {}, []
    for layer, kept in moments.items():
        need_tokens(kept.tokens, kept.dim)
        m = kept.centred()
        # Where products in float32 were good enough for the scores, they are for a token.
        work = torch.float64 if float(kept.resolution) == RESOLUTION[torch.float64] else torch.float32
        maps[layer] = [part.to(work) for part in (best_map(m), m.mean_x, m.mean_d)]
        scale.append(float(m.yy.sum() / m.tokens) ** 0.5)
    error = torch.empty(len(maps), *blocks.shape)
    for batch in read(model, blocks, part=part, batch_size=batch_size):
        for row, (layer, (a, mean_x, mean_d)) in zip(error, maps.items(), strict=True):
            x, y = (state.to(a.device, a.dtype) for state in batch.pairs[layer - 1])
            row[batch.rows] = (y - x - mean_d - (x - mean_x) @ a).norm(dim=-1).cpu()
    return TokenErrors(tuple(maps), error, torch.tensor(scale))
