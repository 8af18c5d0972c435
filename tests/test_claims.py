"""What the chapters say of their tables: on made-up rows whose answer is known, and on rows that say the opposite."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from casebook.claims import dynamics, healing, pruning, siblings, table_2
from casebook.published import paper_table
from casebook.rows import finetuning
from linstudy import load
from linstudy.models import small_model

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
    key = {"model": model, "corpus": "stories", "text": text, "seed": 0}
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


def test_one_score_agrees_with_the_costs_and_the_other_ranks_the_dearest_layer_first():
    tau = pruning.agreement(costs()).groupby(["score", "shard"]).tau.mean()
    assert tau["linearity"].tolist() == [1, 1]
    assert tau["update_linearity"].tolist() == pytest.approx([-1, -1])
    found = pruning.most_linear(costs()).set_index(["score", "action"])
    assert found.loc["LS", "layer"].tolist() == found.loc["LS", "cheapest"].tolist() == [2, 2]
    assert found.loc["LS_res", ["layer", "place", "of"]].to_numpy().tolist() == [[1, 3, 3]] * 2
    assert found.loc[("LS_res", "affine"), "cost"] == pytest.approx(3.005)  # mean of the shards


def test_promises_are_kept_where_they_are_and_broken_once_however_many_orders_chose_so():
    found = pruning.promises(pruned()).set_index(["promise", "which"])
    kept = found.kept
    assert kept["a map costs less than removing"].to_dict() == {"1": True, "2": True, "2 3": False}
    assert kept["in sequence is no worse than at once"].to_dict() == {"1": True, "2": True, "2 3": False}
    assert kept["merging costs less than removing"].to_dict() == {"2": True}  # the other has no rival
    assert found.times["a map costs less than removing", "2 3"] == pytest.approx(1.2)
    broken = pruning.broken(pruning.promises(pd.concat([pruned(), pruned(order="greedy")])))
    assert broken[["action", "which"]].to_numpy().tolist() == [["affine", "2 3"], ["sequential", "2 3"]]  # worst first
    for actions, which in ((["remove", "affine", "sequential"], ["1", "2", "2 3"]), (["remove", "merge"], ["2"])):
        assert pruning.every_choice(pruned(), actions).which.unique().tolist() == which  # without all actions: left out


def test_a_text_of_the_kind_that_was_fitted_is_told_from_another():
    table = pd.concat([pruned(), pruned(text="pydocs"), pruned(text="wikitext-test").assign(corpus="wikitext")])
    found = table.assign(own=pruning.on_own_text(table)).groupby("text").own.unique().map(list).to_dict()
    assert found == {"stories": [True], "pydocs": [False], "wikitext-test": [True]}


@pytest.mark.parametrize(("depth", "counts"), [(DEPTH, [[1, 1], [0, 0]]), (DEPTH + 1, [[0, 0], [1, 1]])])
def test_what_is_worse_in_sequence_is_counted_with_and_without_the_last_layer(depth, counts):
    kept = pruning.promises(pruned())
    found, slight = (pruning.worse_in_sequence(kept, {"m": depth}, **most) for most in ({}, {"times": 1.06}))
    assert found.to_numpy().tolist() == counts
    assert slight["clearly worse"].sum() == 0


def test_equal_methods_win_together_and_slack_is_what_others_would_have_gained():
    methods = {"mine": ("linearity", "affine"), "yours": ("linearity", "sequential"), "theirs": ("linearity", "remove")}
    won = pruning.winners(pruned(), methods).set_index("layers")
    assert won.method.to_dict() == {1: "mine = yours", 2: "theirs"}
    assert won.slack.to_dict() == {1: 1.0, 2: 1.0}
    better = pd.concat([pruned(), pruned({"affine": {"1 2": 2.5}}, order="greedy")])
    assert pruning.winners(better, methods).set_index("layers").slack[2] == 4.0


def test_a_text_on_which_the_whole_model_knows_less_than_nothing_is_no_contest():
    guessing = pruned(text="pydocs", whole=2 * pruning.OUR_VOCABULARY)
    assert pruning.sane(pd.concat([pruned(), guessing])).text.unique().tolist() == ["stories"]
    assert len(pruning.sane(pruned(whole=float(pruning.OUR_VOCABULARY)))) == len(pruned())
    assert load("stories-1m")[0].config.vocab_size == pruning.OUR_VOCABULARY


def test_rises_are_above_the_whole_model_of_the_same_variant():
    worse = {"remove": {"2": 9.0, "3": 8.0}}
    table = pd.concat([pruned(), pruned(worse, model="n", whole=8.0), pruned(model="unknown")])
    found = pruning.rises(table, {"m": "plain", "n": "other"}).set_index(["variant", "action", "layers"])
    assert found.rise["plain", "remove", 1] == pytest.approx(np.log(2))
    assert found.rise["other", "remove", 1] == pytest.approx(0)  # of the best choice
    assert found.nats["other", "whole", 0] == pytest.approx(np.log(8))
    assert set(found.index.unique("variant")) == {"plain", "other"}


def test_at_equal_size_a_rival_may_keep_more_or_not_exist_and_maps_and_blocks_have_their_share():
    found = pruning.at_equal(pruned()).set_index(["equal", "layers"])
    # the time of a map is not counted in this table: the rival lost as many layers
    assert found.loc[("decode_share", 1), "rival"] == 4.0
    assert found.loc[("decode_share", 2), "rival_layers"] == 2
    assert found.loc[("parameters", 2), "rival"] == 10.0
    lone = pruning.at_equal(pruned().query("action != 'remove' or layers == 1")).set_index(["equal", "layers"])
    assert lone.loc[("parameters", 2), "rival"] == np.inf  # nothing that small is left
    assert found.loc[("parameters", 1), "perplexity"] == 3.0
    assert pruning.map_share(pruned()).to_dict() == pytest.approx({"m": 10 / 120})
    above = pruning.above_proportional(pruned(), {"m": DEPTH})
    assert above.decode_share.tolist() == pytest.approx([0.7 / (2 / 3) - 1, 0.4 / (1 / 3) - 1])


def test_a_model_that_knows_less_is_noticed_and_one_within_two_errors_is_not():
    own = pruned(order="greedy_replaced").assign(accuracy=0.9, accuracy_error=0.05)
    own.loc[own.which == "1", "accuracy"] = 0.7
    own.loc[own.which == "2", "accuracy"] = 0.82
    found = pruning.asked(own, pruned(text="pydocs").assign(perplexity=7.0))
    assert set(found[found.worse].which) == {"1"}
    assert (found.elsewhere == 7.0).all()


def test_in_sequence_differs_from_at_once_where_more_than_one_layer_is_replaced():
    model = small_model("llama", seed=1, vocab_size=64)
    fitted, other = torch.randint(3, 64, (48, 64), generator=torch.Generator().manual_seed(0)).split([40, 8])
    tables = [pruning.nearer_or_better(model, layers, fitted, other) for layers in ([1], [1, 2])]
    one, two = (table.set_index(["text", "action"]).unstack()["error"] for table in tables)
    assert np.allclose(one.affine, one.sequential)
    assert not np.allclose(two.affine, two.sequential)
    assert one.to_numpy().min() > 0
    assert (two.affine > one.affine).all()


def test_the_siblings_were_made_alike_but_for_their_penalties():
    made = siblings.how_made()
    assert made.command.str.contains("--penalty").tolist() == [variant != "plain" for variant in made.index]
    assert (made[["tokens", "steps", "peak rate"]].nunique() == 1).all()
    assert made.bits_per_byte.between(0, 8).all()


def test_layers_tasks_and_probes_are_compared_with_their_controls():
    rows = pd.DataFrame({"layer": [1, 2, 3], "linearity": [0.9, 0.7, 0.1], "variant": "plain"})
    assert siblings.inner_and_last(rows).set_index("place").linearity.to_dict() == {"inner": 0.8, "last": 0.1}
    rows = [("likelihood", "a", 0.75), ("likelihood", "b", 0.65), ("constant", "a", 0.5), ("shared words", "a", 0.6)]
    table = pd.DataFrame(rows, columns=["predictor", "variant", "value"]).assign(task="ending", standard_error=0.05)
    found = siblings.solved(table).loc["ending"]  # two errors above both
    assert found["a solves"]
    assert not found["b solves"]
    rows = [("probe", 0, 0.5), ("probe", 1, 0.7), ("constant", 0, 0.4), ("probe of random weights", 1, 0.6)]
    table = pd.DataFrame(rows, columns=["predictor", "layer", "value"]).assign(task="cause", variant="plain")
    expected = {"plain": 0.7, "constant": 0.4, "probe of random weights": 0.6}  # at the best layer of each
    assert siblings.best_probes(table).loc["cause"].to_dict() == expected


def test_the_papers_table_2_is_taken_apart_by_task():
    printed = paper_table(2)
    z = table_2.differences(printed).set_index(["model", "task"]).z
    # 9 points of BoolQ on 3,270 questions: the formula by hand
    assert z["650M + cosine 0.5", "boolq"] == pytest.approx(0.09 / ((0.575 * 0.425 + 0.485 * 0.515) / 3270) ** 0.5)
    gains = table_2.gains(printed)
    by_hand = printed.set_index("model")["mean"]
    assert gains.gain["150M + MSE 0.5"] == pytest.approx(by_hand["150M + MSE 0.5"] - by_hand["150M"], abs=0.011)
    assert (gains.without_the_two < gains.gain).all()


def test_the_error_of_a_mean_gain_counts_questions_once_and_what_no_number_of_them_gives_is_found():
    even = {task: [50.0, 50.0] for task in table_2.QUESTIONS}
    printed = pd.DataFrame({"model": ["m", "m + x"], **even, "cb-f1": [50.0, 50.0], "mean": [50.0, 50.0]})
    others = set(table_2.QUESTIONS) - {"cb-acc"}

    def error(table, without):
        return table_2.gains(table, without=dict.fromkeys(without, 0.0)).error["m + x"]

    alone = 100 * (0.5 / 56) ** 0.5  # of a difference of two accuracies
    assert error(printed.drop(columns="cb-f1"), others) == pytest.approx(alone)
    assert error(printed, others) == pytest.approx(alone)  # the same questions: no smaller error
    two = error(printed.drop(columns="cb-f1"), others - {"copa"})
    assert two == pytest.approx(100 * (0.5 / 56 + 0.5 / 100) ** 0.5 / 2)
    whole = {task: [round(100 * (count // 3) / count, 2)] for task, count in table_2.QUESTIONS.items()}
    printed = pd.DataFrame({"model": ["m"], **whole})
    assert table_2.no_whole_questions(printed).empty
    found = table_2.no_whole_questions(printed.assign(copa=33.5))
    assert found[["task", "right"]].to_numpy().tolist() == [["copa", 33.5]]


SEEDS, STEPS = (0, 1, 2), (0, *(2**power for power in range(9)))


def followed(rises=(0.2, 0.2), *, fall=0.5, apart=0.01, penalised=0.0):
    """Runs whose LS_res goes up by this much in each layer until step 16, and then down; with the squares, higher."""
    runs = [("none", 0.0, seed) for seed in SEEDS] + [("mse", 0.5, seed) for seed in (7, 8, 9)]
    rows = []
    for (penalty, weight, seed), step, (layer, rise) in product(runs, STEPS, enumerate(rises, start=1)):
        way = np.log2(1 + step) / np.log2(17)  # to the top
        height = rise * min(way, 1) - fall * max(way - 1, 0) * (1 + apart * seed)
        row = {"penalty": penalty, "weight": weight, "seed": seed, "step": step, "layer": layer}
        row |= {"update_linearity": 0.3 + height + penalised * weight, "update_ratio": 0.1 + 0.02 * way}
        rows.append(row | {"validation_nats": 6 - way})
    table = pd.DataFrame(rows).assign(preset="pocket", corpus="pydocs", revision="", norm_ratio=0.3)
    linearity = 1 - (1 - table.update_linearity) * table.update_ratio
    return table.assign(linearity=linearity, linearity_raw=linearity, update_linearity_raw=table.update_linearity)


def plain_rows(**options):
    rows = dynamics.runs_of_ours(followed(**options))
    return rows[rows.variant == "plain"]


def test_a_broken_line_finds_corners_that_are_there_and_smooths_what_is_not():
    planted = {0: 0.3, 4: 0.3, 16: 0.9, 256: 0.1}
    clock = np.log2(1 + np.array(STEPS))
    path = pd.Series(np.interp(clock, np.log2(1 + np.array([*planted])), [*planted.values()]), index=STEPS)
    assert dynamics.broken_line(path).to_dict() == pytest.approx(planted)
    flat = dynamics.broken_line(pd.Series([0.5] * 3 + [0.51] + [0.5] * 6, index=STEPS))
    assert flat.max() < 0.508  # a single point counts less than a turn
    assert dynamics.broken_line(pd.Series(-clock, index=STEPS)).idxmax() == 0  # only falls


def test_the_turn_of_every_run_is_told_and_a_path_that_only_falls_has_no_rise():
    found = dynamics.turns(plain_rows()).set_index(["score", "seed"]).loc["LS_res"]
    assert set(found.top) == {16}
    assert found.rise.tolist() == pytest.approx([0.2] * 3)
    assert (found.change - found.rise - found.fall).abs().max() < 1e-9
    falling = dynamics.turns(plain_rows(rises=(-0.2, -0.2))).set_index("score").loc["LS_res"]
    assert falling.rise.abs().max() < 1e-9
    assert set(falling.top) == {0}


def test_intervals_over_seeds_are_wider_where_they_hold_for_more_layers():
    rows = plain_rows(rises=(0.2, 0.0, 0.1), apart=0.1)
    layers = dynamics.of_layers(rows).set_index(["layer", "score", "what"])
    alone = dynamics.over_seeds(dynamics.turns(rows, ["layer"]), ["layer"]).set_index(["layer", "score", "what"])
    fall, same = layers.loc[(1, "LS_res", "fall")], alone.loc[(1, "LS_res", "fall")]
    assert fall["mean"] == same["mean"] < 0
    assert fall.high - fall.low > 1.5 * (same.high - same.low) > 0
    assert layers.loc[(1, "LS_res", "top"), "mean"] == pytest.approx(16)
    assert dynamics.rising(dynamics.of_layers(rows))["LS_res"] == pytest.approx(2 / 3)


def test_published_checkpoints_and_other_sets_are_no_runs_of_ours():
    rows = pd.concat([followed(), followed().assign(revision="step1"), followed().assign(corpus="stories")])
    assert len(dynamics.runs_of_ours(rows, "pocket")) == len(followed())
    assert len(dynamics.runs_of_ours(rows)) == 2 * len(followed())
    assert dynamics.runs_of_ours(rows, "nano").empty
    assert set(dynamics.runs_of_ours(rows).variant) == {"plain", "MSE 0.5"}


def test_ingredients_sum_up_and_only_what_moved_is_owed():
    found = dynamics.ingredients(plain_rows())
    assert np.allclose(found["ln (1 - LS)"], found["owed to linearity"] + found["owed to size"])
    still = plain_rows(rises=(0.3, 0.3), fall=0.1).assign(update_ratio=0.1)
    still = dynamics.ingredients(still.assign(linearity_raw=1 - (1 - still.update_linearity) * 0.1))
    assert np.allclose(still["owed to size"], 0)
    assert (still["owed to linearity"] < 0).all()  # towards LS = 1


def test_at_equal_loss_a_score_that_belongs_to_the_loss_is_the_same():
    def judged(**options):
        found = dynamics.at_equal_loss(dynamics.layer_means(dynamics.runs_of_ours(followed(**options))))
        return found.set_index(["score", "variant"]).loc[("LS_res", "MSE 0.5")]

    assert judged(apart=1e-4).verdict == "equal"
    other = judged(apart=1e-4, penalised=0.2)
    assert other.effect == pytest.approx(0.1, abs=1e-3)
    assert other.verdict == "higher"
    assert dynamics.at_equal_loss(dynamics.layer_means(plain_rows())).empty  # nothing to compare with
    run = {"variant": "plain", "seed": 0, "step": [0, 1, 2], "validation_nats": [6.0, 4.0, 5.0]}
    means = pd.DataFrame(run).assign(linearity=[0.0, 1.0, 9.0])
    assert dynamics.at_loss(means, "linearity", 5.0).tolist() == [0.5]  # between its points; the first time


# Of each task: the change with true labels, shuffled ones and none, and the accuracy with true ones.
TUNED = {"source": ((0.02, 0.02, 0.05), 0.9), "order": ((-0.03, 0.03, 0.0), 0.7), "preference": ((0.0, 0.0, 0.0), 0.5)}


def tuned():
    """Rows as finetuning.csv has them, with runs that choose a rate and change far more."""
    draw = np.random.default_rng(0)
    rows = []
    for (task, (effects, accuracy)), text, (place, labels), number in product(
        TUNED.items(), ("stories", "task"), enumerate(finetuning.LABELS), range(8)
    ):
        chooses = number >= finetuning.JUDGES
        if chooses and labels != "true":
            continue
        seed = number % 5 if chooses else 100 * (1 + place) + number
        row = {"task": task, "text": text, "labels": labels, "seed": seed}
        right = accuracy if labels == "true" else None if labels == "no labels" else 0.5
        row |= {"accuracy": right and right + 0.01 * (number - 2), "constant": None if right is None else 0.5}
        change = 1.0 if chooses else effects[place] + draw.normal(0, 1e-3)
        rows += [row | {"layer": layer, "delta_update_linearity": change} for layer in (1, 2)]
    all_weights = pd.DataFrame(rows).assign(model="stories-1m", rate=0.1, loss=0.5, delta_nats=0.0)
    all_weights["trained"] = finetuning.ALL
    other = all_weights[(all_weights.labels == "true") & (all_weights.seed >= 100)]
    other = other.assign(trained=finetuning.LOW_RANK, seed=other.seed + 300, delta_update_linearity=9.0, delta_nats=0.5)
    return pd.concat([all_weights, other, all_weights.assign(model="m")])  # the last two are not asked for


def test_always_is_judged_by_task_and_text_with_its_controls():
    found = dynamics.always(dynamics.per_seed(tuned())).set_index(["text", "task", "labels"])
    for text in ("stories", "task"):
        true = found.loc[text].xs("true", level="labels")
        assert true.direction.to_dict() == {"source": "rises", "order": "falls", "preference": "undecided"}
        shuffled, none = (found.loc[text].xs(name, level="labels") for name in finetuning.LABELS[1:])
        assert shuffled.verdict.to_dict() == {"source": "equal", "order": "higher", "preference": "equal"}
        assert none.verdict.to_dict() == {"source": "higher", "order": "higher", "preference": "equal"}
    one = found.loc[("stories", "source", "true")]
    assert one.low < 0.02 < one.high < 0.05  # the runs that choose are not counted


def test_low_rank_stands_beside_all_weights_with_true_labels():
    rows = tuned()
    low = rows.trained == finetuning.LOW_RANK
    rows.loc[low, "delta_update_linearity"] = np.where(rows.task[low] == "source", 0.05, -0.03) + rows.seed[low] * 1e-6
    found = dynamics.of_low_rank(rows).set_index(["task", "text"])
    assert found.difference["source"].tolist() == pytest.approx([0.03, 0.03], abs=2e-3)
    assert set(found.verdict["source"]) == {"higher"}
    assert set(found.verdict["order"]) == {"equal"}
    assert found.delta_nats.eq(0.5).all()
    assert found.change["order"].tolist() == pytest.approx([-0.03, -0.03], abs=1e-3)


def test_the_runs_that_choose_a_rate_are_told_by_it_and_no_others():
    rows = tuned()
    slow = rows[rows.seed < 3].assign(rate=0.05, delta_update_linearity=lambda some: some.layer * 0.1)
    rows = pd.concat([rows, slow])
    found = dynamics.by_rate(rows).set_index(["task", "trained", "rate", "text", "seed"]).delta_update_linearity
    assert dict.fromkeys(found.index.get_level_values("task")) == dict.fromkeys(finetuning.TASKS)
    assert set(found.index.get_level_values("seed")) == {0, 1, 2}
    assert len(found) == 3 * 2 * 2 * 3  # tasks, rates, texts, seeds; low rank has none that choose here
    at = found.groupby("rate").agg(["min", "max"])
    assert at.loc[0.1].tolist() == [1, 1]
    assert at.loc[0.05].tolist() == pytest.approx([0.15, 0.15])


def test_fine_tunings_are_named_as_a_figure_names_them():
    said = dynamics.in_words(pd.DataFrame({"text": ["task", "stories"], "layer": [1, 2]}))
    assert said.values.tolist() == [["on the task's text", "layer 1"], ["on stories", "layer 2"]]
    assert list(dynamics.in_words(said[["text"]])) == ["text"]


def test_what_was_learnt_is_accuracy_beyond_a_constant():
    found = dynamics.learnt(dynamics.per_seed(tuned())).set_index(["labels", "task"])
    assert found.loc["true"].learnt.to_dict() == {"source": True, "order": True, "preference": False}
    assert not found.loc["shuffled"].learnt.any()
    assert found.loc[("true", "source"), "gain"] == pytest.approx(0.4, abs=0.02)
    assert "no labels" not in found.index.unique("labels")
    rows = tuned()
    unfinished = rows[~((rows.task == "order") & (rows.seed == 304))]
    assert set(dynamics.per_seed(unfinished).task) == {"source", "preference"}  # what is not finished is left out


def trained_rows(ends, *, model="m"):
    """Rows as healing.csv has them: of each recipe its loss before training or after, by rate and seed."""
    rows = []
    for recipe, losses in ends.items():
        for (rate, seed), nats in losses.items():
            key = dict(zip(("action", "start", "healing"), recipe, strict=True))
            rows.append({"model": model, **key, "rate": rate, "seed": seed, "test_nats": nats})
    table = pd.DataFrame(rows)
    return table.assign(validation_nats=table.test_nats + table.rate * 10)


def three(nats, *, spread=0.0):
    """A recipe whose test loss is lower at the rate that validation does not choose."""
    return {(0.1, 0): nats, (0.2, 0): nats - 0.5, (0.1, 1): nats - spread, (0.1, 2): nats + spread}


ENDS = {
    ("whole", "", "none"): {(0.0, 0): 2.0},
    ("remove", "", "none"): {(0.0, 0): 6.0},
    ("affine", "fitted", "none"): {(0.0, 0): 4.0},
    ("whole", "", "all, by loss"): three(1.9, spread=0.05),
    ("remove", "", "all, by loss"): three(2.72),
    ("affine", "fitted", "all, by loss"): three(2.5, spread=0.1),
    ("affine", "zero", "all, by loss"): three(2.55, spread=0.1),
    ("affine", "zero", "maps, by loss"): three(5.0),
}


def test_what_training_spares_brings_back_and_leaves_of_a_maps_worth():
    found = healing.spared(trained_rows(ENDS)).loc["m"]
    assert (found.before, found.after, found.rate, found.spared) == (2.0, pytest.approx(1.95), 0.1, True)
    worse = ENDS | {("whole", "", "all, by loss"): three(1.97, spread=0.05)}  # one seed is worse than no training
    assert not healing.spared(trained_rows(worse)).spared.any()
    found = healing.brought_back(trained_rows(ENDS)).set_index(["action", "start", "healing"])
    fitted = found.loc["affine", "fitted", "all, by loss"]
    assert (fitted.untrained, fitted.nats, fitted.low) == (4.0, pytest.approx(2.5), pytest.approx(2.4))
    assert fitted.share == pytest.approx((4.0 - 2.5) / (4.0 - 1.9))  # from the whole model trained alike
    zero = found.loc["affine", "zero", "maps, by loss"]  # which starts as a model with removed layers does
    assert (zero.untrained, zero.share) == (6.0, pytest.approx(1 / 4.1))
    assert "whole" not in found.index.unique("action")
    found = healing.worth(trained_rows(ENDS)).set_index("claim")
    place, start = found.loc["a map in its place, all weights trained"], found.loc["the closed form, all, by loss"]
    assert (place.nats, place.beyond) == (pytest.approx(0.22), True)
    assert (start.nats, start.beyond) == (pytest.approx(0.05), False)  # the seeds overlap
