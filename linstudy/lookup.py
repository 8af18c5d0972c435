"""Look something up by its name, and say what there is when the name is wrong; read data files of packages."""

import csv
import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

Thing = TypeVar("Thing")


def named(registry: Mapping[str, Thing], name: str, kind: str, *, known: str | None = None) -> Thing:
    """Return what a name stands for; else a ValueError has the nearest name of this ``kind``, and those ``known``."""
    if name in registry:
        return registry[name]
    near = get_close_matches(name.lower(), registry, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    known = known or f"the names are {', '.join(registry)}."
    raise ValueError(f"there is no {kind} {name!r}: {hint}{known}")


@cache
def entries(path: str, package: str = __package__) -> dict[str, Any]:
    """Return what a data file of a package holds, by name; a table's rows by their first cell. Do not change it."""
    text = files(package).joinpath(path).read_text(encoding="utf-8")
    if path.endswith(".csv"):
        return {next(iter(row.values())): row for row in csv.DictReader(text.splitlines())}
    return json.loads(text) if path.endswith(".json") else tomllib.loads(text)
