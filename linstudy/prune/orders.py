"""Orders of removal: which layer goes first, by the measures that have been proposed, and by trying.

Every function takes a model and token blocks and returns numbers of layers, counted from 1, the most removable first.
``count`` is how many are to go, by default all but one; ``fixed`` layers stay; ``scores`` are those of
:func:`layer_scores` for this model and text, where somebody has them; ``seed`` matters to :func:`random` alone.
"""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from ..evaluate import cross_entropy
from ..models import blocks as model_blocks
from .actions import fit
from .changes import Change, changed
from .scores import SIGNS, angular_distances, layer_scores

SEQUENCES = 128  # blocks on which a loss is measured, as in SLEB

Model = PreTrainedModel
Blocks = Int[Tensor, "block token"]
Layers = Collection[int]
Scores = pd.DataFrame | None


def _by_score(name: str, doc: str, *, column: str = "") -> Callable[..., list[int]]:
    """Return the order that a column of ``layer_scores``, by default the one of this name, puts the layers in."""
    column = column or name

    def order(
        model: Model,
        blocks: Blocks,
        *,
        count: int | None = None,
        fixed: Layers = (),
        seed: int = 0,
        scores: Scores = None,
    ) -> list[int]:
        candidates, count = _candidates(model, count, fixed)
        values = (layer_scores(model, blocks) if scores is None else scores).set_index("layer")[column]
        return sorted(candidates, key=lambda layer: SIGNS[column] * values[layer])[:count]

    order.__name__ = order.__qualname__ = name
    order.__doc__ = doc
    return order


linearity = _by_score(
    "linearity",
    "Put the most linear layer first (Razzhigaev et al. 2024, section 5, who do not say which of their scores).",
)
update_linearity = _by_score(
    "update_linearity",
    "Put the layer first whose update is most linear: the same paper's score without the residual.",
)
block_influence = _by_score(
    "block_influence",
    "Put the layer first that turns the stream least, 1 - cos(x, y) (Men et al. 2024, ShortGPT).",
)
norm_ratio = _by_score(
    "norm_ratio",
    "Put the layer first whose update is smallest beside the stream (Razzhigaev et al. 2024, figure 3).",
)
cca = _by_score(
    "cca",
    "Put the layer first whose output is nearest to linear in every canonical direction (Erdogan et al. 2025, NBL).",
    column="cca_distance",
)
cca_bound = _by_score(
    "cca_bound",
    "Put the layer first with the least bound on its affine map's error (Erdogan et al. 2025, NBL).",
)


def angular(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Return the run of ``count`` layers across which the last token's state turns least (Gromov et al. 2024).

    One run, so the orders for two counts need not share a layer. Raises ValueError where ``fixed`` leaves no run.
    """
    candidates, count = _candidates(model, count, fixed)
    distances = angular_distances(model, blocks)
    starts = [layer for layer in candidates if set(range(layer, layer + count)) <= set(candidates)]
    if not starts:
        raise ValueError(f"no run of {count} layers leaves layers {sorted(fixed)} in place: choose fewer layers")
    first = min(starts, key=lambda layer: float(distances[layer - 1, layer - 1 + count]))
    return list(range(first, first + count))


def single_cost(
    model: Model,
    blocks: Blocks,
    *,
    count: int | None = None,
    fixed: Layers = (),
    seed: int = 0,
    scores: Scores = None,
    action: str = "remove",
) -> list[int]:
    """Put the layer first whose removal alone costs least loss: what all the scores try to tell beforehand."""
    candidates, count = _candidates(model, count, fixed)
    loss = _loss_after(model, blocks, candidates, action)
    return sorted(candidates, key=lambda layer: loss([layer]))[:count]


def single_cost_replaced(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Put the layer first whose replacement by its affine map alone costs least loss."""
    return single_cost(model, blocks, count=count, fixed=fixed, action="affine")


def greedy(
    model: Model,
    blocks: Blocks,
    *,
    count: int | None = None,
    fixed: Layers = (),
    seed: int = 0,
    scores: Scores = None,
    action: str = "remove",
) -> list[int]:
    """Remove, again and again, the layer without which the loss is least (Song et al. 2024, SLEB).

    SLEB never takes the first and the last layer; here only ``fixed`` ones stay. Some count * depth passes over the
    first 128 blocks.
    """
    candidates, count = _candidates(model, count, fixed)
    loss = _loss_after(model, blocks, candidates, action)
    gone: list[int] = []
    while len(gone) < count:
        gone.append(min((layer for layer in candidates if layer not in gone), key=lambda layer: loss([*gone, layer])))
    return gone


def greedy_replaced(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Replace, again and again, the layer by its affine map with which the loss is least."""
    return greedy(model, blocks, count=count, fixed=fixed, action="affine")


def random(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Draw the layers: what any order has to beat."""
    candidates, count = _candidates(model, count, fixed)
    return np.random.default_rng(seed).permutation(candidates)[:count].tolist()


def last_first(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Take the layers from the end."""
    candidates, count = _candidates(model, count, fixed)
    return candidates[::-1][:count]


def last_but_one_first(
    model: Model, blocks: Blocks, *, count: int | None = None, fixed: Layers = (), seed: int = 0, scores: Scores = None
) -> list[int]:
    """Take the layers from the end, but keep the last one to the last (Gromov et al. 2024)."""
    candidates, count = _candidates(model, count, fixed)
    last = len(model_blocks(model))
    return sorted(candidates, key=lambda layer: (layer == last, -layer))[:count]


ORDERS: dict[str, Callable[..., list[int]]] = {
    function.__name__: function
    for function in (
        linearity,
        update_linearity,
        block_influence,
        norm_ratio,
        angular,
        cca,
        cca_bound,
        single_cost,
        single_cost_replaced,
        greedy,
        greedy_replaced,
        random,
        last_first,
        last_but_one_first,
    )
}


def _candidates(model: Model, count: int | None, fixed: Layers) -> tuple[list[int], int]:
    """Return the layers that may go, and how many are to go."""
    depth = len(model_blocks(model))
    candidates = [layer for layer in range(1, depth + 1) if layer not in fixed]
    most = min(len(candidates), depth - 1)
    if count is not None and not 0 < count <= most:
        raise ValueError(
            f"count={count} layers cannot go: of {depth} layers 1 to {most} can, with {len(set(fixed))} fixed"
        )
    return candidates, most if count is None else count


def _loss_after(model: Model, blocks: Blocks, candidates: list[int], action: str) -> Callable[[list[int]], float]:
    """Return the function that says how large the loss is once some layers have gone, each by itself."""
    changes: dict[int, Change] = {one.first: one for one in fit(model, candidates, action, blocks=blocks)}

    def loss(layers: list[int]) -> float:
        with changed(model, [changes[layer] for layer in layers]):
            return cross_entropy(model, blocks[:SEQUENCES])

    return loss
