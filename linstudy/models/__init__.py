"""Models: loading them, where their blocks are, reading their stream, taking them apart and putting them together."""

from .about import name_of, positions, task_of
from .capture import PARTS, capture, capture_part, parts_of
from .layout import BLOCKS, blocks, final_norm, inside, stacks_of, width_of
from .load import load, untrained
from .small import SMALL, small_model
from .surgery import StandIn, replaced, set_blocks, without
