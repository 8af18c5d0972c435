"""The rows of the pruning tables: whole, of texts that were not fitted, and what the same by hand gives."""

import copy
import math

import pandas as pd
import pytest

from linstudy import cross_entropy, load, token_blocks
from linstudy.models import small_model
from linstudy.prune import ORDERS, changed, choose, fit, heal, prune, pruned, rank_agreement
from linstudy.prune.healing import HEALING
from linstudy.study.reach import MADE
from linstudy.study.registry import registry
from linstudy.study.results import TABLES
from linstudy.study.rows import pruning as rows
from linstudy.study.rows.source import LENGTH, Source
from linstudy.study.table import Keep

TINY = {"tokens": 8 * LENGTH, "dtype": "float32"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A small random model, in a folder of its own, and a text."""
    folder = tmp_path_factory.mktemp("models") / "mine"
    _, tokenizer = load("stories-1m")
    small_model("llama", seed=3, vocab_size=len(tokenizer), num_hidden_layers=5).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Source("mine", "0" * 12, folder, "stories", "stories")


@pytest.fixture
def small(monkeypatch):
    """Less of everything, so that it takes seconds."""
    monkeypatch.setattr(rows, "BUDGETS", (3,))
    monkeypatch.setattr(rows, "EVALUATED", {True: 3, False: 2})
    monkeypatch.setattr(rows, "SHARD_BLOCKS", 2)
    monkeypatch.setattr(rows, "EXAMPLES", 40)
    monkeypatch.setattr(rows, "SEEDS", (0, 1))
    monkeypatch.setattr(rows, "HEALED", {"steps": 2, "batch": 2, "warmup": 1, "log_every": 1, "validate_every": 2})


TEXTS = {"stories": "stories", "pydocs": "pydocs"}


def whole(table, name):
    known = TABLES[name]
    assert {*known.key, *known.measured} <= set(table)
    assert not table[list(known.key)].duplicated().any()


@pytest.mark.slow
def test_rows_of_every_order_action_and_text(source, small, monkeypatch):
    run = {"source": source, "texts": TEXTS, "healing": "none", "task": "preference", **TINY}
    table = TABLES["pruning"].rows(**run)
    whole(table, "pruning")
    assert set(table["order"]) == {"whole", *ORDERS}
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
    pd.testing.assert_frame_equal(pd.concat(made, ignore_index=True)[columns], expected, check_dtype=False)


@pytest.mark.slow
def test_costs_of_every_shard_with_its_scores(source, small):
    table = TABLES["layer_costs"].rows(source=source, **TINY)
    whole(table, "layer_costs")
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
def test_every_recipe_heals_with_every_seed(source, small):
    table = TABLES["pruning"].rows(source=source, texts=TEXTS, healing="stand-ins", **TINY)
    whole(table, "pruning")
    assert len(table) == len(rows.RECIPES) * 2 * 2
    assert set(zip(table["action"], table["healing"], strict=True)) == set(rows.RECIPES)
    assert table[table["action"] != "whole"]["layers"].eq(2).all()
    assert table.groupby(["action", "healing", "text"])["perplexity"].nunique().eq(2).all()  # the seed matters
    once = table[(table["seed"] == 0) & (table["text"] == "stories")]
    assert once["perplexity"].nunique() == len(once)  # and so does every recipe


def test_blocks_are_drawn_from_all_of_a_longer_stretch():
    tokenizer = load("stories-1m")[1]
    drawn = rows.drawn("stories", tokenizer, 20)
    stretch = token_blocks("stories", tokenizer, tokens=20 * rows.STRETCH * LENGTH, length=LENGTH)
    places = [int((stretch == block).all(1).nonzero()) for block in drawn]
    assert len(set(places)) == 20
    assert min(places) < 10
    assert max(places) > 20 * (rows.STRETCH - 1)
    assert rows.drawn("stories", tokenizer, 20).equal(drawn)


@pytest.mark.parametrize(("action", "healing"), rows.RECIPES)
def test_every_recipe_is_one_that_heal_knows(action, healing):
    model = small_model("llama", seed=0)
    ids = token_blocks("stories", load("stories-1m")[1], tokens=40 * 16, length=16) % 99
    start = copy.deepcopy(model)
    start = start if action == "whole" else prune(start, [2], action, blocks=ids)
    assert next(heal(start, ids, HEALING, teacher=model, **rows.HEALINGS[healing]))["step"] == 0


def test_a_pruned_model_is_healed_too_and_its_layers_have_costs():
    runs = pd.DataFrame([{"table": run.table.name, "needs": run.needs, **run.key} for run in registry()])
    pruning = runs[runs["table"] == "pruning"]
    control = pruning["model"] == MADE["shallow model"].name  # it stands beside pruned models as it is
    assert list(pruning[control]["healing"]) == ["none"]
    pruning = pruning[~control]
    assert pruning.groupby("model")["healing"].apply(set).map(lambda found: found == {"none", "stand-ins"}).all()
    assert set(runs[runs["table"] == "layer_costs"]["model"]) == set(pruning["model"])
