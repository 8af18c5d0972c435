"""Split the rows of the lexicon, once."""

from functools import cache
from typing import NamedTuple

from . import lexicon
from .world import Place


class Tables(NamedTuple):
    """The lexicon, read once."""

    places: dict[str, tuple[Place, ...]]
    home_spots: dict[str, tuple[str, ...]]
    breakable: tuple[tuple[str, ...], ...]
    fears: tuple[tuple[str, ...], ...]
    skills: tuple[tuple[str, ...], ...]
    projects: tuple[tuple[str, ...], ...]
    weather: tuple[tuple[str, ...], ...]
    plans: tuple[tuple[str, ...], ...]
    hidden: tuple[tuple[str, ...], ...]
    troubles: tuple[tuple[str, ...], ...]


@cache
def tables() -> Tables:
    """Return the rows of the lexicon, split."""

    def place(name: str, preposition: str, where: str, spots: str) -> Place:
        there = f"the {name}"
        at, to = f"{preposition} {there}", f"to {there}"
        return Place(there, at, to, where, tuple(spots.split(", ")), name in lexicon.INDOORS)

    return Tables(
        {region: tuple(place(*row) for row in rows) for region, rows in lexicon.PLACES.items()},
        lexicon.HOME_SPOTS,
        lexicon.BREAKABLE,
        lexicon.FEARS,
        lexicon.SKILLS,
        lexicon.PROJECTS,
        lexicon.WEATHER,
        lexicon.PLANS,
        lexicon.HIDDEN,
        lexicon.TROUBLES,
    )
