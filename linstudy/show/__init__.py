"""Figures from tables, and widgets that work in a page without a kernel."""

from .pictures import Picture, fallback_table, picture
from .plots import known_answers_plot, profile_plot, style, sweep_plot, update_plane
from .widgets import Chooser, chooser
from .words import LABELS, alt_text, label

__all__ = [
    "LABELS",
    "Chooser",
    "Picture",
    "alt_text",
    "chooser",
    "fallback_table",
    "known_answers_plot",
    "label",
    "picture",
    "profile_plot",
    "style",
    "sweep_plot",
    "update_plane",
]
