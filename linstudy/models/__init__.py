"""Models: loading them, where their blocks are, reading their stream, taking them apart and putting them together."""

from .about import name_of, positions, task_of
from .capture import PARTS, capture, capture_part, parts_of
from .layout import BLOCKS, blocks, final_norm, inside, stacks_of
from .load import load, pocket_models, untrained
from .small import SMALL, small_model
from .spikes import planted
from .surgery import StandIn, replaced, set_blocks, without

__all__ = [
    "BLOCKS",
    "PARTS",
    "SMALL",
    "StandIn",
    "blocks",
    "capture",
    "capture_part",
    "final_norm",
    "inside",
    "load",
    "name_of",
    "parts_of",
    "planted",
    "pocket_models",
    "positions",
    "replaced",
    "set_blocks",
    "small_model",
    "stacks_of",
    "task_of",
    "untrained",
    "without",
]
