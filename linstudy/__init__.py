"""Secretly Linear, an interactive study: how linear are the layers of transformers?

The public names. Each is looked up when it is first used, so that tables and figures can be had without importing
torch, and ``linstudy --help`` answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evaluate import cross_entropy
    from .measure import JointMoments, linear_map, linearity_profile, profile_of_states
    from .models import capture, load, untrained
    from .show import chooser, profile_plot
    from .study.machine import size
    from .study.results import results
    from .text import corpus, token_blocks
    from .train import Recipe, pretrain

__version__ = "0.1.0"
_ROOMS = {
    "text": ("corpus", "token_blocks"),
    "models": ("capture", "load", "untrained"),
    "measure": ("JointMoments", "linear_map", "linearity_profile", "profile_of_states"),
    "evaluate": ("cross_entropy",),
    "train": ("Recipe", "pretrain"),
    "show": ("chooser", "profile_plot"),
    "study.results": ("results",),
    "study.machine": ("size",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'linstudy' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
