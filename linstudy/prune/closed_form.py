"""Fit affine maps for runs of layers in one pass over a text, in a model in which other changes may be done already."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..measure import JointMoments
from ..measure.passes import TOKENS_A_BATCH, read, share_of, update
from ..measure.scores import need_tokens
from ..measure.states import streams
from ..models import blocks as model_blocks
from .changes import Change, changed
from .parts import down_at, noted, part_at
from .ridge import linear, ridge

HELDOUT = 0.2  # share of the blocks, the last ones, on which the ridge penalty is chosen

Run = tuple[int, int]  # first and last layer, counted from 1
State = Float[Tensor, "..."]  # (batch, token, dim); OPT has batch and token in one


def fit_runs(
    model: PreTrainedModel,
    runs: list[Run],
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    merged: bool = False,
    done: list[Change] | tuple[Change, ...] = (),
) -> list[Change]:
    """Return the change that an affine map makes of each run, fitted where ``done`` is done already.

    A run's map takes the stream that enters it, as changed, to the one that leaves it in the whole model, a merged
    one what the matrix before the run gives (:func:`_pairs`). Raises ValueError for too few tokens.
    """
    cut = len(blocks) - share_of(len(blocks), HELDOUT)
    dim = model.config.get_text_config().hidden_size
    need_tokens(cut * blocks.shape[1], dim)
    moments: list[list[JointMoments]] = [[] for _ in runs]
    for text in (blocks[:cut], blocks[cut:]):
        for both in moments:
            both.append(JointMoments.empty(dim, device=model.device))
        for ids in text.split(max(1, TOKENS_A_BATCH // blocks.shape[1])):
            pairs = _pairs(model, ids, runs, part, merged, list(done))
            for (_, last), both, pair in zip(runs, moments, pairs, strict=True):
                x, y = (state.reshape(-1, dim).to(both[-1].count.device) for state in pair)
                update(both[-1], x, y, last)
    return [_change(model, run, *both, part, merged) for run, both in zip(runs, moments, strict=True)]


def _pairs(
    model: PreTrainedModel,
    ids: Int[Tensor, "block token"],
    runs: list[Run],
    part: str,
    merged: bool,
    done: list[Change],
) -> list[tuple[State, State]]:
    """Return, for every run, the x and y between which its map is fitted, on one batch.

    A merged map T takes u, what the last matrix of the layer before the run gives, to u + (h' - h), where h is the
    stream that leaves that layer and h' the one that should enter the layer after the run: the layer then adds
    uT in place of u, and h + uT - u is near h' (Shopkhoev et al. 2025, ReplaceMe).
    """
    if part != "block":
        with torch.no_grad(), noted([getattr(*part_at(model, first, part)) for first, _ in runs]) as seen:
            read(model, ids)
        return [(x, x + y) for x, y in seen]
    whole = _stream(model, ids)
    if not merged and not done:
        return [(whole[first - 1], whole[last]) for first, last in runs]
    with changed(model, done, keep_places=True):
        before = [getattr(*down_at(model, first - 1)) for first, _ in runs] if merged else []
        with noted(before) as seen:
            here = _stream(model, ids)
    if not merged:
        return [(here[first - 1], whole[last]) for first, last in runs]
    given = [u.view_as(whole[0]) for _, u in seen]
    return [(u, u + (whole[last] - here[first - 1])) for u, (first, last) in zip(given, runs, strict=True)]


def _stream(model: PreTrainedModel, ids: Int[Tensor, "block token"]) -> list[State]:
    return next(streams(model, ids, batch_size=len(ids)))[1]


def _change(
    model: PreTrainedModel, run: Run, fitted: JointMoments, heldout: JointMoments, part: str, merged: bool
) -> Change:
    bias = not merged or getattr(*down_at(model, run[0] - 1)).bias is not None
    a, b, penalty = ridge(fitted, heldout, bias=bias)
    like = next(model_blocks(model)[run[0] - 1].parameters(), next(model.parameters()))  # where the block lies
    return Change(*run, linear(a, b, like=like, residual=part == "block"), part, merged, penalty)
