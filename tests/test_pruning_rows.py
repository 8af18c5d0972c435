"""The rows of the pruning tables: whole, of texts that were not fitted, and what the same by hand gives."""

import copy
import math
from functools import cache, partial

import pandas as pd
import pytest
from reference import assert_filled
from sources import saved
from tiny_models import tiny_ids

from casebook.costs import rank_agreement
from casebook.reach import MADE
from casebook.registry import registry
from casebook.rows import TABLES, healing
from casebook.rows import pruning as rows
from casebook.rows.chosen import RECIPES
from casebook.rows.source import LENGTH
from casebook.table import Keep
from casebook.train import HEALING, heal
from linstudy import cross_entropy, load, token_blocks
from linstudy.models import small_model
from linstudy.prune import ORDERS, changed, choose, fit, latency, prune, pruned

TINY = {"tokens": 8 * LENGTH, "dtype": "float32"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("model"), num_hidden_layers=5)


@pytest.fixture
def small(monkeypatch):
    """Less of everything, so that it takes seconds."""
    monkeypatch.setattr(rows, "BUDGETS", (3,))
    monkeypatch.setattr(rows, "EVALUATED", {True: 3, False: 2})
    monkeypatch.setattr(rows, "SHARD_BLOCKS", 2)
    monkeypatch.setattr(rows, "EXAMPLES", 40)
    some = (rows.ASKED, "linearity", "angular", "random")  # test_prune_orders has all
    monkeypatch.setattr(rows, "ORDERS", {order: ORDERS[order] for order in some})
    monkeypatch.setattr(rows, "task_examples", cache(rows.task_examples))  # stories under checks of types take long
    quick = partial(latency, repeats=1, prompt=16, decode=2)  # how long a model takes is told, not looked at
    monkeypatch.setattr("linstudy.prune.table.latency", quick)


TEXTS = {"stories": "stories", "pydocs": "pydocs"}


@pytest.mark.slow
def test_rows_of_every_order_action_and_text(source, small, monkeypatch):
    run = {"source": source, "texts": TEXTS, **TINY}
    table = TABLES["pruning"].rows(**run)
    assert_filled(table, "pruning")
    assert set(table["order"]) == {"whole", *rows.ORDERS}
    assert table.groupby(["order", "action", "layers", "seed"])["text"].nunique().eq(2).all()
    assert table["perplexity"].gt(1).all()
    asked = table["order"].isin(("whole", rows.ASKED)) & table["action"].isin(("whole", *rows.ASKED_ACTIONS))
    assert table[asked][["accuracy", "probe_accuracy", "probe_constant"]].stack().between(0, 1).all()
    assert table["accuracy"].isna().any()

    model, tokenizer = load(source.place, device="cpu")
    blocks = rows.drawn("stories", tokenizer, 11)
    row = table[(table["order"] == "linearity") & (table["action"] == "affine") & (table["layers"] == 3)]
    layers = choose(model, blocks[:8], "linearity", count=3)
    assert row["which"].unique() == [" ".join(map(str, sorted(layers)))]
    with pruned(model, layers, "affine", blocks=blocks[:8]):
        for text, some in (("stories", blocks[8:]), ("pydocs", rows.drawn("pydocs", tokenizer, 2))):
            expected = math.exp(cross_entropy(model, some))
            assert row.set_index("text")["perplexity"][text] == pytest.approx(expected, rel=1e-5)

    # A run that was stopped makes the rest alone, and asks nobody again: the answers are there.
    missing, made = table["order"] == "linearity", []
    rest = Keep(TABLES["pruning"].key_of(run), table[~missing], made.append)
    monkeypatch.setattr(rows, "known", lambda *_: pytest.fail("it was asked before"))
    TABLES["pruning"].maker(rest, **run)
    columns = ["order", "action", "layers", "text", "which", "perplexity", "accuracy"]
    expected = table.loc[missing, columns].reset_index(drop=True)
    found = pd.concat(made, ignore_index=True).reindex(columns=columns)  # a table fills what was not measured
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.slow
def test_costs_of_every_shard_with_its_scores(source, small):
    table = TABLES["layer_costs"].rows(source=source, **TINY)
    assert_filled(table, "layer_costs")
    assert len(table) == 3 * (5 + 5 + 4)  # shards; removed, replaced, merged into the layer before
    assert table.groupby("shard")["text_hash"].nunique().tolist() == [1, 1, 1]
    assert table["text_hash"].nunique() == 3
    part = table[table["shard"] == 1]
    taus = rank_agreement(part.drop_duplicates("layer"), part)
    assert set(taus["action"]) == {"remove", "affine", "merge"}

    model, tokenizer = load(source.place, device="cpu")
    blocks = rows.drawn("stories", tokenizer, 30)[10:20]
    (one,) = fit(model, [4], "affine", blocks=blocks[:8])
    before = cross_entropy(model, blocks[8:])
    with changed(model, [one]):
        cost = cross_entropy(model, blocks[8:]) - before
    assert part.set_index(["action", "layer"])["delta_nats"]["affine", 4] == pytest.approx(cost, abs=1e-6)


