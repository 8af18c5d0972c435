"""Figures from tables, and widgets that work in a page without a kernel."""

from .families import family_alt, family_plot
from .identity import identity_alt, identity_plane
from .look import style
from .pictures import Picture, fallback_table, picture
from .plots import ablation_plot, known_answers_plot, profile_plot, sweep_plot
from .pruning import agreement_alt, agreement_plot, budget_alt, budget_plot, frontier, frontier_alt, frontier_plot
from .spreads import spread_alt, spread_plot
from .tails import tail_alt, tail_plot
from .tokens import token_heatmap
from .training import path_alt, path_plot, rates_alt, rates_plot, steps_plot
from .widgets import Chooser, chooser
from .words import LABELS, alt_text, label

__all__ = [
    "LABELS",
    "Chooser",
    "Picture",
    "ablation_plot",
    "agreement_alt",
    "agreement_plot",
    "alt_text",
    "budget_alt",
    "budget_plot",
    "chooser",
    "fallback_table",
    "family_alt",
    "family_plot",
    "frontier",
    "frontier_alt",
    "frontier_plot",
    "identity_alt",
    "identity_plane",
    "known_answers_plot",
    "label",
    "path_alt",
    "path_plot",
    "picture",
    "profile_plot",
    "rates_alt",
    "rates_plot",
    "spread_alt",
    "spread_plot",
    "steps_plot",
    "style",
    "sweep_plot",
    "tail_alt",
    "tail_plot",
    "token_heatmap",
]
