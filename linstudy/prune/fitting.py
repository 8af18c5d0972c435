"""The states between which maps are fitted: of the whole model in one pass, or each where those before it stand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..measure import JointMoments
from ..measure.reading import batches, read, run_blocks, share_of
from ..measure.scores import need_tokens
from ..models import blocks as model_blocks
from ..models import width_of, without
from ..models.parts import entering, leaving
from .changes import Change, changed
from .closed_form import affine_map

HELDOUT = 0.2  # share of the blocks, the last ones, on which the ridge penalty is chosen
KEPT_BYTES = 2**30  # of states that are kept from one fit to the next; without them the whole model runs for each

Blocks = Int[Tensor, "block token"]  # ids
State = Float[Tensor, "..."]  # (batch, token, dim); OPT has batch and token in one
Exits = dict[int, Float[Tensor, "block token dim"]]


def exits(model: PreTrainedModel, blocks: Blocks, layers: Sequence[int] | None = None) -> Exits | None:
    """Return the states that leave layers of the whole model, by default all, or None where they are too large."""
    layers = range(1, len(model_blocks(model)) + 1) if layers is None else layers
    size = width_of(model) * next(model.parameters()).element_size()
    if blocks.numel() * size * len(layers) > KEPT_BYTES:
        return None
    states = [[batch.stream[layer] for layer in layers] for batch in read(model, blocks)]
    return {layer: torch.cat(some) for layer, some in zip(layers, zip(*states, strict=True), strict=True)}


def fit_at_once(
    model: PreTrainedModel, targets: list[Change], blocks: Blocks, modules: Sequence[nn.Module] = ()
) -> list[Change]:
    """Return changes with their maps: of the stream from entry to exit, or of what ``modules`` read to what they give.

    Raises ValueError for too few tokens.
    """

    def pairs(rows: slice) -> list[tuple[State, State]]:
        if not modules:
            stream = _stream(model, blocks, rows)
            return [(stream[one.first - 1], stream[one.last]) for one in targets]
        with torch.no_grad(), noted(modules) as seen:
            run_blocks(model, blocks[rows])
        return [(x, x + y) for x, y in seen]

    return _with_maps(model, targets, blocks, pairs)


def fit_in_sequence(
    model: PreTrainedModel,
    targets: list[Change],
    blocks: Blocks,
    matrices: Sequence[nn.Module] = (),
    *,
    whole: Exits | None = None,
) -> list[Change]:
    """Return changes in rising order, each with a map that was fitted where those before it are done already.

    A map takes the stream that enters its run, as changed, to the one that leaves it in the ``whole`` model. With
    ``matrices``, the last ones of the layers before the runs, a map T takes u, what the matrix gives, to
    u + (h' - h), where h is the stream that leaves that layer and h' the one that should enter the layer after the
    run: the layer then adds uT in place of u, and h + uT - u is near h' (Shopkhoev et al. 2025, ReplaceMe).
    """
    if whole is None and len(targets) > 1:
        whole = exits(model, blocks, [one.last for one in targets])
    done: list[Change] = []
    for one, matrix in zip_longest(targets, matrices):
        if not done and matrix is None:
            done += fit_at_once(model, [one], blocks)  # the model is still whole
        else:
            done += _fit_after(model, done, one, blocks, matrix, whole)
    return done


@contextmanager
def noted(modules: Sequence[nn.Module]) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Note what enters and what leaves these modules: one pair each, renewed by every pass, in any order of running."""
    pairs: list[tuple[Tensor, Tensor]] = [()] * len(modules)  # type: ignore[list-item]

    def note(place: int, module: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
        pairs[place] = entering(args, kwargs), leaving(output).clone()  # Falcon goes on to change its MLP's output

    handles = [one.register_forward_hook(partial(note, i), with_kwargs=True) for i, one in enumerate(modules)]
    try:
        yield pairs
    finally:
        for handle in handles:
            handle.remove()


def _fit_after(
    model: PreTrainedModel,
    done: list[Change],
    target: Change,
    blocks: Blocks,
    matrix: nn.Module | None,
    whole: Exits | None,
) -> list[Change]:
    later = range(target.first - 1, len(model_blocks(model)))  # what comes after is not read
    matrices = [] if matrix is None else [matrix]

    def pair(rows: slice) -> list[tuple[State, State]]:
        wanted = _stream(model, blocks, rows)[target.last] if whole is None else whole[target.last][rows]
        with changed(model, done, keep_places=True), without(model, later), noted(matrices) as seen:
            state = _stream(model, blocks, rows)[-1]
        if matrix is None:
            return [(state, wanted)]
        given = seen[0][1].view_as(state)
        return [(given, given + (wanted - state))]

    return _with_maps(model, [target], blocks, pair, bias=matrix is None or matrix.bias is not None)


def _with_maps(
    model: PreTrainedModel,
    targets: list[Change],
    blocks: Blocks,
    pairs: Callable[[slice], list[tuple[State, State]]],
    *,
    bias: bool = True,
) -> list[Change]:
    """Fit a map for every target to the x and y that ``pairs`` gives for some rows of the text."""
    cut = len(blocks) - share_of(len(blocks), HELDOUT)
    dim = width_of(model)
    need_tokens(cut * blocks.shape[1], dim)
    moments: list[list[JointMoments]] = [[] for _ in targets]
    for start, stop in ((0, cut), (cut, len(blocks))):
        for both in moments:
            both.append(JointMoments.empty(dim, device=model.device))
        for rows in batches(blocks, None, start=start, stop=stop):
            for both, pair in zip(moments, pairs(rows), strict=True):
                x, y = (state.reshape(-1, dim).to(both[-1].count.device) for state in pair)
                both[-1].update(x, y)
    changes = []
    for one, both in zip(targets, moments, strict=True):
        like = next(model_blocks(model)[one.first - 1].parameters(), next(model.parameters()))  # where the block lies
        layer, penalty = affine_map(*both, like=like, bias=bias, residual=one.part == "block")
        changes.append(replace(one, map=layer, penalty=penalty))
    return changes


def _stream(model: PreTrainedModel, blocks: Blocks, rows: slice) -> list[State]:
    return next(read(model, blocks, rows=[rows])).stream
