"""Values of the training room written as one word, as on a command line: ``cosine=0.5,tokens=sum``."""

from dataclasses import MISSING, fields
from typing import Any, TypeVar

Value = TypeVar("Value")


def from_word(kind: type[Value], word: str) -> Value:
    """Make a frozen dataclass from ``first=second,name=value,...``: its first field, its second, others by name.

    All but the first may be left out where they have defaults; ``yes`` and ``no`` stand for truth values.

    Raises ValueError for a name that is no field and a value that does not fit, and whatever the class raises.
    """
    first, second, *_ = known = {field.name: field for field in fields(kind)}
    (head, *values), *others = (item.split("=", 1) for item in word.split(","))
    given = {first: head} | ({second: values[0]} if values else {})
    for name, *values in others:
        if name not in known or not values:
            raise ValueError(
                f"{word!r}: {'='.join([name, *values])!r} sets nothing; write {first}={second} and, after commas, "
                f"NAME=VALUE with a name of {', '.join(list(known)[2:])}"
            )
        given[name] = values[0]
    if second not in given and known[second].default is MISSING:
        raise ValueError(f"{word!r} has no {second}: write {head}=NUMBER")
    return kind(**{name: _value(value, known[name].type, word) for name, value in given.items()})


def _value(text: str, wanted: Any, word: str) -> Any:
    try:
        return {"yes": True, "no": False}[text] if wanted is bool else wanted(text)
    except (KeyError, ValueError):
        what = "yes or no" if wanted is bool else "a number"
        raise ValueError(f"{word!r}: {text!r} should be {what}") from None
