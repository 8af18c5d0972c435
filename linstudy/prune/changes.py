"""Change layers of a model, for the length of a with-block or for good, with a record of what then stands where."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from ..models import StandIn, inside, replaced, set_blocks, without
from ..models import blocks as model_blocks
from .parts import down_at, part_at

KEPT, REMOVED, AFFINE = "kept", "removed", "affine"


@dataclass(frozen=True, eq=False)
class Change:
    """What is done with the layers from ``first`` to ``last``, counted from 1 in the model as it is.

    ``map`` takes their place; without one they are removed. ``merged`` maps are multiplied into the last matrix of
    the layer before. ``part`` is block, attention or mlp; a part's map takes what its module is given to what it
    gives, a block's takes the stream. ``penalty`` is the ridge penalty that was chosen for the map.
    """

    first: int
    last: int
    map: nn.Linear | None = None
    part: str = "block"
    merged: bool = False
    penalty: float | None = None


@dataclass(frozen=True)
class Place:
    """What stands at one place of a changed model.

    It takes the stream from the entry of layer ``first`` of the whole model to the exit of layer ``last``, counted from
    1. ``block`` is kept or affine; the parts of a kept block are kept, removed or affine.
    """

    first: int
    last: int
    block: str = KEPT
    attention: str = KEPT
    mlp: str = KEPT

    def __post_init__(self) -> None:
        """Refuse a record that means nothing, out of a damaged file for one."""
        known = self.block in (KEPT, AFFINE) and {self.attention, self.mlp} <= {KEPT, REMOVED, AFFINE}
        if not (1 <= self.first <= self.last and known):
            raise ValueError(f"{self} is nothing that can stand at a place of a model")

    @property
    def replaced_parts(self) -> tuple[str, ...]:
        """Return the parts of a kept block that are not its own any more."""
        return tuple(part for part in ("attention", "mlp") if getattr(self, part) != KEPT)


class Nothing(nn.Module):
    """What stands for a part that was removed: it adds zeros to the stream."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(hidden_states)


@contextmanager
def changed(
    model: PreTrainedModel, changes: Sequence[Change], *, keep_places: bool = False
) -> Iterator[PreTrainedModel]:
    """Make these changes; the model is whole again on exit, bit for bit, also after an error.

    With ``keep_places`` an identity stands where nothing else does, so that boundary l of the stream stays boundary l.
    """
    maps, swaps, places = _plan(model, changes)
    noted = getattr(model, "linstudy_places", None)
    with ExitStack() as undone_at_the_end:
        for holder, name, module in swaps:
            undone_at_the_end.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, module)
        gone = {index: nn.Identity() for index, place in enumerate(places) if place is None}
        undone_at_the_end.enter_context(replaced(model, maps | gone if keep_places else maps))
        if not keep_places:
            undone_at_the_end.callback(note_places, model, noted)
            undone_at_the_end.enter_context(without(model, gone))
            note_places(model, places)
        yield model


def change(model: PreTrainedModel, changes: Sequence[Change]) -> PreTrainedModel:
    """Make these changes for good, and return the model. The modules that are no more used are let go."""
    maps, swaps, places = _plan(model, changes)
    for holder, name, module in swaps:
        setattr(holder, name, module)
    modules = [maps.get(index, block) for index, block in enumerate(model_blocks(model)) if places[index]]
    set_blocks(model, modules)  # last, for it numbers what stands in for attention too
    note_places(model, places)
    return model


def places_of(model: PreTrainedModel) -> tuple[Place, ...]:
    """Return what stands at each place of a model; in one that nobody pruned, its own layers.

    Raises ValueError for a model whose blocks were exchanged in another way since.
    """
    count, places = len(model_blocks(model)), getattr(model, "linstudy_places", None)
    if places is None:
        return tuple(Place(layer, layer) for layer in range(1, count + 1))
    if len(places) != count:
        raise ValueError(
            f"the model has {count} blocks now and had {len(places)} when it was pruned: exchange the blocks of a "
            "pruned model with linstudy.prune only"
        )
    return places


def note_places(model: PreTrainedModel, places: Sequence[Place | None] | None) -> None:
    """Note on the model what stands at each place that is left; None for a model that nobody pruned."""
    model.linstudy_places = None if places is None else tuple(place for place in places if place is not None)


def _plan(
    model: PreTrainedModel, changes: Sequence[Change]
) -> tuple[dict[int, nn.Module], list[tuple[nn.Module, str, nn.Module]], list[Place | None]]:
    """Return maps by the index of their block, what to put under which name of which module, and the new record."""
    maps, swaps, places = {}, [], list(places_of(model))
    for one in sorted(changes, key=lambda one: one.first):
        here = one.first - 1
        if one.part != "block":
            holder, name = part_at(model, one.first, one.part)
            swaps.append((holder, name, _part_stand_in(model, one.part, one.map, number=one.first)))
            places[here] = replace(places[here], **{one.part: AFFINE if one.map else REMOVED})
            continue
        first, last = places[here].first, places[one.last - 1].last
        places[here : one.last] = [None] * (one.last - here)
        if one.merged:
            holder, name = down_at(model, here)
            swaps.append((holder, name, _merged(getattr(holder, name), one.map)))
            places[here - 1] = replace(places[here - 1], last=last)  # which now reaches further
        elif one.map is not None:
            maps[here], places[here] = one.map, Place(first, last, AFFINE)
    return maps, swaps, places


def _part_stand_in(model: PreTrainedModel, part: str, layer: nn.Linear | None, *, number: int) -> StandIn:
    """Make what stands for the attention or the MLP of a layer, counted from 1; without a map it adds zeros."""
    returns = getattr(inside(model, model_blocks(model)[number - 1]), f"{part}_returns")
    stand_in = StandIn(Nothing() if layer is None else layer, returns=returns)
    stand_in.layer_idx = number - 1
    return stand_in


def _merged(matrix: nn.Module, after: nn.Linear) -> nn.Module:
    """Return the matrix with a map of its output multiplied into it."""
    both = copy.deepcopy(matrix)
    weight, map_weight = matrix.weight.double(), after.weight.double()
    with torch.no_grad():
        both.weight.copy_(weight @ map_weight.T if isinstance(matrix, Conv1D) else map_weight @ weight)
        if matrix.bias is not None:
            both.bias.copy_(map_weight @ matrix.bias.double() + after.bias.double())
    return both
