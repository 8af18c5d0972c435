"""What each layer costs alone, and whether the scores had said so."""

import math
from collections.abc import Sequence

import pandas as pd
from jaxtyping import Int
from scipy.stats import kendalltau
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.evaluate import cross_entropy
from linstudy.lookup import named
from linstudy.models import StandIn, inside
from linstudy.models import blocks as model_blocks
from linstudy.prune import ACTIONS, SIGNS, changed
from linstudy.prune.calibration import Calibration
from linstudy.prune.fitting import Blocks


def single_costs(
    model: PreTrainedModel,
    calibration: Blocks,
    evaluation: Int[Tensor, "other length"],
    *,
    actions: Sequence[str] = ("remove", "affine"),
    part: str = "block",
) -> pd.DataFrame:
    """Remove or replace every layer by itself, or the same ``part`` of each (:func:`parts_in`): a row each and action.

    Columns ``layer``, ``action``, ``perplexity`` on the evaluation blocks, ``delta_perplexity`` and ``delta_nats``,
    by how much that and the loss are above the whole model's, and ``penalty``, the map's ridge penalty. The first
    layer, which no layer is before, has no row for "merge".
    """
    whole, known = cross_entropy(model, evaluation), Calibration(model, calibration, part)
    rows = []
    for action in actions:
        for layer in range(1 + named(ACTIONS, action, "action").merged, known.depth + 1):
            (change,) = known.changes(action, [layer])
            with changed(model, [change]):
                nats = cross_entropy(model, evaluation)
            row = {"layer": layer, "action": action, "perplexity": math.exp(nats)}
            row |= {"delta_perplexity": math.exp(nats) - math.exp(whole), "delta_nats": nats - whole}
            rows.append(row | {"penalty": change.penalty})
    return pd.DataFrame(rows)


def parts_in(model: PreTrainedModel) -> tuple[str, ...]:
    """Return which parts of its blocks can go by themselves: "attention", "mlp", both, or none."""
    found = [inside(model, block) for block in model_blocks(model) if not isinstance(block, StandIn)]
    return tuple(part for part in ("attention", "mlp") if found and all(getattr(one, part) for one in found))


def rank_agreement(scores: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return Kendall's tau between each score (``layer_scores``) and the true cost (:func:`single_costs`).

    One row a ``score`` and ``action``: ``tau`` in [-1, 1] is 1 where the score ranks the layers by what they
    cost, ``p_value`` the chance of one so far from 0 among unrelated orders, ``layers`` how many were compared.
    """
    rows = []
    for action, cost in costs.groupby("action", sort=False):
        both = cost[["layer", "delta_nats"]].merge(scores[["layer", *SIGNS]], on="layer")
        for score, sign in SIGNS.items():
            tau, p_value = kendalltau(sign * both[score], both["delta_nats"])
            rows.append({"score": score, "action": action, "tau": tau, "p_value": p_value, "layers": len(both)})
    return pd.DataFrame(rows)
