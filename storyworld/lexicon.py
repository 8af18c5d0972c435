"""Offer the words of the stories by the names they have in data/lexicon.toml, as in `lexicon.TRAITS`."""

from typing import Any

from .tables import text_of, toml

FILE = "lexicon.toml"


def __getattr__(name: str) -> Any:
    """Read the file when the first of its names is asked for."""
    raw = {} if name.startswith("__") else toml(FILE)
    if name not in raw:
        raise AttributeError(f"{FILE} has no {name}")
    found = {key: read(value) for key, value in raw.items()}
    found["REGION_FOLK"] = raw["REGION_FOLK"]
    things = raw["THINGS"].items()
    found["THINGS"] = {group: (found[looks], tuple(nouns.split(", "))) for group, (looks, nouns) in things}
    globals().update(found)
    return found[name]


def read(value: str | list | dict) -> Any:
    """Return a list of words or of phrases, the rows of a table, or a dictionary of these.

    Raises ValueError with the line of a row that has more or fewer cells than the first.
    """
    if isinstance(value, dict):
        return {key: read(one) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(value)
    if "|" not in value:
        return tuple(value.split())
    lines = value.strip().splitlines()
    rows = [tuple(cell.strip() for cell in line.split("|")) for line in lines]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            number = text_of(FILE).splitlines().index(line) + 1
            raise ValueError(f"{FILE}: {len(row)} cells where the first row has {len(rows[0])} (at line {number})")
    return tuple(rows)
