"""The table of orders, actions and budgets says what doing the same by hand does."""

import math
from contextlib import nullcontext

import pandas as pd
import pytest
from tiny_models import WIDTH, tiny_ids, tiny_model
from torch import nn

from linstudy import cross_entropy
from linstudy.models import blocks, replaced
from linstudy.prune import (
    ACTIONS,
    BASELINES,
    ORDERS,
    changed,
    choose,
    count_parameters,
    fit,
    latency,
    pruned,
    pruning_table,
)

TEXT, OTHER = tiny_ids(batch=24, length=16, seed=3), tiny_ids(batch=4, length=12, seed=4)
COLUMNS = ["model", "text", "order", "action", "layers", "which", "perplexity", "parameters"]
TIMES = ["prefill_ms", "decode_ms", "prefill_share", "decode_share"]


@pytest.fixture(scope="module")
def model():
    return tiny_model("llama", num_hidden_layers=6, spread=0.3)


@pytest.fixture(scope="module")
def table(model):
    choices = {"orders": ("linearity", "angular", "random"), "budgets": (1, 3), "seeds": (0, 1), "batches": ()}
    return pd.DataFrame(pruning_table(model, TEXT, {"one": OTHER, "two": TEXT[:2]}, **choices))


def test_every_combination_has_a_row(table):
    assert list(table.columns) == [*COLUMNS, "seed"]
    assert len(table) == 2 + 2 * 5 * 2 * (1 + 1 + 2)
    assert not table.duplicated(["text", "order", "action", "layers", "seed"]).any()
    assert set(table["action"]) == {"whole", *ACTIONS}
    assert table["which"].str.split().str.len().tolist() == table["layers"].tolist()
    assert not table[table["action"] == "merge"]["which"].str.split().apply(lambda layers: "1" in layers).any()


def test_every_row_is_what_the_same_by_hand_gives(table, model):
    for row in table[table["text"] == "one"].itertuples():
        layers = [int(layer) for layer in row.which.split()]
        changes = pruned(model, layers, row.action, blocks=TEXT) if layers else nullcontext()
        with changes:
            assert row.perplexity == pytest.approx(math.exp(cross_entropy(model, OTHER)), rel=1e-5)
            assert row.parameters == count_parameters(model)


def test_the_table_takes_the_layers_of_the_order(table, model):
    for budget in (1, 3):
        for order, seed in (("linearity", 0), ("angular", 0), ("random", 1)):
            rows = table[(table["order"] == order) & (table["seed"] == seed) & (table["layers"] == budget)]
            expected = " ".join(map(str, sorted(choose(model, TEXT, order, count=budget, seed=seed))))
            assert set(rows[rows["action"] == "affine"]["which"]) == {expected}


def test_times_and_baselines(model):
    rows = pd.DataFrame(
        pruning_table(model, TEXT, {"one": OTHER}, orders=("angular",), actions=("remove", "merge"), budgets=(2,))
    )
    both = [*TIMES, *(f"{name}_8" for name in TIMES)]
    assert list(rows.columns) == [*COLUMNS, *both, "seed"]
    assert (rows[both] > 0).all(axis=None)
    assert rows[both].iloc[1].equals(rows[both].iloc[2]) or rows["which"][1] != rows["which"][2]
    assert all(order in ORDERS and action in ACTIONS for order, action in BASELINES.values())
    assert BASELINES["ReplaceMe"] == ("angular", "merge")


def test_a_wrong_name_is_told_before_anything_runs(model):
    with pytest.raises(ValueError, match="there is no order 'linear': did you mean 'linearity'"):
        next(pruning_table(model, TEXT, {"one": OTHER}, orders=("linear",)))
    with pytest.raises(ValueError, match="there is no action 'merged': did you mean 'merge'"):
        next(pruning_table(model, TEXT, {"one": OTHER}, actions=("merged",)))
    with pytest.raises(ValueError, match="count=6 layers cannot go: of 6 layers 1 to 5 can"):
        list(pruning_table(model, TEXT, {"one": OTHER}, orders=("last_first",), budgets=(6,), batches=()))


def test_parameters_are_counted_exactly():
    model = tiny_model("gpt2")  # its head is tied to its embedding
    block = sum(weight.numel() for weight in blocks(model)[0].parameters())
    whole = count_parameters(model)
    assert whole == model.num_parameters()
    with changed(model, fit(model, [1, 2], "remove")):
        assert count_parameters(model) == whole - 2 * block
    with changed(model, fit(model, [1, 2], "affine", blocks=TEXT)):
        assert count_parameters(model) == whole - 2 * block + 2 * WIDTH * (WIDTH + 1)
    shared = nn.Linear(WIDTH, WIDTH)
    with replaced(model, {0: shared, 1: shared}):
        assert count_parameters(model) == whole - 2 * block + WIDTH * (WIDTH + 1)


@pytest.mark.parametrize("name", ["llama", "mamba"])
def test_fewer_layers_take_less_time(name):
    model = tiny_model(name, num_hidden_layers=8)
    changes = fit(model, range(2, 9), "remove")
    found = latency(model, lambda: changed(model, changes), batch=2, prompt=8, decode=4, repeats=5)
    assert list(found) == TIMES
    assert found["decode_share"] < 0.8
    assert latency(model, nullcontext, prompt=8, decode=4, repeats=5)["decode_share"] > 0.6


def test_a_prompt_longer_than_the_model_reads_is_shortened():
    model = tiny_model("gpt2")  # reads 128 tokens
    assert latency(model, nullcontext, prompt=500, decode=4, repeats=1)["prefill_ms"] > 0
