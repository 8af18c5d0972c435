"""Judges by a few repeated measurements whether a number changes, or differs from a control: interval, verdict."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import variance

from scipy.special import stdtrit
from scipy.stats import dunnett, ttest_ind

LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Changes:
    """Changes of one number, one of each seed; made by :func:`changes`."""

    values: tuple[float, ...]
    level: float = LEVEL

    @property
    def mean(self) -> float:
        """Return the mean change of the seeds that have one."""
        return _mean(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """Return where the mean of many seeds is to be expected, by Student's t.

        It has no bounds for one seed, and none where one is missing: a run that diverged might have changed anything.
        """
        n = len(self.values)
        if n < 2 or any(map(math.isnan, self.values)):
            return -math.inf, math.inf
        reach = float(stdtrit(n - 1, (1 + self.level) / 2)) * math.sqrt(variance(self.values) / n)
        return self.mean - reach, self.mean + reach

    @property
    def direction(self) -> str:
        """Return "falls" or "rises" where the interval leaves 0 out, else "undecided"."""
        low, high = self.interval
        return "falls" if high < 0 else "rises" if low > 0 else "undecided"


def changes(values: Iterable[float], *, level: float = LEVEL) -> Changes:
    """Gather changes, NaN where one is missing. Raises ValueError where all are."""
    found = tuple(map(float, values))
    if all(map(math.isnan, found)):
        raise ValueError("there is no change to judge: give one of a seed or more; all of these are missing")
    return Changes(found, level)


@dataclass(frozen=True)
class Contrast:
    """How far the mean of some runs lies above a control's; made by :func:`contrasts`."""

    effect: float
    low: float
    high: float
    margin: float  # what is as good as no difference

    @property
    def verdict(self) -> str:
        """Return "equal" within the margin (two one-sided tests), "lower" or "higher" beyond 0, else "not told"."""
        if -self.margin < self.low and self.high < self.margin:
            return "equal"
        return "lower" if self.high < 0 else "higher" if self.low > 0 else "not told"


def contrasts(
    groups: Mapping[str, Sequence[float]], control: Sequence[float], *, margin: float, level: float = LEVEL
) -> dict[str, Contrast]:
    """Compare the means of independent groups of runs with that of a control, all at once.

    The intervals hold together, with probability ``level``: each is as wide as the wider of Dunnett's, which takes one
    variance for all, and Welch's, which does not, its level shared out over the groups. A run that diverged, a NaN,
    leaves the interval of its group without bounds; one of the control leaves all so. Raises ValueError where a group
    or the control has fewer than two runs.
    """
    short = [name for name, values in {**groups, "the control": control}.items() if len(values) < 2]
    if short:
        raise ValueError(f"{', '.join(short)}: one run has no spread; give two or more of each")
    told = {name: values for name, values in groups.items() if not any(map(math.isnan, [*values, *control]))}
    found = {}
    if told:
        # The integral behind it is drawn, and its level good to a hundredth of 1 - level.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Computation of the confidence interval did not converge")
            together = dunnett(*told.values(), control=control, random_state=0).confidence_interval(level)
        alone = 1 - (1 - level) / len(groups)
        for name, *ends in zip(told, together.low, together.high, strict=True):
            welch = ttest_ind(told[name], control, equal_var=False).confidence_interval(alone)
            found[name] = (min(ends[0], welch.low), max(ends[1], welch.high))
    means = {name: _mean(values) - _mean(control) for name, values in groups.items()}
    return {name: Contrast(means[name], *map(float, found.get(name, (-math.inf, math.inf))), margin) for name in groups}


def weighted(groups: Sequence[tuple[Sequence[float], float]], *, level: float = LEVEL) -> Contrast:
    """Compare a sum of the means of independent groups of runs, each with its weight, with 0.

    The variances are the groups' own (Welch); the degrees of freedom Satterthwaite's. A run that diverged, a NaN,
    leaves the interval without bounds. Raises ValueError for a group of fewer than two runs.
    """
    if any(len(values) < 2 for values, _ in groups):
        raise ValueError("one run has no spread; give two or more of each group")
    effect = sum(weight * _mean(values) for values, weight in groups)
    if any(math.isnan(value) for values, _ in groups for value in values):
        return Contrast(effect, -math.inf, math.inf, 0.0)
    parts = [weight**2 * variance(values) / len(values) for values, weight in groups]
    spread = sum(part**2 / (len(values) - 1) for part, (values, _) in zip(parts, groups, strict=True))
    reach = float(stdtrit(sum(parts) ** 2 / spread, (1 + level) / 2)) * math.sqrt(sum(parts)) if spread else 0.0
    return Contrast(effect, effect - reach, effect + reach, 0.0)


def _mean(values: Sequence[float]) -> float:
    """Return the mean of those that did not diverge."""
    there = [float(value) for value in values if not math.isnan(value)]
    return sum(there) / len(there) if there else math.nan
