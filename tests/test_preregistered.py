"""The preregistered comparison of penalties with plain, on rows whose effects are planted; and how seeds are drawn."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from linstudy.study.claims import penalties
from linstudy.study.claims.paper import evidence
from linstudy.study.registry import registry
from linstudy.study.results import results
from linstudy.study.rows.pretraining import PLANNED, PRIMARY, SMALLER, Variant, judges
from linstudy.study.sweeps import CHOOSING

PLAIN, COSINE, MSE = PRIMARY
LAYERS = (1, 2)


def trained(effects, *, spread=0.01, corpus="pydocs", step=64):
    """Rows as pretraining.csv has them: nats and LS_res of a variant lie by its effect above those of plain."""
    draw = np.random.default_rng(0)
    rows = []
    for variant, effect in effects.items():
        better, worse = (0.01, 0.02) if variant != COSINE else (0.02, 0.01)
        tried = [(rate, seed, 4 + 0.5 * (rate == worse)) for rate in (better, worse) for seed in CHOOSING]
        tried += [(better, seed, draw.normal(4 + effect, spread)) for seed in judges(variant)]
        for rate, seed, nats in tried:
            for layer in LAYERS:
                row = variant.key | {"rate": rate, "seed": seed, "layer": layer, "validation_nats": nats}
                rows.append(row | {"update_linearity": nats / 10 + 0.1 * layer})
    whole = {"preset": "nano", "corpus": corpus, "step": step, "training_tokens": 1024 * step}
    return pd.DataFrame(rows).assign(**whole)


def verdicts(rows, score="validation_nats"):
    found = penalties.compared(rows)
    return found[found.score == score].set_index("variant").verdict.to_dict()


def test_planted_effects_are_judged_by_text_and_length_and_by_score():
    less = trained({PLAIN: 0, COSINE: -0.2, MSE: 0.001}, spread=0.004)
    more = trained({PLAIN: 0, COSINE: 0.2, MSE: 0.001}, spread=0.004, step=256)
    found = penalties.compared(pd.concat([less, more]))
    told = found.set_index(["score", "training_tokens", "variant"]).verdict
    loss, res = told["validation_nats"], told["update_linearity"]
    assert loss[65_536].to_dict() == {"cosine 0.5": "lower", "MSE 0.5": "equal"}
    assert loss[262_144].to_dict() == {"cosine 0.5": "higher", "MSE 0.5": "equal"}
    assert res[65_536].to_dict() == {"cosine 0.5": "lower", "MSE 0.5": "equal"}
    cosine = found.iloc[0]
    assert cosine.effect == pytest.approx(-0.2, abs=0.01)
    assert cosine.margin == pytest.approx(0.005 * cosine.plain)
    assert set(verdicts(trained({PLAIN: 0, COSINE: -0.2, MSE: 0}, spread=1)).values()) == {"not told"}


def test_each_variant_is_judged_at_its_own_rate_and_by_no_seed_that_chose():
    rows = trained({PLAIN: 0, COSINE: -0.2, MSE: 0})
    luck = rows.seed.isin(CHOOSING) & (rows.penalty == "cosine")
    spoilt = rows.assign(validation_nats=rows.validation_nats.where(~luck, rows.validation_nats - 3))
    pd.testing.assert_frame_equal(penalties.compared(spoilt), penalties.compared(rows))


def test_a_cell_is_judged_when_all_its_runs_are_there_and_not_before():
    rows = trained({PLAIN: 0, COSINE: -0.2, MSE: 0})
    assert verdicts(rows[rows.seed != judges(MSE)[-1]]) == {}
    assert verdicts(rows[rows.seed != judges(PLAIN)[-1]]) == {}
    other = trained({PLAIN: 0, COSINE: 0.2, MSE: 0.2}, step=256)
    found = verdicts(pd.concat([rows[rows.penalty != "mse"], other]))
    assert found == {"cosine 0.5": "higher", "MSE 0.5": "higher"}


def test_a_run_that_diverged_leaves_its_variant_untold():
    rows = trained({PLAIN: 0, COSINE: -0.2, MSE: -0.2})
    lost = rows.assign(validation_nats=rows.validation_nats.mask(rows.seed == judges(MSE)[0]))
    assert verdicts(lost) == {"cosine 0.5": "lower", "MSE 0.5": "not told"}
    high = penalties.compared(lost).set_index(["score", "variant"]).high
    assert math.isinf(high["validation_nats", "MSE 0.5"])


def test_controls_are_a_family_of_their_own():
    controls = dict.fromkeys(SMALLER, -0.2)
    alone = penalties.compared(trained({PLAIN: 0, **controls}))
    assert set(alone.kind) == {"control"}
    assert set(alone.variant) == {one.title for one in SMALLER}
    both = penalties.compared(trained({PLAIN: 0, COSINE: -0.2, MSE: -0.2, **controls}))
    kinds = both.set_index("variant").kind.to_dict()
    assert (kinds["cosine 0.5"], kinds["branches × 0.3"]) == ("penalty", "control")


def test_no_seed_judges_two_variants_or_chooses():
    seeds = {variant.name: set(judges(variant)) for variant in PLANNED}
    assert len(seeds) == len(PLANNED)
    assert all(not one & other for one, other in combinations([*seeds.values(), set(CHOOSING)], 2))
    assert len(seeds["plain"]) == 12
    assert {len(found) for name, found in seeds.items() if name != "plain"} == {6}


def test_every_planned_variant_has_a_run_on_each_text_and_length_the_primary_ones_first():
    planned = [run for run in registry() if run.table.name == "pretraining"]
    cells = {(run.arguments["corpus"], run.arguments["step"]) for run in planned}
    assert len(cells) == penalties.CELLS
    assert len(planned) == len(PLANNED) * len(cells)
    assert {run.arguments["variant"] for run in planned[:12]} == set(PRIMARY)
    assert [run.arguments["step"] for run in planned[:12]] == [64] * 6 + [256] * 6
    assert Variant() == PRIMARY[0]


def test_evidence_for_c6_has_the_interval_the_seeds_and_the_control_where_it_was_run():
    planted = {PLAIN: 0, COSINE: -0.2, MSE: 0.2}
    controlled = planted | dict.fromkeys(SMALLER, -0.1)
    rows = pd.concat([trained(planted), trained(controlled, corpus="tinystories-train-sample")])
    tables = {"pretraining": rows, "regularisation": results("regularisation")}
    found = evidence("C6", tables.__getitem__)
    found = found[found.table == "pretraining"].set_index(["text", "measure"])
    one, other = "pydocs, 65,536 tokens", "tinystories-train-sample, 65,536 tokens"
    assert set(found.index.unique("text")) == {one, other}
    gain = found.loc[one, "loss less plain's, nats, cosine 0.5"]
    assert gain.low < gain.value < gain.high < 0
    assert gain["spread over"] == "6 seeds beside 12"
    assert found.control[one].eq("").all()
    assert found["its value"][other, "loss less plain's, nats, MSE 0.5"] == pytest.approx(-0.1, abs=0.02)
