"""Figures from tables, each with its words, and widgets that work in a page without a kernel."""

from .identity import identity_plane
from .look import style
from .maps import share_map
from .pictures import Picture, fallback_table, picture
from .plots import ablation_plot, known_answers_plot, panels, panels_by, profile_plot, sweep_plot
from .pruning import budget_plot, frontier, frontier_plot
from .rows import spread_plot
from .tails import tail_plot
from .tokens import token_heatmap
from .widgets import Chooser, chooser
from .words import label, named, say, words_of
