"""How linear the layers of a model are on tokens that only have the shape of its stream: a Gaussian control."""

from collections.abc import Iterator

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from linstudy.measure import JointMoments, Selection
from linstudy.measure.moments import added
from linstudy.measure.profile import scores_of
from linstudy.measure.selection import planned, share_of
from linstudy.measure.sums import moments_of
from linstudy.models import capture, replaced

from ..outliers import FACTOR, OUTLIERS

AT_ONCE = 8  # blocks


@torch.no_grad()
def on_gaussian_tokens(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, heldout: float, seed: int
) -> pd.DataFrame:
    """Score every layer on Gaussian tokens, as many as the blocks have, none of which depends on another.

    Their mean and covariances are those of the ordinary tokens that enter the layer when the model reads the blocks.
    Second moments are all that a score sees, so Gaussian pairs with those of x *and* y would score the same by
    definition. Here y is what the layer makes of them: what is left of a score that was owed to what tokens are, and
    not to how they spread. The best map of Gaussian tokens is the layer's mean derivative (Stein's lemma).

    Columns: ``layer``, ``selection`` and ``kept`` as in :func:`casebook.rows.protocol.protocol`, and the scores.
    Raises ValueError for a model that does something to embeddings before its first layer.
    """
    shapes, draw, rows = list(_shapes(model, blocks)), torch.Generator().manual_seed(seed), []
    cut = len(blocks) - share_of(len(blocks), heldout)
    for layer, (mean, root) in enumerate(shapes, start=1):
        moments = [JointMoments.empty(len(mean), device=model.device) for _ in (0, 1)]
        others = {index: nn.Identity() for index in range(len(shapes)) if index != layer - 1}
        with replaced(model, others):
            for start in range(0, len(blocks), AT_ONCE):
                count = min(AT_ONCE, len(blocks) - start)
                drawn = torch.randn(count, blocks.shape[1], len(mean), generator=draw, dtype=mean.dtype)
                x, y = through(model, (mean + drawn @ root.T).to(model.dtype), layer)
                fitted = max(cut - start, 0)
                for part, some in zip(moments, (slice(fitted), slice(fitted, None)), strict=True):
                    part.update(x[some].flatten(0, 1), y[some].flatten(0, 1))
        rows.append({"layer": layer, "selection": OUTLIERS, "kept": 1.0, "dropped": ""} | scores_of(moments))
    return pd.DataFrame(rows).assign(part="block")


def _shapes(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"]
) -> Iterator[tuple[Float[Tensor, " dim"], Float[Tensor, "dim dim"]]]:
    """Yield the mean of what enters every layer, outliers left out, and a root of its covariances."""
    plan = planned(model, blocks, [Selection("block", outliers=FACTOR)], 0.0, None)
    found = {}
    for layers in plan.passes(None):
        moments = moments_of(model, plan, layers, lambda count: None)
        found |= {layer: added(cells.of(0)).centred() for layer, cells in moments}
    for _, centred in sorted(found.items()):
        values, vectors = torch.linalg.eigh((centred.xx / centred.tokens).cpu())
        yield centred.mean_x.cpu(), vectors * values.clamp_min(0).sqrt()


def through(model: PreTrainedModel, x: Float[Tensor, "block token dim"], layer: int) -> tuple[Tensor, Tensor]:
    """Return what enters a layer and what leaves it, when the layers before it do nothing."""
    x = x.to(model.device)
    with capture(model) as stream:
        model.base_model(inputs_embeds=x, use_cache=False)
    if not torch.equal(stream[layer - 1], x):
        raise ValueError("the model changes embeddings before its first layer: a Gaussian stream cannot be put there")
    return stream[layer - 1], stream[layer]
