"""What one pass over a text says of every layer: the scores by which layers are put in an order of removal."""

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..measure import JointMoments
from ..measure import scores as linearity_scores
from ..measure.centred import Centred
from ..measure.reading import check_text, read
from ..measure.scores import best_map, correlation, need_tokens
from ..models import blocks as model_blocks
from ..models import width_of

# 1 where a small number says that a layer can go, -1 where a large one does
SIGNS = {"linearity": -1, "update_linearity": -1, "block_influence": 1, "norm_ratio": 1, "angular_distance": 1}
SIGNS |= {"cca_distance": 1, "cca_bound": 1}


def layer_scores(model: PreTrainedModel, blocks: Int[Tensor, "block token"]) -> pd.DataFrame:
    """Return the scores of every layer, one row each, from one pass over the text.

    Columns: ``layer``, from 1; ``linearity``, ``update_linearity`` and ``norm_ratio`` as in a profile;
    ``block_influence``, 1 - mean cos(x, y), in [0, 2] (Men et al. 2024, ShortGPT); ``angular_distance``,
    mean arccos(cos(x, y)) / pi at the last token of each block, in [0, 1] (Gromov et al. 2024);
    ``cca_distance``, the sum over canonical directions of 1 - rho², and ``cca_bound``, that times the variance of the
    layer's output: what the squared error of the best affine map cannot exceed (Erdogan et al. 2025, NBL; their
    program ranks by the sum alone). rho² is corrected for the number of tokens as linearity is.

    Raises ValueError for a text that is too short or not made for this model.
    """
    check_text(model, blocks)
    depth, dim = len(model_blocks(model)), width_of(model)
    need_tokens(blocks.numel(), dim)
    moments: list[JointMoments] = []
    angles = []
    for batch in read(model, blocks):
        stream = batch.stream
        moments = moments or [JointMoments.empty(dim, device=state.device) for state in stream]
        for layer, x, y in zip(range(1, depth + 2), stream, [*stream[1:], stream[-1]], strict=True):
            # The last of these is of what leaves the last layer, for its covariance.
            moments[layer - 1].update(x.flatten(0, 1), y.to(x.device).flatten(0, 1))
        angles.append(_angles(stream))
    distance = torch.cat(angles).mean(0)
    centred = [one.centred() for one in moments]
    rows = []
    for layer, (one, m, after) in enumerate(zip(moments[:-1], centred[:-1], centred[1:], strict=True), start=1):
        found = linearity_scores(one)
        apart = cca_distance(m, after.xx.to(m.xx.device))
        rows.append(
            {"layer": layer, "linearity": found["linearity"], "update_linearity": found["update_linearity"]}
            | {"block_influence": 1 - found["cosine"], "norm_ratio": found["norm_ratio"]}
            | {"angular_distance": float(distance[layer - 1, layer])}
            | {"cca_distance": apart, "cca_bound": apart * float(m.yy.sum()) / m.tokens}
        )
    return pd.DataFrame(rows)


def angular_distances(model: PreTrainedModel, blocks: Int[Tensor, "block token"]) -> Float[Tensor, "boundary boundary"]:
    """Return the mean angle, in units of pi, between the states of the last token at any two boundaries.

    Boundary 0 is what enters the first layer, boundary l what leaves layer l.
    """
    check_text(model, blocks)
    return torch.cat([_angles(batch.stream) for batch in read(model, blocks)]).mean(0)


def cca_distance(m: Centred, yy: Float[Tensor, "dim dim"]) -> float:
    """Return the sum of 1 - rho² over the canonical correlations rho of x and y, given the covariance of y.

    It is the trace of the error's covariance in units of y's. The error comes from the moments of (x, d), which keep
    their digits where rho is next to 1.
    """
    error = yy - m.xx - m.xd - m.xd.T - m.xd.T @ best_map(m)  # of d = y - x as of y
    scale, scaled = correlation(yy)
    values, vectors = torch.linalg.eigh(scaled)
    kept = values > m.resolution * values[-1]
    vectors = vectors[:, kept] / scale[:, None]
    adjust = (m.tokens - 1) / (m.tokens - len(yy) - 1)
    return adjust * float(((vectors.T @ error).T * vectors).sum(0) @ (1 / values[kept]))


def _angles(stream: list[Float[Tensor, "block token dim"]]) -> Float[Tensor, "block boundary boundary"]:
    last = torch.stack([state[:, -1].double().cpu() for state in stream], dim=1)
    last = last / last.norm(dim=-1, keepdim=True)
    return (last @ last.mT).clamp(-1, 1).arccos() / torch.pi
