"""What is done with a layer: removed, replaced by its affine map, or merged into the layer before it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import SupportsIndex

from transformers import PreTrainedModel

from ..lookup import named
from ..measure.reading import check_text
from ..models import blocks as model_blocks
from .changes import Change, change, changed
from .fitting import Blocks, Exits, fit_at_once, fit_in_sequence
from .parts import CHOICES, down_at, part_at

Layers = Iterable[SupportsIndex]


@dataclass(frozen=True)
class Action:
    """How the layers chosen are dealt with."""

    says: str
    joined: bool = False  # layers that follow each other make one run, with one map
    sequential: bool = False  # each map is fitted where those before it already stand
    merged: bool = False  # maps are multiplied into the matrix before them


ACTIONS: dict[str, Action] = {
    "remove": Action("removed"),
    "affine": Action("each layer replaced by its affine map, fitted on the stream of the whole model"),
    "sequential": Action(
        "each layer replaced by an affine map fitted on the stream as already changed, towards the state that the "
        "whole model has after it",
        sequential=True,
    ),
    "run": Action("each run of layers replaced by one affine map, fitted as sequential", joined=True, sequential=True),
    "merge": Action(
        "each run of layers merged as a linear map into the last matrix of the layer before it (ReplaceMe)",
        joined=True,
        sequential=True,
        merged=True,
    ),
}


@contextmanager
def pruned(
    model: PreTrainedModel, layers: Layers, action: str = "affine", *, blocks: Blocks | None = None, part: str = "block"
) -> Iterator[PreTrainedModel]:
    """Take layers out of a model or put maps in their place; the model is whole again on exit, bit for bit.

    The arguments and errors are those of :func:`fit`. Generation works inside, with and without cache.

    Example::

        with pruned(model, [3, 4], "sequential", blocks=blocks):
            print(math.exp(cross_entropy(model, other_blocks)))
    """
    with changed(model, fit(model, layers, action, blocks=blocks, part=part)):
        yield model


def prune(
    model: PreTrainedModel, layers: Layers, action: str = "affine", *, blocks: Blocks | None = None, part: str = "block"
) -> PreTrainedModel:
    """Do the same for good: change the model itself, and return it. ``copy.deepcopy`` first keeps the whole one."""
    return change(model, fit(model, layers, action, blocks=blocks, part=part))


def fit(
    model: PreTrainedModel,
    layers: Layers,
    action: str = "affine",
    *,
    blocks: Blocks | None = None,
    part: str = "block",
    whole: Exits | None = None,
) -> list[Change]:
    """Find out what an action does to layers, without doing it: :func:`changed` and :func:`change` do.

    Args:
        model: a decoder, whole or already pruned.
        layers: numbers of layers, counted from 1 in the model as it is.
        action: a name in ``ACTIONS``. All maps are closed forms with bias (a merged one has a bias where the matrix
            it goes into has), their ridge penalty chosen on the last fifth of the blocks.
        blocks: token ids to fit on, every block full; ``remove`` needs none.
        part: ``"attention"`` or ``"mlp"`` for that part of each layer alone, removed or replaced ("affine"). Its map
            takes what the part's module reads, after the norm, to what it gives (as NBL does, Erdogan et al. 2025).
            ``"sublayers"`` for both, each with a map of its own. Of the changes any can be made without the others: so
            those chosen need not be of one kind, nor in a row (as in SubFit, Cunegatti et al. 2026).
        whole: the states that leave the layers of this model on these blocks, where somebody has them already.

    Raises ValueError for an action or part that is not known, or not possible in this family, for no blocks where they
    are needed, and for too few tokens; IndexError for a layer that the model does not have.
    """
    how = _known(action, part)
    runs = _runs(model, layers, joined=how.joined)
    targets = [Change(*run, part=one, merged=how.merged) for run in runs for one in CHOICES[part]]
    # What cannot be done is said before a text is read.
    places = [part_at(model, one.first, one.part) for one in targets if one.part != "block"]
    places += [down_at(model, one.first - 1) for one in targets if how.merged]
    if action == "remove":
        return targets
    if blocks is None:
        raise ValueError(f"action {action!r} fits maps to a text: give blocks=token_blocks(...)")
    check_text(model, blocks)
    modules = [getattr(holder, name) for holder, name in places]
    if how.sequential:
        return fit_in_sequence(model, targets, blocks, modules, whole=whole)
    return fit_at_once(model, targets, blocks, modules)


def _known(action: str, part: str) -> Action:
    how = named(ACTIONS, action, "action")
    named(CHOICES, part, "part")
    if part != "block" and (how.sequential or how.merged):
        raise ValueError(f'action {action!r} is for whole layers: with part={part!r} use "remove" or "affine"')
    return how


def _runs(model: PreTrainedModel, layers: Layers, *, joined: bool) -> list[tuple[int, int]]:
    """Return the first and last layer of each run, in order: of layers that follow each other, or each alone."""
    chosen, depth = sorted({int(layer) for layer in layers}), len(model_blocks(model))
    if not chosen:
        raise IndexError(f"no layer was chosen: give some of 1 to {depth}")
    if unknown := [layer for layer in chosen if not 1 <= layer <= depth]:
        raise IndexError(f"there is no layer {unknown[0]}: the model has layers 1 to {depth}")
    if not joined:
        return [(layer, layer) for layer in chosen]
    runs = [[layer for _, layer in run] for _, run in groupby(enumerate(chosen), lambda pair: pair[1] - pair[0])]
    return [(run[0], run[-1]) for run in runs]
