"""The three pocket models, alike in all but the penalty: how they were made, what their layers are and can do."""

import json

import pandas as pd

from linstudy.fetched import pocket_folders

from . import SIBLINGS
from .penalties import SCORES


def inner_and_last(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return mean scores of each variant's last layer, and of those before it: a row a ``place`` and variant."""
    place = (profiles.layer == profiles.layer.max()).map({True: "last", False: "inner"}).rename("place")
    scores = [score for score in (*SCORES, "cosine") if score in profiles]
    return profiles.groupby([place, "variant"], sort=False)[scores].mean().reset_index()


def solved(choices: pd.DataFrame) -> pd.DataFrame:
    """Compare zero-shot accuracies with what knows nothing: a row a task, a column a variant and a predictor.

    The last columns, ``NAME solves``, say whether a variant is more than two standard errors above all of these.
    """
    likelier = choices[choices.predictor == "likelihood"]
    controls = choices[choices.predictor.isin(["constant", "shared words"])]
    once = likelier.pivot_table(index="task", columns="variant", values="value", sort=False)
    error = likelier.groupby("task").standard_error.max().rename("standard error")
    known = controls.pivot_table(index="task", columns="predictor", values="value", sort=False)
    mark = (known.max(axis=1) + 2 * error).reindex(once.index)
    return pd.concat([once, error, known, once.gt(mark, axis=0).add_suffix(" solves")], axis=1)


def best_probes(probes: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of each task's probes at their best layer: a row a task, a column a variant or a control."""
    means = probes.groupby(["task", "predictor", "variant", "layer"], sort=False).value.mean()
    best = means.groupby(["task", "predictor", "variant"], sort=False).max()
    ours = best.xs("probe", level="predictor").unstack()
    others = best.drop("probe", level="predictor").groupby(["task", "predictor"], sort=False).max().unstack()
    return pd.concat([ours, others], axis=1)


def how_made() -> pd.DataFrame:
    """Return how the pocket models were made, a row a variant, from the file that each keeps."""
    rows = {}
    for name, variant in SIBLINGS.items():
        told = json.loads((pocket_folders()[name] / "provenance.json").read_text(encoding="utf-8"))
        fields = ("tokens", "steps", "validation_nats", "bits_per_byte", "minutes", "command")
        rows[variant] = {field: told[field] for field in fields} | {"peak rate": told["config"]["peak_rate"]}
    return pd.DataFrame(rows).T
