"""The table of orders, actions and budgets says what doing the same by hand does, row by row."""

import math
import time
from contextlib import nullcontext
from functools import partial
from itertools import count, groupby, islice

import pandas as pd
import pytest
from tiny_models import tiny_ids, tiny_model

from linstudy import cross_entropy
from linstudy.models import blocks
from linstudy.prune import ACTIONS, changed, choices, choose, fit, latency, pruned, pruning_table

TEXT, OTHER = tiny_ids(batch=24, length=16, seed=3), tiny_ids(batch=4, length=12, seed=4)
COLUMNS = ["model", "text", "order", "action", "layers", "which", "perplexity", "parameters"]
TIMES = ["prefill_ms", "decode_ms", "prefill_share", "decode_share"]
CHOICES = {"orders": ("linearity", "angular", "random"), "budgets": (1, 3), "seeds": (0, 1)}


@pytest.fixture(scope="module")
def model():
    return tiny_model("llama", num_hidden_layers=6, spread=0.3)


@pytest.fixture(scope="module")
def table(model):
    return pd.DataFrame(pruning_table(model, TEXT, {"one": OTHER, "two": TEXT[:2]}, choices(**CHOICES), batches=()))


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
        with pruned(model, layers, row.action, blocks=TEXT) if layers else nullcontext():
            assert row.perplexity == pytest.approx(math.exp(cross_entropy(model, OTHER)), rel=1e-5)
            assert row.parameters == model.num_parameters()
        if layers:
            fixed = (1,) if row.action == "merge" else ()
            assert layers == sorted(choose(model, TEXT, row.order, count=row.layers, fixed=fixed, seed=row.seed))


def test_what_is_not_chosen_is_neither_yielded_nor_measured(table, model):
    """A run that was cut goes on, an order after the other, to the same rows."""
    rows = [row for row in table.to_dict("records") if row["text"] == "one"]
    keys = [(row["order"], row["action"], row["layers"], row["seed"]) for row in rows]
    assert [order for order, _ in groupby(keys, lambda key: key[0])] == ["whole", *CHOICES["orders"]]
    assert keys == choices(**CHOICES)
    found = list(pruning_table(model, TEXT, {"one": OTHER}, keys[25:], batches=()))
    assert found == [pytest.approx(row) for row in rows[25:]]
    ran = []
    handle = blocks(model)[0].register_forward_hook(lambda *_: ran.append(True))
    assert not list(pruning_table(model, TEXT, {"one": OTHER}, []))
    handle.remove()
    assert not ran


def test_a_row_is_there_before_the_next_is_measured(model):
    """The second order cannot be taken: what came before is there all the same, and the model is whole."""
    before = list(blocks(model))
    options = CHOICES | {"orders": ("last_first", "angular"), "actions": ("merge",), "budgets": (1, 5)}
    rows = pruning_table(model, TEXT, {"one": OTHER}, choices(**options), batches=())
    found = list(islice(rows, 3))
    assert [row["which"] for row in found] == ["", "6", "2 3 4 5 6"]
    assert list(blocks(model)) == before


def test_times_are_of_layers_and_maps_that_are_left(model, monkeypatch):
    """The clock counts blocks that run, so that shares are exact."""
    ticks = [0]
    quick = partial(latency, repeats=1, prompt=16, decode=2)
    monkeypatch.setattr("linstudy.prune.table.latency", quick)
    monkeypatch.setattr(time, "perf_counter", lambda: float(ticks[0]))
    handles = [block.register_forward_hook(lambda *_: ticks.__setitem__(0, ticks[0] + 1)) for block in blocks(model)]
    chosen = choices(orders=("angular",), actions=("remove", "affine", "merge"), budgets=(2,))
    rows = pd.DataFrame(pruning_table(model, TEXT, {"one": OTHER}, chosen))
    changes = fit(model, [2, 3, 4], "remove")
    long = latency(model, lambda: changed(model, changes), prompt=500, decode=4, repeats=1)
    for handle in handles:
        handle.remove()
    both = [*TIMES, *(f"{name}_8" for name in TIMES)]
    assert list(rows.columns) == [*COLUMNS, *both, "seed"]
    assert rows.loc[0, both].tolist() == [6000, 6000, 1, 1] * 2
    assert rows.loc[1:, both].to_numpy().tolist() == [pytest.approx([4000, 4000, 2 / 3, 2 / 3] * 2)] * 3
    assert list(long) == TIMES
    assert long["decode_share"] == 0.5


def test_the_first_turn_is_not_timed(model, monkeypatch):
    """The clock reads less and less between two looks: three a model, six a turn."""
    now = (1 - 0.5**look for look in count())
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    found = latency(model, nullcontext, prompt=8, decode=1, repeats=1)
    assert found["prefill_ms"] == pytest.approx(1000 * (0.5**9 - 0.5**10))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"orders": ("linear",)}, "there is no order 'linear': did you mean 'linearity'"),
        ({"actions": ("merged",)}, "there is no action 'merged': did you mean 'merge'"),
        ({"budgets": (2, 6)}, "count=6 layers cannot go: of 6 layers 1 to 5 can"),
    ],
)
def test_a_wrong_name_is_told_before_anything_runs(model, monkeypatch, options, told):
    monkeypatch.setattr(model.base_model, "forward", None)
    with pytest.raises(ValueError, match=told):
        next(pruning_table(model, TEXT, {"one": OTHER}, choices(**options)))


@pytest.mark.parametrize(("room", "read"), [(128, 124), (256, 130)])
def test_a_prompt_longer_than_the_model_reads_is_shortened(room, read):
    model, lengths = tiny_model("gpt2", max_position_embeddings=room), set()
    model.get_input_embeddings().register_forward_hook(lambda *given: lengths.add(given[-1].shape[1]))
    latency(model, nullcontext, prompt=130, decode=4, repeats=1)
    assert lengths == {read, 1}
