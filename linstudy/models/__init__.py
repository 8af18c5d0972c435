"""Models: loading them, where their blocks are, reading their stream, taking them apart and putting them together."""

from .about import name_of, positions
from .capture import PARTS, capture, capture_part, parts_of
from .families import FAMILIES, Family, blocks, final_norm
from .load import load, pocket_models, untrained
from .small import SMALL, small_model
from .spikes import planted
from .surgery import StandIn, replaced, set_blocks, without

__all__ = [
    "FAMILIES",
    "PARTS",
    "SMALL",
    "Family",
    "StandIn",
    "blocks",
    "capture",
    "capture_part",
    "final_norm",
    "load",
    "name_of",
    "parts_of",
    "planted",
    "pocket_models",
    "positions",
    "replaced",
    "set_blocks",
    "small_model",
    "untrained",
    "without",
]
