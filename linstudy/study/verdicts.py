"""Judges a claim that something falls or rises by a few repeated measurements: a count, an interval, a verdict."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.special import stdtrit

LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Changes:
    """Changes of one number, one of each seed; made by :func:`changes`."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Return the mean change."""
        return sum(self.values) / len(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """Return where the mean of many seeds is to be expected, by Student's t; without bounds for one seed."""
        n = len(self.values)
        if n < 2:
            return -math.inf, math.inf
        variance = sum((value - self.mean) ** 2 for value in self.values) / (n - 1)
        reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * math.sqrt(variance / n)
        return self.mean - reach, self.mean + reach

    @property
    def direction(self) -> str:
        """Return "falls" or "rises" where the interval leaves 0 out, else "undecided"."""
        low, high = self.interval
        return "falls" if high < 0 else "rises" if low > 0 else "undecided"


def changes(values: Iterable[float]) -> Changes:
    """Gather changes; those that are missing (NaN) are left out. Raises ValueError if nothing is left."""
    found = tuple(float(value) for value in values if not math.isnan(value))
    if not found:
        raise ValueError("there is no change to judge: give one of a seed or more; all of these are missing")
    return Changes(found)


def verdict(claim: str, directions: Iterable[str]) -> str:
    """Judge the claim that everything "falls", or "rises", by the directions of some :class:`Changes`.

    It takes all of them for "confirmed"; one that goes the other way is enough for "contradicted"; else "undecided".
    """
    if claim not in ("falls", "rises"):
        raise ValueError(f"the claim is {claim!r}; it must be 'falls' or 'rises'")
    found = set(directions)
    if found - {claim, "undecided"}:
        return "contradicted"
    return "confirmed" if found == {claim} else "undecided"
