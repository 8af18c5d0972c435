"""What training brings back of pruned models, and what a map and its closed form are worth once it is done."""

import pandas as pd

from ..rows.chosen import HEALING_SEED
from ..sweeps import judged

RECIPE = ["action", "start", "healing"]
VARIANT = ["model", *RECIPE]
NONE, ALIKE = "none", ("whole", "", "all, by loss")  # no training; the control: the whole model trained alike
PAIRS = {  # what is claimed to be worth something, with it and without
    "a map in its place, all weights trained": (("affine", "fitted", "all, by loss"), ("remove", "", "all, by loss")),
    **{
        f"the closed form, {healing}": (("affine", "fitted", healing), ("affine", "zero", healing))
        for healing in ("all, by loss", "maps, by loss", "maps, by states")
    },
}


def judging(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of healing.csv that judge: of seeds that chose nothing, at the rate that was best on another."""
    return judged(table[table.healing != NONE], [HEALING_SEED], variant=VARIANT)


def spared(table: pd.DataFrame) -> pd.DataFrame:
    """Say whether a recipe can say anything of a model: a row a model, its whole one trained at its best rate.

    ``before`` and ``after`` are nats a token on the test blocks, ``after`` the worst of the seeds; ``spared`` says that
    it is no worse.
    """
    before = table[(table.action == "whole") & (table.healing == NONE)].set_index("model").test_nats
    alike = _of(judging(table), ALIKE).groupby("model", sort=False)
    found = pd.DataFrame({"before": before, "after": alike.test_nats.max(), "rate": alike.rate.first()})
    return found.assign(spared=found.after <= found.before)


def brought_back(table: pd.DataFrame) -> pd.DataFrame:
    """Return what every recipe leaves of the cost of pruning: a row a model and recipe, at its best rate.

    ``nats`` is the mean over seeds on the test blocks, from ``low`` to ``high``; ``untrained`` that of the same pruned
    model before (of maps that start as the identity, of removed layers), ``share`` how much of its distance from the
    whole model *trained alike* is gone: 1 for all of it.
    """
    seeds = judging(table).groupby(VARIANT).test_nats
    found = pd.DataFrame({"nats": seeds.mean(), "low": seeds.min(), "high": seeds.max()}).reset_index()
    bare = table[table.healing == NONE].set_index(["model", "action"]).test_nats
    whole = _of(found, ALIKE).set_index("model").nats
    like = found.action.where(found.start != "zero", "remove")
    found["untrained"] = bare.loc[pd.MultiIndex.from_arrays([found.model, like])].to_numpy()
    found = found[found.action != "whole"]
    cost = found.untrained - found.model.map(whole)
    return found.assign(share=(found.untrained - found.nats) / cost)


def worth(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what is claimed to be worth something with its absence, both trained: a row a claim and model.

    ``nats`` is how much less is lost with it, on the test blocks, the mean over seeds; ``beyond`` says that every seed
    with it ends below every seed without.
    """
    rows, found = judging(table), []
    for claim, sides in PAIRS.items():
        with_it, without = (_of(rows, one).groupby("model", sort=False).test_nats for one in sides)
        ends = pd.DataFrame({"gain": without.mean() - with_it.mean(), "low": without.min(), "high": with_it.max()})
        one = pd.DataFrame({"nats": ends.gain, "beyond": ends.high < ends.low})[ends.gain.notna()]
        found.append(one.rename_axis("model").reset_index().assign(claim=claim))
    return pd.concat(found, ignore_index=True)[["claim", "model", "nats", "beyond"]]


def _of(table: pd.DataFrame, recipe: tuple[str, str, str]) -> pd.DataFrame:
    return table[(table[RECIPE] == list(recipe)).all(axis=1)]
