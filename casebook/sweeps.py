"""Sweeps of learning rates: every variant of a training is judged at its own best rate, on seeds that chose nothing."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

CHOOSING = (0, 1, 2)  # the seeds on which rates are compared; all others judge
FARTHER = 4  # rates that may be added to a sweep whose best lies at an end
RUN = ("preset", "corpus", "step", "penalty", "weight", "last", "scaling")  # the last step


def bracketed(loss: Callable[[float], float], rates: Sequence[float]) -> float:
    """Return the rate of the lowest loss, after adding rates until the best has worse ones on both sides.

    A rate twice the largest, or half the smallest, is added while the best is at that end, four at most; a loss that
    is not a number is the worst. Raises ValueError where no rate gives a loss.
    """
    found = {rate: loss(rate) for rate in sorted(rates)}
    for _ in range(FARTHER):
        best = _lowest(found)
        if best == max(found):
            found[2 * best] = loss(2 * best)
        elif best == min(found):
            found[best / 2] = loss(best / 2)
        else:
            break
    if math.isnan(found[_lowest(found)]):
        rates = ", ".join(f"{rate:g}" for rate in sorted(found))
        raise ValueError(f"training diverged at every rate, {rates}: give lower ones")
    return _lowest(found)


def swept(table: pd.DataFrame, choosing: Sequence[int] = CHOOSING, *, variant: Sequence[str] = RUN) -> pd.DataFrame:
    """Return one row a run, its scores averaged over layers.

    ``best`` is True in those at the rate whose mean loss over the choosing seeds is the lowest of their ``variant``,
    which columns of these names tell; a rate at which one of these diverged is out.
    """
    of_run = [name for name in variant if name in table]
    whole = [*of_run, "rate", "seed"]
    numbers = [name for name in table.select_dtypes("number") if name not in ("layer", *whole)]
    runs = table.groupby(whole, as_index=False)[numbers].mean()
    tried = runs[runs.seed.isin(choosing)].groupby([*of_run, "rate"]).validation_nats
    chosen = tried.mean().where(tried.count() == len(choosing)).dropna().reset_index()
    chosen = chosen.loc[chosen.groupby(of_run).validation_nats.idxmin(), [*of_run, "rate"]].assign(best=True)
    runs = runs.merge(chosen, how="left", on=[*of_run, "rate"])
    return runs.assign(best=runs.best.notna())


def judged(table: pd.DataFrame, choosing: Sequence[int] = CHOOSING, *, variant: Sequence[str] = RUN) -> pd.DataFrame:
    """Return the runs that judge: at their variant's best rate, with seeds on which nothing was chosen."""
    runs = swept(table, choosing, variant=variant)
    return runs[runs.best & ~runs.seed.isin(choosing)]


def _lowest(losses: dict[float, float]) -> float:
    """Return the rate of the lowest loss; where none is a number, the lowest rate."""
    return min(losses, key=lambda rate: (True, rate) if math.isnan(losses[rate]) else (False, losses[rate]))
