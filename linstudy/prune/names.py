"""Look something up by its name, and say what there is when the name is wrong."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

Thing = TypeVar("Thing")


def named(registry: Mapping[str, Thing], name: str, kind: str) -> Thing:
    """Return what a name stands for. Raises ValueError, with the nearest name, for one that stands for nothing."""
    if name not in registry:
        near = difflib.get_close_matches(name, registry, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no {kind} {name!r}{hint} (known: {', '.join(registry)})")
    return registry[name]
