"""Orders of removal: which layer goes first, by the measures that have been proposed, and by trying."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedModel

from ..lookup import named
from .calibration import Calibration
from .fitting import Blocks
from .importance import SIGNS

Layers = tuple[int, ...]


@dataclass(frozen=True)
class Order:
    """What an order does, and what it has a set of layers cost, the last of which is the newest.

    The layer goes next with which the cost is least; in an order of ``runs``, the run of layers.
    """

    says: str
    cost: Callable[[Calibration, Layers], float]
    runs: bool = False
    drawn: bool = False  # the layers are put in a random order first


def _score(column: str) -> Callable[[Calibration, Layers], float]:
    return lambda known, layers: SIGNS[column] * known.scores[column][layers[-1]]


ORDERS: dict[str, Order] = {
    "linearity": Order(
        "Put the most linear layer first (Razzhigaev et al. 2024, section 5, who do not say which of their scores).",
        _score("linearity"),
    ),
    "update_linearity": Order(
        "Put the layer first whose update is most linear: the same paper's score without the residual.",
        _score("update_linearity"),
    ),
    "block_influence": Order(
        "Put the layer first that turns the stream least, 1 - cos(x, y) (Men et al. 2024, ShortGPT).",
        _score("block_influence"),
    ),
    "norm_ratio": Order(
        "Put the layer first whose update is smallest beside the stream (Razzhigaev et al. 2024, figure 3).",
        _score("norm_ratio"),
    ),
    "angular": Order(
        "Take the run of layers across which the last token's state turns least (Gromov et al. 2024).",
        lambda known, layers: float(known.distances[layers[0] - 1, layers[-1]]),
        runs=True,  # so the orders for two counts need not share a layer
    ),
    "cca": Order(
        "Put the layer first whose output is nearest to linear in canonical directions (Erdogan et al. 2025, NBL).",
        _score("cca_distance"),
    ),
    "cca_bound": Order(
        "Put the layer first with the least bound on its affine map's error (Erdogan et al. 2025, NBL).",
        _score("cca_bound"),
    ),
    "single_cost": Order(
        "Put the layer first whose removal alone costs least loss: what all the scores try to tell beforehand.",
        lambda known, layers: known.loss("remove", layers[-1:]),
    ),
    "single_cost_replaced": Order(
        "Put the layer first whose replacement by its affine map alone costs least loss.",
        lambda known, layers: known.loss("affine", layers[-1:]),
    ),
    "greedy": Order(  # SLEB never takes the first and the last layer
        "Remove, again and again, the layer without which the loss is least (Song et al. 2024, SLEB).",
        lambda known, layers: known.loss("remove", layers),
    ),
    "greedy_replaced": Order(
        "Replace, again and again, the layer by its affine map with which the loss is least.",
        lambda known, layers: known.loss("affine", layers),
    ),
    "random": Order("Draw the layers: what any order has to beat.", lambda known, layers: 0, drawn=True),
    "last_first": Order("Take the layers from the end.", lambda known, layers: -layers[-1]),
    "last_but_one_first": Order(
        "Take the layers from the end, but keep the last one to the last (Gromov et al. 2024).",
        lambda known, layers: -(layers[-1] % known.depth),
    ),
}


def choose(
    model: PreTrainedModel,
    blocks: Blocks,
    order: str,
    *,
    count: int | None = None,
    fixed: Collection[int] = (),
    seed: int = 0,
    known: Calibration | None = None,
) -> list[int]:
    """Return the numbers of layers that can go, counted from 1, the most removable first.

    ``order`` is a name in ``ORDERS``; ``count`` layers go, by default all but one, and ``fixed`` ones stay. But for
    ``angular``, which takes one run, a shorter list is the beginning of a longer one. They are chosen by ``blocks`` of
    token ids, over the first 128 of which greedy orders pass some count * depth times, and ``random`` by the ``seed``.
    ``known`` is what was found out of this model and text already.

    Raises ValueError for an order that is not known, for more layers than can go, and where no run is left.
    """
    how, known = named(ORDERS, order, "order"), known or Calibration(model, blocks)
    candidates, count = may_go(known.depth, count, fixed)
    if how.drawn:
        candidates = np.random.default_rng(seed).permutation(candidates).tolist()
    if how.runs:
        runs = [tuple(range(layer, layer + count)) for layer in candidates]
        runs = [run for run in runs if set(run) <= set(candidates)]
        if not runs:
            raise ValueError(f"no run of {count} layers leaves layers {sorted(fixed)} in place: choose fewer layers")
        return list(min(runs, key=lambda run: how.cost(known, run)))
    gone: Layers = ()
    while len(gone) < count:
        sets = [(*gone, layer) for layer in candidates if layer not in gone]
        gone = min(sets, key=lambda layers: how.cost(known, layers))
    return list(gone)


def may_go(depth: int, count: int | None, fixed: Collection[int]) -> tuple[list[int], int]:
    """Return the layers that may go, and how many are to go. Raises ValueError where these are too many."""
    candidates = [layer for layer in range(1, depth + 1) if layer not in fixed]
    most = min(len(candidates), depth - 1)
    if count is not None and not 0 < count <= most:
        raise ValueError(
            f"count={count} layers cannot go: of {depth} layers 1 to {most} can, with {len(set(fixed))} fixed"
        )
    return candidates, most if count is None else count
