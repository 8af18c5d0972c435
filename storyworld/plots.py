"""List the kinds of plot; each plays on a scene and returns the wish, the obstacle, and how it ended."""

from collections.abc import Callable

from . import plots_courage, plots_giving, plots_having, plots_outings
from .scene import Scene
from .world import Wish

PLOT_KINDS: tuple[tuple[str, Callable[[Scene], tuple[Wish, str, str]]], ...] = (
    ("lost object", plots_having.lost),
    ("lost object", plots_having.lost),
    ("wanting", plots_having.wanted),
    ("wanting", plots_having.wanted),
    ("trade", plots_having.trade),
    ("broken thing", plots_giving.broken),
    ("sharing", plots_giving.shared),
    ("trick", plots_having.tricked),
    ("making", plots_giving.made),
    ("secret gift", plots_giving.gift),
    ("helping", plots_courage.trouble),
    ("fear", plots_courage.afraid),
    ("hidden place", plots_outings.hidden),
    ("weather", plots_outings.weather),
    ("learning", plots_courage.learning),
    ("hide and seek", plots_outings.seek),
    ("lost child", plots_outings.stray),
    ("quarrel", plots_courage.quarrel),
)
