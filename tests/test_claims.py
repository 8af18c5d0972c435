"""What the chapters say of their tables: on made-up rows whose answer is known, and on rows that say the opposite."""

import numpy as np
import pandas as pd
import pytest
import torch

from linstudy.models import small_model
from linstudy.study.claims import pruning

DEPTH = 3
# by action: the perplexity of every choice of layers of a made-up model, whose whole has 2
MADE_UP = {
    "remove": {"1": 50.0, "2": 4.0, "2 3": 10.0},
    "affine": {"1": 5.0, "2": 3.0, "2 3": 12.0},
    "sequential": {"1": 5.0, "2": 3.0, "2 3": 12.6},
    "merge": {"2": 3.5, "3": 3.0},  # without layer 1, and one choice that nobody removed
}


def pruned(made_up=MADE_UP, *, model="m", text="stories", whole=2.0, order="linearity"):
    """Rows as pruning.csv has them."""
    key = {"model": model, "corpus": "stories", "text": text, "seed": 0, "healing": "none"}
    rows = [{"order": "whole", "action": "whole", "which": "", "perplexity": whole}]
    rows += [
        {"order": order, "action": action, "which": which, "perplexity": perplexity}
        for action, choices in made_up.items()
        for which, perplexity in choices.items()
    ]
    table = pd.DataFrame(rows).assign(**key)
    table["layers"] = table.which.str.split().map(len)
    maps = table.layers.where(table.action.isin(pruning.REPLACED), 0)
    return table.assign(parameters=1000 - 120 * table.layers + 10 * maps, decode_share=1 - 0.3 * table.layers)


def costs():
    """Layer 1 is dear and its update linear, layer 2 cheap and the most linear; two shards."""
    rows = [
        {"model": "m", "shard": shard, "action": action, "layer": layer, "delta_nats": cost + 0.01 * shard}
        | {"linearity": ls, "update_linearity": res, "norm_ratio": 1 - ls, "block_influence": 1 - ls}
        | dict.fromkeys(("angular_distance", "cca_distance", "cca_bound"), 1 - ls)
        for shard in (0, 1)
        for action in ("remove", "affine")
        for layer, cost, ls, res in ((1, 3.0, 0.7, 0.9), (2, 0.1, 0.99, 0.2), (3, 1.0, 0.8, 0.3))
    ]
    return pd.DataFrame(rows)


def test_scores_agree_with_the_costs_that_they_rank_and_not_with_others():
    tau = pruning.agreement(costs()).groupby(["score", "shard"]).tau.mean()
    assert tau["linearity"].tolist() == [1, 1]
    assert tau["update_linearity"].tolist() == pytest.approx([-1, -1])


def test_the_most_linear_layer_is_the_cheapest_by_one_score_and_the_dearest_by_the_other():
    found = pruning.most_linear(costs()).set_index(["score", "action"])
    assert found.loc["LS", "layer"].tolist() == found.loc["LS", "cheapest"].tolist() == [2, 2]
    assert found.loc["LS_res", "layer"].tolist() == [1, 1]
    assert found.loc["LS_res", "place"].tolist() == found.loc["LS_res", "of"].tolist() == [3, 3]
    assert found.loc[("LS_res", "affine"), "cost"] == pytest.approx(3.005)  # mean of the shards


def test_promises_are_kept_where_they_are_and_broken_where_they_are_not():
    found = pruning.promises(pruned()).set_index(["promise", "which"])
    kept = found.kept
    assert kept["a map costs less than removing"].to_dict() == {"1": True, "2": True, "2 3": False}
    assert kept["in sequence is no worse than at once"].to_dict() == {"1": True, "2": True, "2 3": False}
    assert kept["merging costs less than removing"].to_dict() == {"2": True}  # the other has no rival
    assert found.times["a map costs less than removing", "2 3"] == pytest.approx(1.2)


def test_a_broken_promise_counts_once_however_many_orders_chose_so():
    table = pd.concat([pruned(), pruned(order="greedy")])
    broken = pruning.broken(pruning.promises(table))
    assert broken[["action", "which"]].to_numpy().tolist() == [["affine", "2 3"], ["sequential", "2 3"]]  # worst first


@pytest.mark.parametrize(("depth", "counts"), [(DEPTH, [[1, 1], [0, 0]]), (DEPTH + 1, [[0, 0], [1, 1]])])
def test_what_is_worse_in_sequence_is_counted_with_and_without_the_last_layer(depth, counts):
    found = pruning.worse_in_sequence(pruning.promises(pruned()), {"m": depth})
    assert found.to_numpy().tolist() == counts
    slight = pruning.worse_in_sequence(pruning.promises(pruned()), {"m": depth}, times=1.06)
    assert slight["clearly worse"].sum() == 0


