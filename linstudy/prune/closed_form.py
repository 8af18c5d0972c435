"""Fit affine maps for runs of layers in one pass over a text, in a model in which other changes may be done already."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..measure import JointMoments
from ..measure.reading import TOKENS_A_BATCH, read, run_blocks, share_of
from ..measure.scores import need_tokens
from ..models import blocks as model_blocks
from ..models import without
from .changes import Change, changed
from .parts import down_at, noted, part_at
from .ridge import linear, ridge

HELDOUT = 0.2  # share of the blocks, the last ones, on which the ridge penalty is chosen
KEPT_BYTES = 2**30  # of states kept while maps are fitted in sequence; without them the whole model runs for each

Run = tuple[int, int]  # first and last layer, counted from 1
State = Float[Tensor, "..."]  # (batch, token, dim); OPT has batch and token in one
Exits = dict[int, Float[Tensor, "block token dim"]]


def fit_in_sequence(
    model: PreTrainedModel, runs: list[Run], blocks: Int[Tensor, "block token"], *, merged: bool = False
) -> list[Change]:
    """Return the changes of runs in rising order, each fitted where those before it are done already."""
    exits = _exits(model, blocks, [last for _, last in runs])
    done: list[Change] = []
    for run in runs:
        done += fit_runs(model, [run], blocks, merged=merged, done=done, exits=exits)
    return done


def fit_runs(
    model: PreTrainedModel,
    runs: list[Run],
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    merged: bool = False,
    done: list[Change] | tuple[Change, ...] = (),
    exits: Exits | None = None,
) -> list[Change]:
    """Return the change that an affine map makes of each run, fitted where ``done`` is done already.

    A run's map takes the stream that enters it, as changed, to the one that leaves it in the whole model, a merged
    one what the matrix before the run gives (:func:`_pairs`). ``exits`` are the states that leave the runs' last
    layers in the whole model, where somebody has them. Raises ValueError for too few tokens.
    """
    cut = len(blocks) - share_of(len(blocks), HELDOUT)
    dim = model.config.get_text_config().hidden_size
    need_tokens(cut * blocks.shape[1], dim)
    moments: list[list[JointMoments]] = [[] for _ in runs]
    batch = max(1, TOKENS_A_BATCH // blocks.shape[1])
    for start, stop in ((0, cut), (cut, len(blocks))):
        for both in moments:
            both.append(JointMoments.empty(dim, device=model.device))
        for first in range(start, stop, batch):
            rows = slice(first, min(first + batch, stop))
            wanted = None if exits is None else {last: states[rows] for last, states in exits.items()}
            pairs = _pairs(model, blocks[rows], runs, part, merged, list(done), wanted)
            for both, pair in zip(moments, pairs, strict=True):
                x, y = (state.reshape(-1, dim).to(both[-1].count.device) for state in pair)
                both[-1].update(x, y)
    return [_change(model, run, *both, part, merged) for run, both in zip(runs, moments, strict=True)]


def _exits(model: PreTrainedModel, blocks: Int[Tensor, "block token"], layers: list[int]) -> Exits | None:
    """Return the states that leave some layers, unless they are too large to be kept from one run to the next."""
    size = model.config.get_text_config().hidden_size * next(model.parameters()).element_size()
    if len(layers) < 2 or blocks.numel() * size * len(layers) > KEPT_BYTES:
        return None
    batches = [[batch.stream[layer] for layer in layers] for batch in read(model, blocks)]
    return {layer: torch.cat(states) for layer, states in zip(layers, zip(*batches, strict=True), strict=True)}


def _pairs(
    model: PreTrainedModel,
    ids: Int[Tensor, "block token"],
    runs: list[Run],
    part: str,
    merged: bool,
    done: list[Change],
    wanted: dict[int, State] | None,
) -> list[tuple[State, State]]:
    """Return, for every run, the x and y between which its map is fitted, on one batch.

    A merged map T takes u, what the last matrix of the layer before the run gives, to u + (h' - h), where h is the
    stream that leaves that layer and h' the one that should enter the layer after the run: the layer then adds
    uT in place of u, and h + uT - u is near h' (Shopkhoev et al. 2025, ReplaceMe).
    """
    if part != "block":
        with torch.no_grad(), noted([getattr(*part_at(model, first, part)) for first, _ in runs]) as seen:
            run_blocks(model, ids)
        return [(x, x + y) for x, y in seen]
    if not merged and not done:
        whole = _stream(model, ids)
        return [(whole[first - 1], whole[last]) for first, last in runs]
    if wanted is None:
        wanted = dict(enumerate(_stream(model, ids)))
    needless = range(max(first for first, _ in runs) - 1, len(model_blocks(model)))  # what comes after is not read
    with changed(model, done, keep_places=True), without(model, needless):
        before = [getattr(*down_at(model, first - 1)) for first, _ in runs] if merged else []
        with noted(before) as seen:
            here = _stream(model, ids)
    if not merged:
        return [(here[first - 1], wanted[last]) for first, last in runs]
    given = [u.view_as(here[0]) for _, u in seen]
    return [(u, u + (wanted[last] - here[first - 1])) for u, (first, last) in zip(given, runs, strict=True)]


def _stream(model: PreTrainedModel, ids: Int[Tensor, "block token"]) -> list[State]:
    return next(read(model, ids, batch_size=len(ids))).stream


def _change(
    model: PreTrainedModel, run: Run, fitted: JointMoments, heldout: JointMoments, part: str, merged: bool
) -> Change:
    bias = not merged or getattr(*down_at(model, run[0] - 1)).bias is not None
    a, b, penalty = ridge(fitted, heldout, bias=bias)
    like = next(model_blocks(model)[run[0] - 1].parameters(), next(model.parameters()))  # where the block lies
    return Change(*run, linear(a, b, like=like, residual=part == "block"), part, merged, penalty)
