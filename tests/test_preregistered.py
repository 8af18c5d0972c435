"""The preregistered comparison of penalties with plain, on rows whose effects are planted; and how seeds are drawn."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from casebook.claims import penalties
from casebook.claims.paper import evidence
from casebook.claims.penalties import LARGER, PLAN
from casebook.registry import registry
from casebook.rows.pretraining import HELD, HELD_SQUARES, PLANNED, PRIMARY, SECONDARY, SMALLER, Variant, judges
from casebook.sweeps import CHOOSING
from casebook.verdicts import contrasts
from linstudy.study.results import results

PLAIN, COSINE, MSE = PRIMARY
SLOWER = SMALLER[-1]
LAYERS = (1, 2)


def trained(effects, *, spread=0.01, corpus="pydocs", step=64):
    """Rows as the table has them: nats and LS_res of a variant lie by its effect above those of plain."""
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
    return pd.DataFrame(rows).assign(linearity=0.9, norm_ratio=0.3, **whole)


def verdicts(rows, score="validation_nats"):
    found = penalties.compared(rows)
    return found[found.score == score].set_index("variant").verdict.to_dict()


def test_planted_effects_are_judged_by_text_and_length_and_by_score():
    less = trained({PLAIN: 0, COSINE: -0.2, MSE: 0.001}, spread=0.004)
    more = trained({PLAIN: 0, COSINE: 0.2, MSE: 0.001}, spread=0.004, step=256)
    found = penalties.compared(pd.concat([less, more]))
    told = found.set_index(["score", "training_tokens", "variant"]).verdict.sort_index()
    assert told["validation_nats", 262_144].to_dict() == {"cosine 0.5": "higher", "MSE 0.5": "equal"}
    for score in ("validation_nats", "update_linearity"):
        assert told[score, 65_536].to_dict() == {"cosine 0.5": "lower", "MSE 0.5": "equal"}
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


def test_controls_are_a_family_of_their_own():
    found = penalties.compared(trained({PLAIN: 0, COSINE: -0.2, MSE: -0.2, **dict.fromkeys(SMALLER, -0.2)}))
    kinds = found.set_index("variant").kind.to_dict()
    controls = {one.title: "control" for one in SMALLER}
    assert kinds == {"cosine 0.5": "penalty", "MSE 0.5": "penalty"} | controls
    alone = penalties.compared(trained({PLAIN: 0, **dict.fromkeys(SMALLER, -0.2)}))
    assert set(alone.variant) == set(controls)
    one = trained({PLAIN: 0, SLOWER: -0.2})
    first = penalties.compared(one).iloc[0]  # the only one that was run, with its share of the level
    assert first.variant == SLOWER.title
    runs = penalties.that_judge(one).groupby("variant").validation_nats.apply(list)
    told = contrasts({"it": runs[SLOWER.title]}, runs["plain"], margin=1.0, level=1 - 0.05 / 6 / 4)["it"]
    assert (first.low, first.high) == (told.low, told.high)
    assert penalties.compared(one[one.seed != judges(SLOWER)[-1]]).empty
    assert penalties.compared(trained({PLAIN: 0, SMALLER[0]: -0.2})).empty  # any other waits for all four


def test_no_seed_judges_two_variants_or_chooses():
    seeds = {variant.name: set(judges(variant)) for variant in PLANNED}
    assert len(seeds) == len(PLANNED)
    assert all(not one & other for one, other in combinations([*seeds.values(), set(CHOOSING)], 2))
    assert len(seeds["plain"]) == 12
    assert {len(found) for name, found in seeds.items() if name != "plain"} == {6}


def test_every_planned_variant_has_a_run_on_each_text_and_length_the_primary_ones_first():
    runs = [run for run in registry() if run.table.name == "pretraining"]
    planned = [run for run in runs if run.arguments["preset"] == PLAN.preset]
    larger = [run for run in runs if run not in planned and run.size == "tiny"]
    larger = [(run.arguments["corpus"], run.arguments["variant"]) for run in larger]
    assert len(larger) == len(set(larger)) == LARGER.cells * len(LARGER.variants)
    cells = {(run.arguments["corpus"], run.arguments["step"]) for run in planned}
    assert len(cells) == PLAN.cells
    assert len(planned) == len(PLANNED) * len(cells)
    assert {run.arguments["variant"] for run in planned[:12]} == set(PRIMARY)
    assert [run.arguments["step"] for run in planned[:12]] == [64] * 6 + [256] * 6
    assert Variant() == PRIMARY[0]


def test_evidence_for_c6_has_the_interval_the_seeds_and_the_control_where_it_was_run():
    planted = {PLAIN: 0, COSINE: -0.2, MSE: 0.2}
    controlled = planted | dict.fromkeys(SMALLER, -0.3) | {SLOWER: -0.1}  # the lowest is another
    rows = pd.concat([trained(planted), trained(controlled, corpus="tinystories-train-sample")])
    tables = {"pretraining": rows, "continued": results("continued")}
    found = evidence("C6", tables.__getitem__)
    found = found[found.table == "pretraining"].set_index(["text", "measure"])
    one, other = "pydocs, 65,536 tokens", "tinystories-train-sample, 65,536 tokens"
    assert set(found.index.unique("text")) == {one, other}
    gain = found.loc[one, "loss less plain's, nats, cosine 0.5"]
    assert gain.low < gain.value < gain.high < 0
    assert gain["spread over"] == "6 seeds beside 12"
    assert found.control[one].eq("").all()
    assert set(found.control[other]) == {"rates × 0.3"}
    assert found["its value"][other, "loss less plain's, nats, MSE 0.5"] == pytest.approx(-0.1, abs=0.02)


def test_a_gain_depends_on_the_rate_and_both_ends_are_told():
    nats = {PLAIN: {0.01: 4.0, 0.02: 4.5}, COSINE: {0.005: 3.7, 0.01: 4.2, 0.02: 3.9}}
    tried = [one.key | {"rate": rate, "validation_nats": loss} for one in nats for rate, loss in nats[one].items()]
    tried.append(Variant("cosine", 0.123).key | {"rate": 0.01, "validation_nats": 1.0})  # which nobody named
    found = penalties.gain_by_rate(penalties.named(pd.DataFrame(tried).assign(corpus="pydocs")))
    assert found.variant.tolist() == ["cosine 0.5"]
    found = found.iloc[0]
    assert found[["least", "at", "most", "at_rate"]].tolist() == pytest.approx([-0.2, 0.01, 0.6, 0.02])
    assert found.at_its_best == pytest.approx(0.3)


def test_runs_are_compared_with_the_mean_of_plain_in_their_text_and_length():
    short = trained({PLAIN: 0, COSINE: -0.2})
    rows = pd.concat([short, trained({PLAIN: 1, COSINE: 1.5}, step=256)])
    found = penalties.less_plain(rows).groupby(["variant", "training_tokens"]).d_validation_nats.agg(["mean", "size"])
    assert found["mean"].tolist() == pytest.approx([-0.2, 0.5, 0, 0], abs=0.02)
    assert found["size"].tolist() == [6, 6, 12, 12]
    layers = penalties.of_the_judges(short)
    assert layers.groupby("variant").rate.unique().map(list).to_dict() == {"plain": [0.01], "cosine 0.5": [0.02]}
    assert set(layers.seed) == {*judges(PLAIN), *judges(COSINE)}
    assert len(layers) == (12 + 6) * len(LAYERS)


def test_weights_are_set_side_by_side_where_all_of_them_are_judged():
    weights = {Variant(kind, weight): 0.1 * weight for kind in ("cosine", "mse") for weight in (0.1, 0.5, 2.0)}
    held = {one: 0.0 for one in SECONDARY if one.last != "out"}
    whole = trained({PLAIN: 0, **weights, **held})
    rows = pd.concat([whole, trained({PLAIN: 0, COSINE: 0.05, MSE: 0.05}, step=256)])
    rows = rows.assign(linearity=rows.validation_nats / 10, norm_ratio=rows.validation_nats)
    found = penalties.by_weight(rows).query("score == 'validation_nats'")
    assert set(found.training_tokens) == {65_536}
    effects = found.set_index(["penalty", "weight"]).effect.to_dict()
    wanted = {(one.penalty, one.weight): effect for one, effect in weights.items()}
    assert effects == pytest.approx(wanted, abs=0.02)


def test_sizes_are_compared_apart():
    small, large = (trained({PLAIN: 0, HELD: effect}) for effect in (-0.2, 0.2))
    both = pd.concat([small, large.assign(preset="pocket")])
    pd.testing.assert_frame_equal(penalties.compared(both), penalties.compared(small))
    found = penalties.compared(both, design=LARGER).query("score == 'validation_nats'")
    assert found[["kind", "verdict"]].values.tolist() == [["held", "higher"]]


def test_the_penalty_on_all_layers_is_a_family_of_one():
    found = penalties.compared(trained({PLAIN: 0, HELD: -0.2}, step=1024)).query("score == 'validation_nats'")
    assert found[["kind", "variant", "verdict"]].values.tolist() == [["held", "cosine 0.5, all layers", "lower"]]


def test_the_squares_on_all_layers_are_a_family_of_one_too_and_slower_branches_are_set_beside_half_of_a_gain():
    rows = trained({PLAIN: 0, COSINE: -0.2, HELD: -0.8, HELD_SQUARES: -0.4, SLOWER: -0.2}, spread=0.02)
    found = penalties.compared(rows).query("score == 'validation_nats' and kind == 'squares held'")
    assert found[["variant", "verdict"]].values.tolist() == [["MSE 0.5, all layers", "lower"]]
    half = penalties.less_half(rows).set_index("variant")
    assert half.verdict.to_dict() == {
        "cosine 0.5": "lower",  # more than half of it
        "cosine 0.5, all layers": "higher",
        "MSE 0.5, all layers": "not told",
    }
    assert half.effect["cosine 0.5"] == pytest.approx(-0.1, abs=0.02)
    none = trained({PLAIN: 0, COSINE: 0.2, HELD: -0.8, SLOWER: -0.2}, spread=0.02)
    assert penalties.less_half(none).variant.tolist() == ["cosine 0.5, all layers"]  # of a loss there is no half
    for variant in (PLAIN, SLOWER):
        assert penalties.less_half(rows[rows.seed != judges(variant)[-1]]).empty


def test_last_layers_are_compared_with_that_of_the_same_penalty_which_leaves_it_out():
    def rows(effects):
        made = trained({PLAIN: 5, **effects})
        own = made.norm_ratio + (made.layer == LAYERS[-1]) * (made.validation_nats - 4)
        return made.assign(norm_ratio=own + 5 * (made.layer == LAYERS[0]), linearity=made.validation_nats / 1000)

    held = {replace(COSINE, last="stream"): -0.2, replace(COSINE, last="normed"): 0.0}
    planted = rows({COSINE: 0, **held, MSE: 0})  # of the squares, the two others have no runs
    found = penalties.last_layers(planted).set_index(["score", "last"])
    assert set(found.penalty) == {"cosine"}
    ratio = found.loc["norm_ratio"]
    assert ratio.out.tolist() == pytest.approx([0.3, 0.3], abs=0.02)
    assert ratio.effect.tolist() == pytest.approx([-0.2, 0.0], abs=0.02)
    assert ratio.verdict.tolist() == ["lower", "not told"]
    assert ratio.plain.tolist() == pytest.approx([5.3, 5.3], abs=0.02)
    assert found.loc["linearity"].verdict.tolist() == ["equal", "equal"]
    fewer = planted[planted.seed != judges(replace(COSINE, last="normed"))[-1]]
    assert penalties.last_layers(fewer).empty


def test_who_was_judged_at_an_end_of_its_rates_is_told():
    rows = [{**PLAIN.key, "rate": 0.0, "step": 0}]
    for variant, best in ((PLAIN, 0.002), (COSINE, 0.001)):  # the one between worse rates, the other at an end
        rows += [{**variant.key, "rate": rate, "step": 12} for rate in (0.001, 0.002, 0.004)]
        rows.append({**variant.key, "rate": best, "step": 50})
    assert penalties.at_an_end(pd.DataFrame(rows).assign(model="m")) == [("m", "cosine 0.5")]
    none = pd.DataFrame(rows).query("step > 0").assign(model="m", selection="all tokens", seed=1, validation_nats=1.0)
    assert penalties.finished(none.assign(linearity_heldout=0.5, update_linearity_heldout=0.5)).empty  # no plain before


def test_a_finished_model_is_judged_after_its_last_step_and_its_loss_stands_once():
    def run(variant, nats, res, seed, step=50):
        rows = [{"selection": one, "layer": layer} for one in ("all tokens", "outliers left out") for layer in LAYERS]
        scores = {"validation_nats": nats, "linearity_heldout": 0.9 + seed / 9000, "update_linearity_heldout": res}
        return pd.DataFrame(rows).assign(**variant.key, **scores, seed=seed, step=step, model="m")

    runs = [run(PLAIN, 2.0, 0.6, 0, step=0), run(COSINE, 9.0, 0.9, 0, step=12)]
    runs += [run(PLAIN, 1.50 + seed / 1000, 0.50 + seed / 1000, seed) for seed in range(1, 4)]
    runs += [run(COSINE, 1.60 + seed / 1000, 0.40 - seed / 1000, seed) for seed in range(4, 7)]
    runs += [run(SLOWER, 1.501 + (seed - 6) / 1000, 0.50 + seed / 1000, seed) for seed in range(7, 10)]
    found = penalties.finished(pd.concat(runs)).set_index(["score", "selection", "variant"])
    few = penalties.finished(pd.concat(runs[:8])).set_index(["score", "variant"]).loc[("validation_nats", "cosine 0.5")]
    alone = contrasts({"": [1.604, 1.605, 1.606]}, [1.501, 1.502, 1.503], margin=0.0, level=1 - 0.05 / 3)[""]
    assert (few.low, few.high) == pytest.approx((alone.low, alone.high))  # one of the three has a third of the chance
    held = [run(HELD, 1.55 + seed / 1000, 0.5 + seed / 1000, seed) for seed in range(13, 16)]
    more = penalties.finished(pd.concat([*runs, *held])).set_index(["score", "selection", "variant"])
    assert more.loc[found.index].equals(found)  # a family of its own changes no other
    assert more.verdict["validation_nats", "all tokens", HELD.title] == "higher"
    loss = found.loc["validation_nats"]
    assert loss.index.get_level_values("selection").unique().tolist() == ["all tokens"]
    cosine = loss.loc["all tokens", "cosine 0.5"]
    assert cosine[["effect", "plain", "before"]].tolist() == pytest.approx([0.103, 1.502, 2.0])
    assert loss.verdict.tolist() == ["higher", "equal"]
    assert found.loc["update_linearity_heldout"].verdict.tolist() == 2 * ["lower", "equal"]
