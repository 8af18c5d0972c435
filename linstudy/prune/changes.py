"""Change layers of a model: for the length of a with-block, or for good."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from ..models import StandIn, replaced, set_blocks, without
from ..models import blocks as model_blocks
from .parts import down_at, part_at
from .places import AFFINE, REMOVED, Place, changed_part, note_places, places_of, removed_places, replaced_places

Swap = tuple[nn.Module, str, nn.Module]  # in this module, under this name, that one


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
    maps, gone, swaps, places = _plan(model, changes)
    noted = getattr(model, "linstudy_places", None)
    with ExitStack() as undone_at_the_end:
        for holder, name, module in swaps:
            undone_at_the_end.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, module)
        if keep_places:
            undone_at_the_end.enter_context(replaced(model, maps | {index: nn.Identity() for index in gone}))
        else:
            undone_at_the_end.callback(note_places, model, noted)
            undone_at_the_end.enter_context(replaced(model, maps))
            undone_at_the_end.enter_context(without(model, gone))
            note_places(model, places)
        yield model


def change(model: PreTrainedModel, changes: Sequence[Change]) -> PreTrainedModel:
    """Make these changes for good, and return the model. The modules that are no more used are let go."""
    maps, gone, swaps, places = _plan(model, changes)
    modules = [maps.get(i, block) for i, block in enumerate(model_blocks(model)) if i not in gone]
    for holder, name, module in swaps:
        setattr(holder, name, module)
    set_blocks(model, modules)  # last, for it numbers what stands in for attention too
    note_places(model, places)
    return model


def count_parameters(model: PreTrainedModel) -> int:
    """Count the weights of a model, those used twice once."""
    return sum(parameter.numel() for parameter in model.parameters())


def part_stand_in(part: str, layer: nn.Linear | None, *, number: int) -> StandIn:
    """Make what stands for the attention or the MLP of a layer, counted from 1; without a map it adds zeros."""
    # Attention returns its weights beside its output, an MLP the output alone.
    stand_in = StandIn(Nothing() if layer is None else layer, returns=2 if part == "attention" else 0)
    stand_in.layer_idx = number - 1
    return stand_in


def _plan(
    model: PreTrainedModel, changes: Sequence[Change]
) -> tuple[dict[int, nn.Module], set[int], list[Swap], tuple[Place, ...]]:
    """Return the blocks to replace and to remove, by index, the modules inside blocks to swap, and the new record."""
    maps, gone, swaps, places = {}, set(), [], places_of(model)
    for one in sorted(changes, key=lambda one: one.first):
        run = range(one.first - 1, one.last)
        if one.part != "block":
            holder, name = part_at(model, one.first, one.part)
            swaps.append((holder, name, part_stand_in(one.part, one.map, number=one.first)))
            places = changed_part(places, one.first, one.part, AFFINE if one.map else REMOVED)
        elif one.map is not None and not one.merged:
            maps[run[0]] = one.map
            gone.update(run[1:])
            places = replaced_places(places, one.first, one.last)
        else:
            if one.merged:
                holder, name = down_at(model, one.first - 1)
                swaps.append((holder, name, _merged(getattr(holder, name), one.map)))
            gone.update(run)
            places = removed_places(places, one.first, one.last, merged=one.merged)
    return maps, gone, swaps, tuple(place for place in places if place is not None)


def _merged(matrix: nn.Module, after: nn.Linear) -> nn.Module:
    """Return the matrix with a map of its output multiplied into it."""
    both = copy.deepcopy(matrix)
    weight, map_weight = matrix.weight.double(), after.weight.double()
    with torch.no_grad():
        both.weight.copy_(weight @ map_weight.T if isinstance(matrix, Conv1D) else map_weight @ weight)
        if matrix.bias is not None:
            both.bias.copy_(map_weight @ matrix.bias.double() + after.bias.double())
    return both
