"""Linearity profiles: all scores of all layers of a model, in one pass over a text."""

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from ..models import name_of
from .moments import JointMoments, added
from .reading import share_of
from .resume import Progress
from .scores import heldout_scores, need_tokens, scores
from .selection import Keep, Plan, Selection, planned
from .sums import moments_of


def linearity_profile(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    drop_first: int = 0,
    keep: Keep | None = None,
    heldout: float = 0.0,
    layers: Sequence[int] | None = None,
    stack: str | None = None,
    memory: int | None = None,
    batch_size: int | None = None,
    resume: str | os.PathLike | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Measure how linear each layer of a model is on a text: one row a layer.

    Args:
        model: a language model; its mode and weights stay as they are.
        blocks: token ids, every block full (:func:`linstudy.token_blocks`).
        part: ``"block"``, ``"attention"`` or ``"mlp"``: what of a layer is measured.
        drop_first: tokens left out at the start of every block, where massive activations sit.
        keep: which tokens are measured, one truth value a token, or one a token of every layer
            (:func:`casebook.outliers.ordinary_tokens` makes these); all by default. The model reads all of them.
        heldout: share of the blocks, the last ones, on which the map fitted on the others is scored, in [0, 1).
        layers: which layers, counted from 1; all by default.
        stack: ``"encoder"`` or ``"decoder"`` for models that have both; the decoder then reads what the encoder does.
        memory: bytes the moments may take, by default half of what is free. More layers than fit are measured
            in several passes over the text, and the plan is printed.
        batch_size: blocks in a forward pass; by default some 4,096 tokens.
        resume: a file in which the moments are saved every minute, and from which a cut measurement goes on to
            the same numbers. It stays, and has the finished table too: remove it once that is safe.
        progress: show a bar; by default only in a terminal.

    Returns:
        Columns ``model``, ``revision``, ``layer`` (from 1), ``part``, ``tokens``, then those of
        :func:`linstudy.measure.scores`, and the two held-out scores (NaN without ``heldout``).

    Raises ValueError for a text that is too short, padded, or not made for this model, and for states that are not
    finite (it names the layer); IndexError for a layer that the model does not have.
    """
    plan = planned(model, blocks, [Selection(part, drop_first, keep, layers, stack)], heldout, batch_size)
    saved = Progress()
    if resume is not None:
        decides = {"part": part, "drop_first": drop_first, "heldout": heldout, "layers": plan.layers}
        decides |= {"stack": stack, "batch_size": len(blocks[plan.batches[0]])}
        saved = Progress.open(resume, model, [blocks] if keep is None else [blocks, keep], decides)
    return _measured(model, plan, memory, progress, saved).drop(columns="selection")


def linearity_profiles(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    selections: Mapping[str, Selection],
    *,
    heldout: float = 0.0,
    memory: int | None = None,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Measure profiles of several selections of the same text's tokens, in one pass over the text.

    ``selections`` are of the same part, layers and stack. The rows are those that :func:`linearity_profile` gives for
    each of them, with its name in the column ``selection``, one profile after another. Where the text is such that
    outliers cannot be told on the way, it is read a second time for the layers concerned.

    Raises as :func:`linearity_profile` does, and ValueError for selections of different parts, layers or stacks.
    """
    plan = planned(model, blocks, list(selections.values()), heldout, batch_size)
    table = _measured(model, plan, memory, progress, Progress())
    names = [list(selections)[number] for number in table.pop("selection")]
    return table.assign(selection=names)


def joint_moments(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    drop_first: int = 0,
    layers: Sequence[int] | None = None,
    stack: str | None = None,
    batch_size: int | None = None,
) -> dict[int, JointMoments]:
    """Return the moments of the stream before and after each layer, by the layer's number, counted from 1.

    From them come the scores (:func:`linstudy.measure.scores`) and the best affine maps
    (:func:`linstudy.linear_map`). They take 16 bytes times the width squared a layer. The arguments, and the errors,
    are those of :func:`linstudy.linearity_profile`.
    """
    plan = planned(model, blocks, [Selection(part, drop_first, None, layers, stack)], 0.0, batch_size)
    with _bar(len(plan.batches), None) as bar:
        return {layer: cells.of(0)[0] for layer, cells in moments_of(model, plan, plan.layers, bar.update)}


def _measured(
    model: PreTrainedModel, plan: Plan, memory: int | None, progress: bool | None, saved: Progress
) -> pd.DataFrame:
    shares = plan.passes(memory, {row["layer"] for row in saved.rows})
    with _bar(len(shares) * len(plan.batches), progress) as bar:
        for layers in shares:
            for layer, cells in moments_of(model, plan, layers, bar.update, saved):
                for number in range(len(plan.selections)):
                    saved.rows.append({"selection": number} | {"layer": layer} | scores_of(cells.of(number)))
            saved.after_pass()
    table = pd.DataFrame(saved.rows).sort_values(["selection", "layer"], ignore_index=True)
    origin = {"model": name_of(model), "revision": getattr(model.config, "_commit_hash", None)}
    return _in_order(table.assign(part=plan.selections[0].part, **origin))


def _bar(batches: int, shown: bool | None) -> tqdm:
    return tqdm(total=batches, unit="batch", disable=None if shown is None else not shown)


def profile_of_states(states: Sequence[Tensor | np.ndarray], *, heldout: float = 0.0) -> pd.DataFrame:
    """Measure states that somebody already has: the same table as :func:`linearity_profile`.

    ``states`` holds one matrix (token, width) a layer boundary, from what enters the first layer to what leaves the
    last (the last of a model's ``hidden_states`` is after the final norm: leave it out, or know that it is not a
    layer's). ``heldout`` is the share of the last tokens kept for scoring.

    Raises ValueError for states that make no layer or differ in shape, hold NaN or infinity, or are too few.
    """
    states = [torch.as_tensor(state) for state in states]
    if len(states) < 2:
        raise ValueError(f"{len(states)} states make no layer: give at least two, one a layer boundary")
    rows = []
    for layer, (x, y) in enumerate(pairwise(states), start=1):
        if x.ndim != 2 or x.shape != y.shape:
            raise ValueError(
                f"layer {layer}: states of shape {tuple(x.shape)} and {tuple(y.shape)} are not two matrices of the "
                "same shape: give (tokens, width), without padding"
            )
        cut = len(x) - share_of(len(x), heldout)
        if layer == 1:
            need_tokens(cut, x.shape[1])
        texts = [(x, y)] if cut == len(x) else [(x[:cut], y[:cut]), (x[cut:], y[cut:])]
        try:
            found = scores_of([JointMoments.empty(x.shape[1], device=x.device).update(*both) for both in texts])
        except ValueError as error:
            raise ValueError(f"layer {layer}: {error}") from None
        rows.append({"layer": layer} | found)
    return _in_order(pd.DataFrame(rows).assign(part="block", model=None, revision=None))


def scores_of(moments: list[JointMoments]) -> dict[str, float | int]:
    """Return tokens and scores of a layer; of the moments the first are fitted, those after them are held out."""
    fitted, *held = moments
    everything = added(moments) if held else fitted
    kept = heldout_scores(fitted, *held) if held else {}
    return {"tokens": everything.tokens} | scores(everything) | kept


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    first = ["model", "revision", "layer", "part", "tokens", "linearity_raw", "update_linearity_raw", "linearity"]
    first += ["update_linearity", "linearity_heldout", "update_linearity_heldout"]
    return table.reindex(columns=first + [name for name in table if name not in first])
