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


@cache
def templates(name: str) -> dict[str, tuple[str, ...]]:
    """Return the templates of every kind of event in a file; raise ValueError with its name and the line that is wrong.

    A line at the margin names a kind, the lines under it that are moved in are its templates; `#` begins a comment.
    """
    kinds: dict[str, list[str]] = {}
    for number, line in enumerate(text_of(name).splitlines(), 1):
        content, wrong = line.strip(), ""
        if not content or line.startswith("#"):
            continue
        if line == content:
            wrong = f"{content!r} has its templates already" if content in kinds else ""
            kinds[content] = []
        elif not kinds:
            wrong = "a template stands before any kind of event"
        else:
            wrong = "a bracket is not closed" if content.count("[") != content.count("]") else ""
            kinds[next(reversed(kinds))].append(content)
        if wrong:
            raise ValueError(f"{name}: {wrong} (at line {number})")
    return {kind: tuple(lines) for kind, lines in kinds.items()}