def test_the_first_of_equal_methods_wins_and_slack_is_what_others_would_have_gained():
    methods = {"mine": ("linearity", "affine"), "yours": ("linearity", "sequential"), "theirs": ("linearity", "remove")}
    won = pruning.winners(pruned(), methods).set_index("layers")
    assert won.method.to_dict() == {1: "mine", 2: "theirs"}
    assert won.slack.to_dict() == {1: 1.0, 2: 1.0}
    better = pd.concat([pruned(), pruned({"affine": {"1 2": 2.5}}, order="greedy")])
    assert pruning.winners(better, methods).set_index("layers").slack[2] == 4.0


def test_rises_are_above_the_whole_model_of_the_same_variant():
    worse = {"remove": {"2": 9.0, "3": 8.0}}
    table = pd.concat([pruned(), pruned(worse, model="n", whole=8.0), pruned(model="unknown")])
    found = pruning.rises(table, {"m": "plain", "n": "other"}).set_index(["variant", "action", "layers"])
    assert found.rise["plain", "remove", 1] == pytest.approx(np.log(2))
    assert found.rise["other", "remove", 1] == pytest.approx(0)  # of the best choice
    assert found.nats["other", "whole", 0] == pytest.approx(np.log(8))
    assert set(found.index.unique("variant")) == {"plain", "other"}


def test_the_last_layer_is_set_apart_from_the_dearest_other():
    found = pruning.last_and_others(costs(), {"m": "plain"})
    assert found.plain.to_dict() == pytest.approx({"last layer": 1.005, "dearest other": 3.005})


def test_at_equal_size_a_rival_may_keep_more_or_not_exist():
    found = pruning.at_equal(pruned()).set_index(["equal", "layers"])
    # the time of a map is not counted in this table: the rival lost as many layers
    assert found.rival["decode_share", 1] == 4.0
    assert found.rival_layers["decode_share", 2] == 2
    assert found.rival["parameters", 2] == 10.0
    alone = pruned().query("action != 'remove' or layers == 1")
    lone = pruning.at_equal(alone).set_index(["equal", "layers"])
    assert lone.rival["parameters", 2] == np.inf  # nothing that small is left
    assert found.perplexity["parameters", 1] == 3.0


def test_a_map_has_the_share_of_a_block_that_it_does_not_save():
    assert pruning.map_share(pruned()).to_dict() == pytest.approx({"m": 10 / 120})


def test_times_are_compared_with_the_blocks_left():
    above = pruning.above_proportional(pruned(), {"m": DEPTH})
    assert above.decode_share.tolist() == pytest.approx([0.7 / (2 / 3) - 1, 0.4 / (1 / 3) - 1])


def test_healed_rows_stand_beside_the_same_choice_without_training():
    bare = pruned(order="greedy_replaced")
    trained = bare[(bare.action == "affine") & (bare.which == "2")].assign(healing="stand-ins", perplexity=2.5)
    other = pruned(order="greedy")  # which was not trained
    found = pruning.healed(pd.concat([bare, other, trained]))
    assert dict(zip(found.healing, found.perplexity, strict=True)) == {"none": 3.0, "stand-ins": 2.5}


def test_a_model_that_knows_less_is_noticed_and_one_within_two_errors_is_not():
    own = pruned(order="greedy_replaced").assign(accuracy=0.9, accuracy_error=0.05)
    own.loc[own.which == "1", "accuracy"] = 0.7
    own.loc[own.which == "2", "accuracy"] = 0.82
    found = pruning.asked(own, pruned(text="pydocs").assign(perplexity=7.0))
    assert set(found[found.worse].which) == {"1"}
    assert (found.elsewhere == 7.0).all()


def test_choices_without_all_actions_are_left_out():
    found = pruning.every_choice(pruned(), ["remove", "affine", "sequential"])
    assert found.which.tolist() == ["1"] * 3 + ["2"] * 3 + ["2 3"] * 3
    assert set(pruning.every_choice(pruned(), ["remove", "merge"]).which) == {"2"}


def test_in_sequence_differs_from_at_once_where_more_than_one_layer_is_replaced():
    model = small_model("llama", seed=1, vocab_size=64)
    fitted, other = torch.randint(3, 64, (48, 64), generator=torch.Generator().manual_seed(0)).split([40, 8])
    one, two = (
        pruning.nearer_or_better(model, layers, fitted, other).set_index(["text", "action"]).unstack()
        for layers in ([1], [1, 2])
    )
    assert np.allclose(one["error"].affine, one["error"].sequential)
    assert not np.allclose(two["error"].affine, two["error"].sequential)
    assert one["error"].to_numpy().min() > 0
    assert (two["error"].affine > one["error"].affine).all()
