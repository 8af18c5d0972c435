"""Massive activations: where they are, which tokens carry them, and what is left of a score without these tokens."""

from collections.abc import Sequence

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from .profile import linearity_profile
from .reading import check_text, read

FACTOR = 5.0  # an outlier is so many times as far from the centre as the median token
FIRST_TOKENS = 512  # whose median is the centre, so that it does not depend on the batches
MASSIVE, TIMES_MEDIAN = 100.0, 1000.0  # Sun et al. 2024, section 2: at least this large, and this far above the median


def massive_activations(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, factor: float = FACTOR, batch_size: int | None = None
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
    distances, rows = _distances(model, blocks, batch_size)
    outliers = _outliers(distances, factor)
    share = (distances.square() * outliers).sum((1, 2)) / distances.square().sum((1, 2))
    table = pd.DataFrame(rows).assign(outliers=outliers.double().mean((1, 2)).numpy(), outlier_variance=share.numpy())
    table.insert(0, "boundary", range(len(table)))
    return table


def ordinary_tokens(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, factor: float = FACTOR, batch_size: int | None = None
) -> Bool[Tensor, "layer block token"]:
    """Say which tokens are no outliers, neither entering nor leaving a layer: the ``keep`` of a profile.

    A token is an outlier at a boundary where it lies more than ``factor`` times as far from the centre (of every
    feature the median) as the median token. An offset common to all tokens, however large, makes no outlier.
    """
    at_boundary = _outliers(_distances(model, blocks, batch_size)[0], factor)
    return ~(at_boundary[:-1] | at_boundary[1:])


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

    The rows are those of :func:`linstudy.linearity_profile` with a column ``ablation`` ("all tokens", "first 4 left
    out", "outliers left out") and ``kept``, the share of tokens measured. The model always reads the whole text:
    only what is scored changes. What standardising the features does stands in each row's own columns
    ``linearity_standardised`` and ``update_linearity_standardised``.
    """
    options = {"part": part, "batch_size": batch_size}
    tables = []
    for count in first:
        name = f"first {count} left out" if count else "all tokens"
        profile = linearity_profile(model, blocks, drop_first=count, **options)
        tables.append(profile.assign(ablation=name, drop_first=count))
    keep = ordinary_tokens(model, blocks, factor=factor, batch_size=batch_size)
    profile = linearity_profile(model, blocks, keep=keep, **options)
    tables.append(profile.assign(ablation="outliers left out", drop_first=0))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(kept=table["tokens"] / blocks.numel())


def _outliers(distances: Float[Tensor, "boundary block token"], factor: float) -> Bool[Tensor, "boundary block token"]:
    return distances > factor * distances.flatten(1).median(dim=1).values[:, None, None]


@torch.no_grad()
def _distances(
    model: PreTrainedModel, blocks: Tensor, batch_size: int | None
) -> tuple[Float[Tensor, "boundary block token"], list[dict[str, float]]]:
    """Return every token's distance from the centre at every boundary, and the largest entries there."""
    check_text(model, blocks)
    found, rows, centres = [], [], []
    for some, _, stream, _ in read(model, blocks, batch_size=batch_size):
        if not rows:
            first = [state.flatten(0, 1)[:FIRST_TOKENS].float() for state in stream]
            centres = [state.median(dim=0).values for state in first]
            rows = [{"median": float(state.abs().median()), "largest": -1.0} for state in first]
        away = [(state.float() - centre).norm(dim=-1) for state, centre in zip(stream, centres, strict=True)]
        found.append(torch.stack(away).cpu())
        for row, state in zip(rows, stream, strict=True):
            _note_largest(row, state.float().abs(), blocks[some])
    return torch.cat(found, dim=1).double(), rows


def _note_largest(row: dict[str, float], size: Float[Tensor, "block token dim"], ids: Tensor) -> None:
    bound = max(MASSIVE, TIMES_MEDIAN * row["median"])
    row["massive"] = row.get("massive", 0) + int((size > bound).sum())
    largest = float(size.max())
    if largest > row["largest"]:
        block, position, dimension = (int(i) for i in torch.unravel_index(size.argmax(), size.shape))
        row |= {"largest": largest, "times_median": largest / row["median"] if row["median"] else float("inf")}
        row |= {"dimension": dimension, "position": position, "token": int(ids[block, position])}
