"""What is said of real models: on made-up rows whose answer is known, and on rows that say the opposite."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from casebook.claims import prices, real

KEY = {"model": "m", "corpus": "w", "text": "w", "part": "block"}
SELECTIONS = ("all tokens", "outliers left out")
FULL, FEW = 1000, 250


def measured(value, *, weights="trained", tokens=FULL, shard=0, seed=0, layers=4, **key):
    """Rows as protocol.csv has them; ``value`` takes selection and layer to the score."""
    rows = [
        {"selection": selection, "layer": layer, "linearity": value(selection, layer)}
        for selection in SELECTIONS
        for layer in range(1, layers + 1)
    ]
    table = pd.DataFrame(rows).assign(**KEY | key, weights=weights, tokens=tokens, shard=shard, seed=seed)
    return table.assign(update_linearity=table.linearity / 2)


def lost(nats, *, whole=3.0, stretches=8, noise=0.0, part="block", choice="alone", **key):
    """Rows as losses.csv has them; ``nats`` maps (action, which) to what is lost."""
    rng = np.random.default_rng(1)
    rows = [{"action": "whole", "order": "whole", "which": "", "layers": 0, "lost": 0.0}]
    for (action, which), cost in nats.items():
        rows.append({"action": action, "order": "o", "which": which, "layers": len(which.split()), "lost": cost})
    made = pd.DataFrame(rows)
    frames = [made.assign(stretch=one, nats=whole + one + made.lost) for one in range(stretches)]
    table = pd.concat(frames, ignore_index=True).assign(**KEY | {"part": part, "choice": choice, "tokens": 9} | key)
    table["nats"] += noise * rng.standard_normal(len(table)) * (table.action != "whole")
    return table


@pytest.mark.parametrize(("score", "below"), [(0.5, True), (0.95, False)])
def test_a_layer_is_below_its_twins_when_it_is_below_every_one_of_them(score, below):
    twins = [measured(lambda *_, x=x: x, weights=w, tokens=FEW, seed=i)
             for w in ("random", "permuted") for i, x in enumerate((0.97, 0.9, 0.99))]  # fmt: skip
    table = pd.concat([measured(lambda *_: 0.1), measured(lambda *_: score, tokens=FEW), *twins])
    found = real.beside_twins(table, score="linearity")
    assert len(found) == 4
    assert (found.trained == score).all()  # on the tokens of the twins
    assert (found.below == below).all()
    assert found.random_low.eq(0.9).all()
    assert found.permuted_high.eq(0.99).all()


def test_stretches_are_compared_layer_by_layer_where_there_are_several():
    shards = [measured(lambda _, layer, x=x: x * layer, shard=number) for number, x in enumerate((0.1, 0.12, 0.11))]
    few = measured(lambda *_: 0.9, tokens=FEW)
    other = measured(lambda *_: 0.5, corpus="t")
    found = real.between_stretches(pd.concat([*shards, few, other]), scores=["linearity"])
    assert found.corpus.unique().tolist() == ["w"]
    assert found.stretches.tolist() == 4 * [3]
    assert found.linearity.tolist() == pytest.approx([0.02, 0.04, 0.06, 0.08])


def test_a_twins_size_or_shape_is_put_into_the_identity():
    def rows(shape, size, weights):
        table = measured(lambda *_: np.nan, weights=weights, tokens=FEW)
        return table.assign(update_linearity_heldout=1 - shape, linearity_heldout=1 - shape * size)

    found = real.swapped(pd.concat([rows(0.5, 0.1, "trained"), rows(0.9, 0.4, "permuted")])).iloc[0]
    expected = {"trained": 0.95, "permuted_size": 0.8, "permuted_shape": 0.91, "permuted": 0.64}
    assert found[list(expected)].to_dict() == pytest.approx(expected)
    assert "random" not in found  # of which there are no rows


# what is lost, by action and layer
COSTS = {("remove", "1"): 3.0, ("remove", "2"): 0.1, ("remove", "3"): 1.0, ("remove", "4"): 0.5}
COSTS |= {("affine", which): cost / 10 for (_, which), cost in COSTS.items()}


def test_a_map_of_another_text_stands_between_the_own_one_and_none():
    away = {("affine", "1"): 0.5, ("affine", "2"): 0.02, ("affine", "3"): 1.2}  # of the fourth there is none
    rows = pd.concat([lost(COSTS), lost(away, corpus="t", noise=0.03), lost({("affine", "1"): 9.0}, text="t")])
    found = prices.carried(rows).set_index("layer")
    assert found.index.tolist() == [1, 2, 3]
    assert found.removed.tolist() == pytest.approx([3, 0.1, 1])
    assert found.own.tolist() == pytest.approx([0.3, 0.01, 0.1])
    assert (found.other - found.own).tolist() == pytest.approx(found.dearer_nats.tolist())
    assert found.dearer_nats.tolist() == pytest.approx([0.2, 0.01, 1.1], abs=0.03)
    assert (found.dearer_low > 0).tolist() == [True, False, True]
    assert (found.saved_high < 0).tolist() == [False, False, True]  # worse than nothing
    assert prices.by_layer(rows).nats.max() == pytest.approx(3)  # where none of it counts


def test_gaussian_tokens_stand_beside_the_text_of_which_as_many_were_read():
    def rows(score, *, weights="trained", tokens=FEW, seed=0):
        table = measured(lambda *_: score, weights=weights, tokens=tokens, seed=seed)
        return table.assign(linearity_heldout=table.linearity, update_linearity_heldout=score / 2)

    drawn = [rows(score, weights="gaussian", seed=seed) for seed, score in enumerate((0.2, 0.4))]
    found = real.on_gaussian(pd.concat([rows(0.9, tokens=FULL), rows(0.6), *drawn, rows(0.1, weights="random")]))
    score = found.set_index(["read", "layer"]).linearity_heldout
    assert score["the text"].tolist() == [0.6] * 4
    assert score["Gaussian tokens"].tolist() == pytest.approx([0.3] * 4)
    assert len(found) == 8


def test_a_line_through_the_noise_meets_the_score_without_any():
    def one(weights, times, model="m"):
        return measured(lambda s, layer: 0.9 - 0.01 * layer * times, weights=weights, tokens=FEW, model=model)

    quantised = [one("trained", 1), one("noise", 2), one("noise + noise", 3)]
    whole = [one("trained", 0, "f"), one("Q4_1", 1, "f"), one("Q4_1 + noise", 2, "f")]
    longer = [measured(lambda *_: 0.1, weights=weights, model="f") for weights in ("trained", "random")]
    table = pd.concat([*quantised, *whole, one("Q4_1 + noise + noise", 3, "f"), *longer])
    found = real.unquantised(table, scores=["linearity"])
    assert found.none.tolist() == pytest.approx([0.9] * 16)
    assert found.change.tolist() == pytest.approx((-0.01 * found.layer).tolist())
    assert found.bend.max() < 1e-12
    assert found[found.model == "m"].known.isna().all()
    assert found[found.model == "f"].known.tolist() == pytest.approx([0.9] * 8)
    bent = pd.concat([*quantised[:2], one("noise + noise", 9)])
    assert real.unquantised(bent, scores=["linearity"]).bend.min() > 0.01


def said(linearity):
    """Scores of four layers; the update ratio ranks them as it likes."""
    table = pd.DataFrame({"layer": range(1, 5), "linearity": linearity, "update_linearity": [0.9, 0.2, 0.4, 0.3]})
    return table.assign(**KEY, update_ratio=[0.1, 0.2, 0.3, 0.4], norm_ratio=[0.16, 0.09, 0.04, 0.01])


def test_costs_are_above_the_whole_model_on_the_same_stretch():
    found = prices.by_layer(lost(COSTS)).set_index(["action", "layer"])
    assert found.nats.to_dict() == pytest.approx({(action, int(which)): x for (action, which), x in COSTS.items()})
    assert (found.high - found.low).max() < 1e-9  # the stretches differ, what is lost on them does not
    noisy = prices.by_layer(lost(COSTS, noise=0.5))
    assert ((noisy.low < noisy.nats) & (noisy.nats < noisy.high)).all()
    assert (noisy.high - noisy.low).min() > 0.1
    one = prices.by_layer(lost(COSTS, stretches=1))
    assert np.isinf(one[["low", "high"]]).all(axis=None)  # one stretch says nothing of others


def test_tau_is_that_of_scipy_also_with_ties_and_its_interval_widens_with_noise():
    linearities = {1: [0.1, 0.9, 0.3, 0.5], -1: [0.9, 0.1, 0.5, 0.3], None: [0.1, 0.3, 0.3, 0.5]}
    for tau, linearity in linearities.items():
        found = prices.agreement(lost(COSTS), said(linearity)).set_index(["action", "score"])
        theirs = kendalltau(-np.array(linearity), [3.0, 0.1, 1.0, 0.5]).statistic
        assert found.loc[("remove", "linearity"), ["tau", "low", "high"]].tolist() == pytest.approx([theirs] * 3)
        assert tau in (None, pytest.approx(theirs))
        assert found.loc[("affine", "update_linearity"), "tau"] == pytest.approx(-1)
    noisy = prices.agreement(lost(COSTS, noise=3.0), said(linearity)).set_index(["action", "score"])
    assert noisy.loc[("remove", "linearity"), "high"] - noisy.loc[("remove", "linearity"), "low"] > 0.3


def test_a_score_that_is_the_update_ratio_says_nothing_beyond_it():
    ratio = said([0.1, 0.9, 0.3, 0.5])
    found = prices.agreement(lost(COSTS), ratio).set_index(["action", "score"]).loc["remove"]
    assert np.isnan(found.beyond["update_ratio"])
    assert np.isnan(found.beyond_norm["norm_ratio"])
    size, tau = found.tau["update_ratio"], found.tau["linearity"]
    both = kendalltau(ratio.update_ratio, -ratio.linearity).statistic
    partial = (tau - both * size) / np.sqrt((1 - both**2) * (1 - size**2))
    assert found.beyond["linearity"] == pytest.approx(partial)
    size = found.tau["norm_ratio"]
    both = kendalltau(ratio.norm_ratio, -ratio.linearity).statistic
    partial = (tau - both * size) / np.sqrt((1 - both**2) * (1 - size**2))
    assert found.beyond_norm["linearity"] == pytest.approx(partial)


def test_a_layer_predicted_to_be_linear_and_dear_is_first_in_both():
    found = prices.predicted(lost(COSTS), said([0.1, 0.9, 0.3, 0.5]), [1, 2]).set_index("layer")
    assert found.loc[1, ["update_linearity_place", "nats_place", "linearity_place"]].tolist() == [1, 1, 4]
    assert found.loc[2, ["update_linearity_place", "nats_place", "linearity_place"]].tolist() == [4, 4, 1]


def test_published_sets_are_multiples_of_the_whole_model_beside_the_print():
    sets = {("remove", "9 10 15 17"): np.log(4), ("remove", "9 10 11 12"): np.log(8)}
    sets |= {("affine", "9 10 15 17"): np.log(2), ("affine", "9 10 11 12"): np.log(3)}
    found = prices.published_sets(pd.concat([lost(sets, choice="published"), lost({("remove", "1"): 1.0})]))
    assert found.index.tolist() == ["9 10 15 17", "9 10 11 12"]
    assert found["remove"].tolist() == found["remove low"].tolist() == pytest.approx([4, 8])
    assert found["affine"].tolist() == pytest.approx([2, 3])
    assert found.printed.tolist() == pytest.approx([125.7 / 13.39, 490 / 13.39])


def test_sublayers_apart_stand_beside_half_as_many_layers():
    def cheapest(part, nats):
        rows = lost(nats, part=part, choice="together")
        return rows.assign(order=rows.order.where(rows.action == "whole", "cheapest"))

    layers = cheapest("block", {("remove", "3 4"): 0.5, ("remove", "3 4 5"): 0.9})
    apart = cheapest("sublayers", {("remove", "1.attention 2.mlp 3.mlp 4.mlp"): 0.2})
    elsewhere = layers.assign(corpus="t", text="t")  # where nothing went apart
    found = prices.apart(pd.concat([layers, apart, elsewhere]))
    assert found["count"].tolist() == [2]  # where there is the other kind to compare
    told = found[["layers", "sublayers", "gain", "low", "high"]].iloc[0].tolist()
    assert told == pytest.approx([0.5, 0.2, 0.3, 0.3, 0.3])


def test_several_layers_stand_beside_the_cheapest_and_beside_holes():
    def chosen(order, nats):
        rows = lost(nats, choice="together", noise=0.01 if order == "linearity" else 0)
        return rows.assign(order=rows.order.where(rows.action == "whole", order))

    cheapest = chosen("cheapest", {("remove", "3 4"): 0.5, ("affine", "3 4"): 0.2})
    by_score = chosen("linearity", {("remove", "1 2"): 0.8}).query("action != 'whole'")
    single = lost(COSTS, part="block")
    found = prices.together(pd.concat([cheapest, by_score, single])).set_index(["order", "action"])
    assert found.nats.to_dict() == pytest.approx(
        {("cheapest", "remove"): 0.5, ("cheapest", "affine"): 0.2, ("linearity", "remove"): 0.8}, abs=0.02
    )
    assert found.less_nats["cheapest", "affine"] == pytest.approx(-0.3)
    score = found.loc["linearity", "remove"]
    assert score.above_nats == pytest.approx(0.3, abs=0.02)
    assert score.above_low < score.above_nats < score.above_high
    assert found.above_nats["cheapest", "remove"] == found.less_nats["cheapest", "remove"] == 0
