"""Penalties and scalings as one word, as on a command line: ``cosine=0.5,tokens=sum``."""

from dataclasses import MISSING, fields
from typing import TypeVar

Value = TypeVar("Value")


def from_word(kind: type[Value], word: str) -> Value:
    """Make a frozen dataclass from ``first=second,name=value,...``: its first field, its second, others by name.

    All but the first may be left out where they have defaults; ``yes`` and ``no`` stand for truth values.

    Raises ValueError for a name that is no field and a value that does not fit, and whatever the class raises.
    """
    first, second, *others = known = {field.name: field for field in fields(kind)}
    head, *rest = word.split(",")
    head, _, value = head.partition("=")
    given = {first: head} | ({second: value} if value else {})
    for item in rest:
        name, _, value = item.partition("=")
        if name not in known or not value:
            raise ValueError(
                f"{word!r}: {item!r} sets nothing; write {first}={second} and, after commas, NAME=VALUE with a name "
                f"of {', '.join(others)}"
            )
        given[name] = value
    if second not in given and known[second].default is MISSING:
        raise ValueError(f"{word!r} has no {second}: write {head}=NUMBER")
    for name, value in given.items():
        wanted = known[name].type
        try:
            given[name] = {"yes": True, "no": False}[value] if wanted is bool else wanted(value)
        except (KeyError, ValueError):
            what = "yes or no" if wanted is bool else "a number"
            raise ValueError(f"{word!r}: {value!r} should be {what}") from None
    return kind(**given)
