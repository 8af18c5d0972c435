"""Massive activations: where they are, which tokens carry them, and what is left of a score without these tokens."""

from collections.abc import Sequence

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import Selection, linearity_profiles
from linstudy.measure.reading import check_text, read
from linstudy.measure.sieve import FIRST_TOKENS, Distances

OUTLIERS = "outliers left out"
FACTOR = 5.0  # an outlier is so many times as far from the centre as the median token
MASSIVE, TIMES_MEDIAN = 100.0, 1000.0  # Sun et al. 2024, section 2: at least this large, and this far above the median


@torch.no_grad()
def massive_activations(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    factor: float = FACTOR,
    stack: str | None = None,
    batch_size: int | None = None,
) -> pd.DataFrame:
    """Look for massive activations at every boundary between layers: one row a boundary, 0 before the first layer.

    Returns:
        ``boundary``; ``median`` and ``largest`` of the magnitudes `|h|` of the stream's entries (the median of the
        first 512 tokens), ``times_median`` their ratio; ``dimension``, ``position`` (in its block, from 0) and
        ``token`` (id) of the largest; ``massive``, how many entries are massive activations as Sun et al. (2024)
        define them: over 100 and over 1,000 medians; ``outliers``, the share of tokens that
        :func:`ordinary_tokens` calls outliers there, and ``outlier_variance``, the share of the squared distances
        from the centre that is theirs: next to 1, every score of this boundary is theirs as well.
    """
    check_text(model, blocks)
    distances, rows = Distances(blocks), []
    for batch in read(model, blocks, stack=stack, batch_size=batch_size):
        distances.add(batch)
        if not rows:
            first = [state.flatten(0, 1)[:FIRST_TOKENS].float().abs() for state in batch.stream]
            rows = [{"boundary": i, "median": float(state.median()), "largest": -1.0} for i, state in enumerate(first)]
        for row, state in zip(rows, batch.stream, strict=True):
            _note_largest(row, state.float().abs(), batch.ids)
    outliers, squares = _far(distances, factor), distances.found.double().square()
    share = (squares * outliers).sum((1, 2)) / squares.sum((1, 2))
    return pd.DataFrame(rows).assign(outliers=outliers.double().mean((1, 2)).numpy(), outlier_variance=share.numpy())


@torch.no_grad()
def ordinary_tokens(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, factor: float = FACTOR, batch_size: int | None = None
) -> Bool[Tensor, "layer block token"]:
    """Say which tokens are no outliers, neither entering nor leaving a layer: the ``keep`` of a profile.

    A token is an outlier at a boundary where it lies more than ``factor`` times as far from the centre (of every
    feature the median) as the median token. An offset common to all tokens, however large, makes no outlier.
    """
    check_text(model, blocks)
    distances = Distances(blocks)
    for batch in read(model, blocks, batch_size=batch_size):
        distances.add(batch)
    outliers = _far(distances, factor)
    return ~(outliers[:-1] | outliers[1:])


def outlier_ablation(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    first: Sequence[int] = (0, 1, 2, 4, 8),
    factor: float = FACTOR,
    part: str = "block",
    batch_size: int | None = None,
) -> pd.DataFrame:
    """Measure a profile with all tokens, without the ``first`` so many of every block, and without outliers.

    All come from one pass over the text (:func:`linearity_profiles`). The rows are those of
    :func:`linstudy.linearity_profile` with a column ``ablation`` ("all tokens", "first 4 left out", "outliers left
    out") and ``kept``, the share of tokens measured. The model always reads the whole text: only what is scored
    changes. What standardising the features does stands in each row's own columns ``linearity_standardised`` and
    ``update_linearity_standardised``.
    """
    dropped = {f"first {count} left out" if count else "all tokens": count for count in first} | {OUTLIERS: 0}
    selections = {name: Selection(part, count) for name, count in dropped.items()}
    selections[OUTLIERS] = Selection(part, outliers=factor)
    table = linearity_profiles(model, blocks, selections, batch_size=batch_size)
    table["ablation"] = table.pop("selection")
    return table.assign(drop_first=table["ablation"].map(dropped), kept=table["tokens"] / blocks.numel())


def _note_largest(row: dict[str, float | int], size: Float[Tensor, "block token dim"], ids: Tensor) -> None:
    bound = max(MASSIVE, TIMES_MEDIAN * row["median"])
    row["massive"] = row.get("massive", 0) + int((size > bound).sum())
    largest = float(size.max())
    if largest > row["largest"]:
        block, position, dimension = (int(i) for i in torch.unravel_index(size.argmax(), size.shape))
        row |= {"largest": largest, "times_median": largest / row["median"] if row["median"] else float("inf")}
        row |= {"dimension": dimension, "position": position, "token": int(ids[block, position])}


def _far(distances: Distances, factor: float) -> Bool[Tensor, "boundary block token"]:
    """Say which tokens lie more than ``factor`` times as far from the centre as the median one."""
    return distances.found.double() > factor * distances.medians()[:, None, None]
