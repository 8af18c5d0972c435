"""Draw by chance, in the same way in every version of Python: only Random.random() is used."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A source of numbers, and what can be drawn with them."""

    def __init__(self, seed: int | Random):
        self.random = (seed if isinstance(seed, Random) else Random(seed)).random

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Return `count` different options."""
        rest = list(options)
        return [rest.pop(int(self.random() * len(rest))) for _ in range(count)]

    def shuffled(self, *options: T) -> list[T]:
        """Return the options in another order."""
        return self.sample(options, len(options))

    def roll(self, *percents_and_results: int | str) -> str:
        """Return one of the results, each after the percents of its probability."""
        number = self.random()
        bounds = accumulate(percents_and_results[::2])
        return next(one for one, bound in zip(percents_and_results[1::2], bounds, strict=True) if number < bound / 100)
