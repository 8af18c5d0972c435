"""Finds the check of an exercise, puts the answer to it, and says what came of it."""

import functools
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from linstudy.lookup import entries, named

from .answers import Found

CHAPTERS = {"1": "linearity", "2": "residual_stream", "3": "dynamics", "4": "penalties", "5": "pruning"}
CHAPTERS |= {"6": "beyond", "7": "tokens"}


class Blank(Exception):
    """The answer still has its dots."""


def check(exercise: str, *answer: Any) -> bool:
    """Print whether an answer is right, with a hint where it is not, and return it.

    ``exercise`` is its number, such as ``"1.2"``; ``answer`` what the exercise asks for: a function, a number, a
    table. Nothing is downloaded and nothing is raised, whatever the answer does.
    """
    found = hint(exercise, *answer)
    print(f"{exercise}: not yet. {found}" if found else f"{exercise}: passed")
    return found is None


def hint(exercise: str, *answer: Any) -> str | None:
    """Return the hint for an answer, or None where it is right."""
    judge = named(checks_of(exercise), exercise, "exercise")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a wrong answer: the hint says more
            found = judge(*map(_asked, answer))
    except Blank:
        return f"The dots are still there. {(judge.__doc__ or '').splitlines()[0]}"
    except Exception as error:  # a learner's code may raise anything
        return f"The code stops with {type(error).__name__}: {error}"
    if found is None:
        return None
    name, values = (found, {}) if isinstance(found, str) else found
    return hints_of(exercise)[name].format(**values)


def checks_of(exercise: str) -> dict[str, Callable[..., Found]]:
    """Return the checks of the chapter that an exercise belongs to, by their numbers."""
    chapter = named(CHAPTERS, exercise.partition(".")[0], "chapter with exercises")
    return import_module(f".{chapter}", __package__).CHECKS


def hints_of(exercise: str) -> dict[str, str]:
    """Return the hints of an exercise by their names, with those that any exercise may give."""
    hints = entries("hints.toml", __package__)
    return hints["any"] | hints[exercise]


def _asked(answer: Any) -> Any:
    """Return an answer that cannot pass for one while it has dots in it."""
    if not callable(answer):
        return _filled(answer)

    @functools.wraps(answer)
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            return _filled(answer(*arguments, **options))
        except (TypeError, AttributeError) as error:
            if "ellipsis" in str(error):
                raise Blank from None
            raise

    return called


def _filled(value: Any) -> Any:
    if value is None or value is ... or (isinstance(value, tuple | list) and any(v is ... or v is None for v in value)):
        raise Blank
    return value
