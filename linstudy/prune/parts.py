"""Which modules of a block can be taken out, replaced or merged into: its attention, its MLP, its last matrix."""

from torch import nn
from transformers import PreTrainedModel

from ..models import PARTS, StandIn, inside
from ..models import blocks as model_blocks

SUBLAYERS = "sublayers"  # attention and MLP, each by itself
CHOICES = {part: (part,) for part in PARTS} | {SUBLAYERS: ("attention", "mlp")}  # what goes of a layer that is chosen


def part_at(model: PreTrainedModel, layer: int, part: str) -> tuple[nn.Module, str]:
    """Return the block of a layer, counted from 1, and the name of its attention or its MLP.

    Raises ValueError where that is no module of its own.
    """
    kind, block = model.config.model_type, model_blocks(model)[layer - 1]
    name = getattr(inside(model, block), part)
    if name is None or not hasattr(block, name):
        raise ValueError(
            f"the {part} of layer {layer}, a {type(block).__name__} of a {kind!r} model, is no module that can be "
            'taken out by itself: use part="block"'
        )
    return block, name


def down_at(model: PreTrainedModel, layer: int) -> tuple[nn.Module, str]:
    """Return the module that holds the last matrix of a layer, counted from 1, and that matrix's name in it.

    Raises ValueError where something stands between that matrix and the stream.
    """
    instead = 'use action="run" or action="remove"'
    if layer < 1:
        raise ValueError(f"layer 1 cannot be merged into the layer before it, because there is none: {instead}")
    kind, block = model.config.model_type, model_blocks(model)[layer - 1]
    reason = f"what follows layer {layer} cannot be merged into it, because "
    if isinstance(block, StandIn):
        raise ValueError(f"{reason}it is a StandIn by now: {instead}")
    if (name := inside(model, block).down) is None:
        raise ValueError(f"{reason}a {kind!r} block has no last matrix that writes to the stream as it is: {instead}")
    parent, _, last = name.rpartition(".")
    try:
        holder = block.get_submodule(parent)
        holder.get_submodule(last)
    except AttributeError:
        raise ValueError(f"{reason}its MLP is a StandIn by now: {instead}") from None
    return holder, last
