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

    def rows(text: str) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines())

    def place(row: tuple[str, ...]) -> Place:
        name, preposition, where, spots = row
        return Place(
            f"the {name}",
            f"{preposition} the {name}",
            f"to the {name}",
            where,
            tuple(spot.strip() for spot in spots.split(",")),
            name in lexicon.INDOORS,
        )

    return Tables(
        {region: tuple(place(row) for row in rows(text)) for region, text in lexicon.PLACES.items()},
        {folk: tuple(s.strip() for s in spots.split(",")) for folk, spots in lexicon.HOME_SPOTS.items()},
        rows(lexicon.BREAKABLE),
        rows(lexicon.FEARS),
        rows(lexicon.SKILLS),
        rows(lexicon.PROJECTS),
        rows(lexicon.WEATHER),
        rows(lexicon.PLANS),
        rows(lexicon.HIDDEN),
        rows(lexicon.TROUBLES),
    )
