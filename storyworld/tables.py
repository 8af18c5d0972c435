"""Read the data files beside the code, each once and not before it is asked for."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def text_of(name: str) -> str:
    """Return the text of a data file."""
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


@cache
def toml(name: str) -> dict[str, Any]:
    """Return what a file of tables holds; raise ValueError with its name and the line that is wrong."""
    try:
        return tomllib.loads(text_of(name))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: {error}") from None


def outline(name: str) -> list[tuple[int, str, list]]:
    """Return the lines of a file, each with its number and the lines moved in under it; `#` begins a comment.

    Raises ValueError with its name and the line that is moved in too far.
    """
    levels: list[list] = [[]]
    for number, line in enumerate(text_of(name).splitlines(), 1):
        content = line.strip()
        if not content or line.startswith("#"):
            continue
        depth = (len(line) - len(line.lstrip())) // 4
        if depth >= len(levels):
            raise ValueError(f"{name}: {content!r} stands under nothing (at line {number})")
        below: list = []
        levels[depth].append((number, content, below))
        levels[depth + 1 :] = [below]
    return levels[0]


@cache
def templates(name: str) -> dict[str, tuple[str, ...]]:
    """Return the templates of every kind of event in a file; raise ValueError with its name and the line that is wrong.

    A line at the margin names a kind, the lines under it that are moved in are its templates.
    """
    kinds: dict[str, tuple[str, ...]] = {}
    for number, kind, lines in outline(name):
        if kind in kinds:
            raise ValueError(f"{name}: {kind!r} has its templates already (at line {number})")
        for number, line, _ in lines:
            if line.count("[") != line.count("]"):
                raise ValueError(f"{name}: a bracket is not closed (at line {number})")
        kinds[kind] = tuple(line for _, line, _ in lines)
    return kinds
