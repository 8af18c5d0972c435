"""Figures of single chapters: a table in; the axes it was drawn on out, or a picture, with what they show in words."""

from .cells import share_map
from .frontier import frontier, frontier_plot
from .identity import identity_plane
from .panels import panels, panels_by
from .scores import ablation_plot, known_answers_plot, probe_plot, sweep_plot
from .spread import spread_plot
from .tables import fallback_table
from .tails import tail_plot
from .tokens import token_heatmap
from .training import band_plot, dots_and_curve, path_plot, rates_plot, steps_plot