@pytest.mark.slow
def test_every_recipe_is_trained_at_its_best_rate_by_seeds_that_chose_nothing(source, monkeypatch):
    small = {"VALIDATED": 2, "TESTED": 2, "ELSEWHERE": 1, "ASKED_BLOCKS": 4, "WARMUP": 1}
    for name, value in small.items():
        monkeypatch.setattr(healing, name, value)
    monkeypatch.setattr("casebook.sweeps.FARTHER", 1)  # rates that are added: test_sweeps has all
    rates, recipes = (1e-3, 4e-3), RECIPES[::3]
    run = {"source": source, "elsewhere": "pydocs", "tokens": TINY["tokens"], "rates": rates, "recipes": recipes}
    table = TABLES["healing"].rows(**run)
    assert_filled(table, "healing")
    assert table.groupby(["action", "which"]).ngroups == 3
    trained = table[table["healing"] != healing.UNTRAINED]
    trained_by = trained.groupby(["action", "start", "healing"])
    assert set(trained_by.groups) == set(recipes)
    for _, some in trained_by:
        chosen = some[some["seed"] == 0].set_index("rate")["validation_nats"]
        assert {*rates} <= set(chosen.index)
        judges = some[some["seed"] != 0]
        assert sorted(judges["seed"]) == list(healing.JUDGING)
        assert judges["rate"].eq(chosen.idxmin()).all()
        assert some["test_nats"].nunique() == len(some)  # rate and seed matter

    model, tokenizer = load(source.place, device="cpu")
    blocks = rows.drawn("stories", tokenizer, 12)
    layers = [int(layer) for layer in table["which"].max().split()]
    with pruned(model, layers, "affine", blocks=blocks[:8]):
        expected = [cross_entropy(model, some) for some in (blocks[8:10], blocks[10:])]
    row = table[(table["action"] == "affine") & (table["healing"] == healing.UNTRAINED)].iloc[0]
    assert row[["validation_nats", "test_nats"]].tolist() == pytest.approx(expected, rel=1e-5)

    # A run that was stopped trains the rest alone.
    made = []
    rest = Keep(TABLES["healing"].key_of(run), table.iloc[:-1], made.append)
    monkeypatch.setattr("casebook.rows.healing.restart_", lambda *_: pytest.fail("it was trained before"))
    TABLES["healing"].maker(rest, **run)
    assert pd.concat(made)["test_nats"].tolist() == pytest.approx([table["test_nats"].iloc[-1]], rel=1e-6)


def test_blocks_are_drawn_from_all_of_a_longer_stretch():
    tokenizer = load("stories-1m")[1]
    drawn = rows.drawn("stories", tokenizer, 20)
    stretch = token_blocks("stories", tokenizer, tokens=20 * rows.STRETCH * LENGTH, length=LENGTH)
    places = {int((stretch == block).all(1).nonzero()) for block in drawn}
    assert len(places) == 20
    assert min(places) < 10 < 20 * (rows.STRETCH - 1) < max(places)
    assert rows.drawn("stories", tokenizer, 20).equal(drawn)


def test_every_recipe_is_one_that_heal_knows():
    model, ids = small_model("llama", seed=0), tiny_ids(batch=40, length=16)
    for action, _, how in RECIPES:
        start = copy.deepcopy(model) if action == "whole" else prune(copy.deepcopy(model), [2], action, blocks=ids)
        assert next(heal(start, ids, HEALING, teacher=model, **healing.HEALINGS[how]))["step"] == 0


def test_a_pruned_model_is_healed_too_and_its_layers_have_costs():
    runs = pd.DataFrame([{"table": run.table.name, "needs": run.needs, **run.key} for run in registry()])
    models = runs.groupby("table")["model"].agg(set)
    control = {MADE["shallow model"].name}  # it stands beside pruned models as it is
    assert models["layer_costs"] == models["pruning"] - control
    assert models["healing"] - models["layer_costs"] == {"smollm2-135m"}  # whose costs are in losses.csv
    assert models["layer_costs"] < models["healing"]
    assert control < models["pruning"]
