"""List the kinds of plot, and play one of them."""

from . import plots_giving, plots_having, plots_people
from .beats import Outcome, Telling

# the name of each kind, the plot, and where the friend is when it begins; twice what shall be drawn twice as often
PLOTS = (
    ("lost object", plots_having.lost, "second"),
    ("lost object", plots_having.lost, "second"),
    ("wanting", plots_having.wanted, "first"),
    ("wanting", plots_having.wanted, "first"),
    ("trade", plots_having.trade, "first"),
    ("broken thing", plots_giving.broken, "home"),
    ("sharing", plots_giving.shared, "first"),
    ("trick", plots_having.tricked, "second"),
    ("making", plots_giving.made, "home"),
    ("secret gift", plots_giving.gift, "first"),
    ("helping", plots_people.trouble, "first"),
    ("fear", plots_people.afraid, "second"),
    ("hidden place", plots_people.hidden, "home"),
    ("weather", plots_people.weather, "home"),
    ("learning", plots_people.learning, "second"),
    ("hide and seek", plots_people.seek, "home"),
    ("lost child", plots_people.stray, "first"),
    ("quarrel", plots_people.quarrel, "home"),
)


def play(scene: Telling) -> Outcome:
    """Draw a plot, play it, and return the wish, what stood in its way, and how it ended."""
    scene.plot, plot, friend = scene.pick(PLOTS)
    first, second, *_ = scene.places
    scene.move(scene.friend, {"home": scene.home, "first": first, "second": second}[friend])
    scene.move(scene.elder, second)
    return plot(scene, scene.hero, scene.friend, *scene.places)
