"""Figures from tables, each with its words, and widgets that work in a page without a kernel."""

from .look import style
from .pictures import Picture, picture
from .plots import profile_plot
from .pruning import budget_plot
from .widgets import Chooser, chooser
from .words import label, named, say, words_of
