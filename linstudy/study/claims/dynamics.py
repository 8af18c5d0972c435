"""What pretraining and fine-tuning do to the scores: means over layers, changes of seeds, readings of two claims."""

from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd

from ..rows.finetuning import CONTINUED, TASKS
from ..verdicts import changes, verdict

SCORES = ("linearity", "update_linearity")
SHORT = {"linearity": "LS", "update_linearity": "LS_res"}
RUN = ["variant", "seed"]
LATER = 100  # the paper's Figure 2 begins at about this step


def runs_of_ours(dynamics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of dynamics.csv that are no published checkpoints, with the name of their ``variant``."""
    rows = dynamics[dynamics.revision == ""].astype({"step": int, "layer": int})
    penalty = rows.penalty.str.replace("mse", "MSE") + " " + rows.weight.astype(str)
    variant = penalty.where(~rows.penalty.isin(["none", ""]), "plain")
    return rows.assign(variant=variant.where(rows.preset == "nano", rows.preset + ", " + variant))


def layer_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over layers, a row a run and step."""
    columns = [*SCORES, "norm_ratio", "validation_nats"]
    return rows.groupby([*RUN, "step"], sort=False, as_index=False)[columns].mean()


def course(means: pd.DataFrame, scores: Iterable[str] = (*SCORES, "norm_ratio", "validation_nats")) -> pd.DataFrame:
    """Say where each score begins, is highest and ends, seeds averaged: a row a variant and score."""
    rows = []
    for variant, part in means.groupby("variant", sort=False):
        for score in scores:
            path = part.groupby("step")[score].mean()
            row = {"variant": variant, "score": score, "start": path.iloc[0], "highest": path.max()}
            rows.append(row | {"at_step": path.idxmax(), "end": path.iloc[-1]})
    return pd.DataFrame(rows)


def since(means: pd.DataFrame, score: str, start: int) -> pd.Series:
    """Return the change of a score from a step to the last one, of each seed of one variant."""
    wide = means.pivot(index="seed", columns="step", values=score)
    return wide.iloc[:, -1] - wide[start]


def readings(means: pd.DataFrame) -> pd.DataFrame:
    """Judge the claim that pretraining lowers a score, from step 0 and from where the paper's figure begins.

    A row a variant, score and first step: the ``mean`` change and its ``least`` and ``most`` over seeds, and whether
    the 95 % interval of the mean (Student's t) bears it out: "confirmed", "contradicted" or "undecided".
    """
    rows = []
    for variant, part in means.groupby("variant", sort=False):
        later = sorted(int(step) for step in set(part.step) if LATER <= step < part.step.max())[:1]
        for score in SCORES:
            for start in (0, *later):
                found = changes(since(part, score, start))
                row = {"variant": variant, "score": SHORT[score], "from step": start, "mean": found.mean}
                row |= {"least": min(found.values), "most": max(found.values)}
                rows.append(row | {"pretraining lowers it": verdict("falls", [found.direction])})
    return pd.DataFrame(rows)


def falling(means: pd.DataFrame, score: str, start: int = 1) -> float:
    """Return the share of neighbouring points, from a step on, between which the score falls."""
    wide = means.pivot(index="seed", columns="step", values=score).loc[:, start:]
    return float((wide.diff(axis=1).iloc[:, 1:] < 0).mean(axis=None))


def by_layer(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the change of each score from the first step to the last, seeds averaged: a row a layer.

    Columns are the scores, and ``against`` the mean of all layers for each: whether the layer goes the other way.
    """
    path = rows.groupby(["layer", "step"])[list(SCORES)].mean()
    ends = [path.xs(step, level="step") for step in (rows.step.min(), rows.step.max())]
    moved = ends[1] - ends[0]
    return moved.join((moved * moved.mean() < 0).add_suffix(" against"))


def ingredients(rows: pd.DataFrame) -> pd.DataFrame:
    """Split the change of ln(1 - LS) from step 0 to the last by the identity: a row a layer, seeds averaged.

    It is the sum of what is owed to the linearity of the update and to its size.
    """
    logs = pd.DataFrame(
        {
            "ln (1 - LS)": np.log(1 - rows.linearity_raw),
            "owed to linearity": np.log(1 - rows.update_linearity_raw),
            "owed to size": np.log(rows.update_ratio),
        }
    )
    logs = logs.groupby([rows.step, rows.layer]).mean()
    return logs.loc[rows.step.max()] - logs.loc[0]


def at_loss(means: pd.DataFrame, score: str, nats: float) -> pd.Series:
    """Return a score where each run first has this loss, between the two points around it."""
    found = {}
    for key, run in means.groupby(RUN, sort=False):
        run = run.sort_values("step")
        first = int((run.validation_nats.cummin() <= nats).to_numpy().argmax())
        two = run.iloc[[first, max(first - 1, 0)]]
        found[key] = np.interp(nats, two.validation_nats, two[score])
    return pd.Series(found).rename_axis(RUN)


def at_equal_loss(means: pd.DataFrame) -> pd.DataFrame:
    """Compare the variants where all have the lowest loss that all runs reach: a row a score and variant.

    ``value`` is the mean over seeds; ``to plain`` the mean difference to the plain run of the seed, with its
    ``direction`` ("rises", "falls", "undecided"), where there is a plain one.
    """
    nats = np.ceil(100 * means.groupby(RUN).validation_nats.min().max()) / 100
    rows = []
    for score in SCORES:
        same = at_loss(means, score, nats).unstack("variant", sort=False)
        for variant in same:
            row = {"score": SHORT[score], "nats": nats, "variant": variant, "value": same[variant].mean()}
            if variant != "plain" and "plain" in same:
                found = changes(same[variant] - same["plain"])
                row |= {"to plain": found.mean, "direction": found.direction}
            rows.append(row)
    return pd.DataFrame(rows)


def labelled(finetuning: pd.DataFrame) -> pd.DataFrame:
    """Say whose ``labels`` each row of finetuning.csv is of (true, shuffled, no labels), in the order of ``TASKS``."""
    rows = finetuning.astype({"layer": int, "seed": int, "shuffled": int})
    kinds = [rows.task.isin(CONTINUED), rows.shuffled == 1]
    rows = rows.assign(labels=np.select(kinds, ["no labels", "shuffled"], "true"))
    return rows.sort_values("task", key=lambda tasks: tasks.map(TASKS.index), kind="stable")


def per_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over layers of labelled rows, a row a task, labels, text and seed, with what was learnt.

    ``gain`` is the accuracy on new examples less that of the commonest answer; of pairs, where two texts whose
    difference was not read are ranked wrong, the loss of a coin toss less theirs.
    """
    key, numbers = ["task", "labels", "text", "seed"], ["delta_update_linearity", "accuracy", "constant", "loss"]
    means = rows.groupby(key, sort=False, as_index=False)[numbers].mean()
    pairs, other = np.log(2) - means.loss, means.accuracy - means.constant
    return means.assign(gain=pairs.where(means.task == "preference", other))


def always(means: pd.DataFrame) -> pd.DataFrame:
    """Judge the claim that fine-tuning raises LS_res, by seeds: a row a task and text, of :func:`per_seed`.

    ``change`` is the mean with true labels or without any, ``it`` its direction; ``to shuffled`` the mean difference to
    the same seed with shuffled labels, ``labels`` the direction of that; ``gain`` what was learnt, and ``learnt``
    whether its direction is up. What there is no control for is missing.
    """
    of = {key: part.set_index("seed") for key, part in means.groupby(["task", "text", "labels"])}
    rows = []
    for task, text in product(dict.fromkeys(means.task), ("task", "fixed")):
        found = of.get((task, text, "no labels" if task in CONTINUED else "true"))
        if found is None:
            continue
        delta, control = found.delta_update_linearity, of.get((task, text, "shuffled"))
        row = {"task": task, "text": text, "change": delta.mean(), "it": changes(delta).direction}
        if task not in CONTINUED:
            gain = changes(found.gain)
            row |= {"gain": gain.mean, "learnt": gain.direction == "rises"}
        if control is not None:
            both = changes(delta - control.delta_update_linearity)
            row |= {"to shuffled": both.mean, "labels": both.direction}
        rows.append(row)
    return pd.DataFrame(rows)
