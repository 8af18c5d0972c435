"""What of a rise of LS_res is harm: every fine-tuned model beside errors in its weights that cost it as many nats."""

import math

import numpy as np
import pandas as pd

from ..rows.finetuning import ARMS
from ..verdicts import LEVEL, changes
from .dynamics import ALIKE, per_seed

OWN = "stories"  # the text that the tuned model was pretrained on
TASKWISE = 1 - (1 - LEVEL) / 3  # three tasks
RISE, NATS = "delta_update_linearity", "delta_nats"


def by_errors(harmed: pd.DataFrame, text: str = OWN) -> pd.DataFrame:
    """Return what errors of every size do on a text: a row a size, with the mean ``nats`` lost and ``rise`` of LS_res.

    The rise goes from ``low`` to ``high``, over seeds (Student's t).
    """
    runs = harmed[harmed.text == text].groupby(["errors", "seed"])[[NATS, RISE]].mean().reset_index()
    found = []
    for size, part in runs.groupby("errors"):
        low, high = changes(part[RISE]).interval
        found.append({"errors": size, "nats": part[NATS].mean(), "rise": part[RISE].mean(), "low": low, "high": high})
    return pd.DataFrame(found)


def beside_errors(finetuning: pd.DataFrame, harmed: pd.DataFrame, text: str = OWN) -> pd.DataFrame:
    """Return the runs that judge, each beside errors that cost as much: a row a task, kind of labels and seed.

    ``by_errors`` is the rise on the curve of :func:`by_errors` at the ``nats`` of the run, between two sizes straight
    over the logarithm of nats, NaN where no size costs so much or so little; ``excess`` is the run's own ``rise`` less
    that. ``trained`` says which weights the run could change.
    """
    curve = by_errors(harmed, text).query("nats > 0").sort_values("nats")
    runs = pd.concat([per_seed(finetuning, trained).assign(trained=trained) for trained in ARMS])
    runs = runs[runs.text == text].rename(columns={NATS: "nats", RISE: "rise"})
    lost = np.log(runs.nats.where(runs.nats > 0).astype(float))
    of_errors = np.interp(lost, np.log(curve.nats), curve.rise, left=math.nan, right=math.nan)
    runs = runs.assign(by_errors=of_errors, excess=runs.rise - of_errors)
    return runs[["task", "labels", "trained", "seed", "nats", "rise", "by_errors", "excess"]]


def more_than_harm(runs: pd.DataFrame) -> pd.DataFrame:
    """Judge whether runs of :func:`beside_errors` rise more than errors do: a row a task, kind of labels and weights.

    ``excess`` is the mean, from ``low`` to ``high`` (Student's t, together for three tasks), and ``verdict`` what the
    plan makes of it: "more than harm" or "no more" where all of the interval lies above or below .01, "not told", or
    "no errors cost as much" where the curve does not reach.
    """
    found = []
    for key, part in runs.groupby(["trained", "labels", "task"], sort=False):
        row = (
            dict(zip(("trained", "labels", "task"), key, strict=True))
            | part[["nats", "rise", "by_errors"]].mean().to_dict()
        )
        if part.excess.isna().any():
            found.append(row | {"verdict": "no errors cost as much"})
            continue
        one = changes(part.excess, level=TASKWISE)
        low, high = one.interval
        verdict = "more than harm" if low > ALIKE else "no more" if high < ALIKE else "not told"
        found.append(row | {"excess": one.mean, "low": low, "high": high, "verdict": verdict})
    return pd.DataFrame(found)
