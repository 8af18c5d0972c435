"""What changed models lose, with the layers before the change not run again: the same as with all of them run."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from sources import POCKET
from tiny_models import tiny_ids, tiny_model

from casebook.rows import TABLES, losses
from casebook.rows.chosen import ACTIONS
from casebook.rows.losses import block_losses
from casebook.rows.source import Text
from linstudy import cross_entropy
from linstudy.models import replaced
from linstudy.prune import changed, fit
from linstudy.prune.fitting import exits

DECODERS = ("llama", "gemma3_text", "gpt2", "qwen2")
CASES = (  # layers, action, part
    ([1], "remove", "block"),
    ([2], "affine", "block"),
    ([3], "remove", "block"),
    ([2, 3], "affine", "block"),
    ([3], "remove", "attention"),
    ([1, 3], "affine", "mlp"),
)


@pytest.mark.parametrize("name", DECODERS)
def test_losses_are_those_of_the_changed_model_run_whole(name):
    model, blocks = tiny_model(name), tiny_ids(batch=6, length=24)
    states, whole = exits(model, blocks), cross_entropy(model, blocks)
    assert float(block_losses(model, blocks, exits=states).mean()) == pytest.approx(whole, abs=1e-5)
    for layers, action, part in CASES:
        changes = fit(model, layers, action, blocks=blocks, part=part)
        found = block_losses(model, blocks, changes, exits=states)
        with changed(model, changes):
            expected = [cross_entropy(model, block[None]) for block in blocks]
        assert found.tolist() == pytest.approx(expected, abs=1e-5)
        assert abs(float(found.mean()) - whole) > 1e-4  # control: something was changed
    assert cross_entropy(model, blocks) == whole
    changes = fit(model, [2], "remove")
    found = block_losses(model, blocks, changes, exits=states)
    with replaced(model, {0: torch.nn.Linear(32, 32)}):  # layers before the change are not run
        assert torch.equal(block_losses(model, blocks, changes, exits=states), found)


OPTIONS = {"source": POCKET, "tokens": 2048, "part": "block"}


@pytest.fixture
def small(monkeypatch):
    for name, value in {"TESTED": 4, "STRETCHES": 2, "BUDGETS": (2, 3)}.items():
        monkeypatch.setattr(losses, name, value)


def rows_of(choice, action):
    return TABLES["losses"].rows(choice=choice, action=action, tested=Text("stories", "stories"), **OPTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["alone", "together"])
def test_rows_have_every_layer_or_every_order(choice, small):
    both = [rows_of(choice, action) for action in ACTIONS]
    rows = pd.concat(both).drop_duplicates(["action", "order", "layers", "stretch"])  # each has the whole model's
    nats = rows.groupby(["action", "order", "layers"]).nats.mean()
    assert rows.groupby(["action", "order", "layers"]).size().eq(2).all()
    whole = nats["whole", "whole", 0]
    if choice == "alone":
        assert len(nats) == 1 + 2 * 8
        assert (nats["affine"] < nats["remove"]).mean() > 0.7
        assert nats["remove"].min() > whole
    else:
        assert len(nats) == 1 + 2 * len(losses.ORDERS) * 2
        assert (nats["affine"] < nats["remove"]).all()
        which = rows[rows.order == "last_but_one_first"].groupby("layers").which.first()
        assert which.tolist() == ["6 7", "5 6 7"]


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_a_greedy_order_takes_what_costs_least_after_those_gone(action, small):
    source = POCKET  # whose cheapest three together are not the three that are cheapest alone
    options = OPTIONS | {"source": source, "tested": Text("stories", "stories")}
    rows = TABLES["losses"].rows(choice="tried", action=action, **options)
    nats = rows.groupby(["order", "layers"]).nats.mean()
    model, tokenizer = source.load()
    blocks = losses.drawn("stories", tokenizer, 12)
    changes = {one.first: one for one in fit(model, range(1, 9), action, blocks=blocks[:8])}

    def cost(*layers, of=blocks[:4]):
        with changed(model, [changes[layer] for layer in layers]):
            return cross_entropy(model, of)

    alone, gone = sorted(changes, key=cost), ()
    while len(gone) < 3:
        gone = (*gone, min(set(changes) - {*gone}, key=lambda layer: cost(*gone, layer)))
    which = rows.groupby(["order", "layers"]).which.first().str.split().map(lambda some: {*map(int, some)})
    assert which["greedy", 2] == {*gone[:2]}
    assert which["greedy", 3] == {*gone} != {*alone[:3]}
    if action == "affine":
        assert which["cheapest_replaced", 3] == {*alone[:3]}
    assert nats["greedy", 3] == pytest.approx(cost(*gone, of=blocks[8:]), abs=1e-5)


@pytest.mark.slow
def test_maps_of_one_text_are_tried_on_the_blocks_of_another(small):
    table, pydocs = TABLES["losses"], replace(POCKET, corpus="pydocs", text="pydocs")
    options = OPTIONS | {"source": pydocs, "tested": Text("stories", "stories")}
    away = table.rows(choice="alone", action="affine", **options)
    rows = pd.concat([away, rows_of("alone", "affine")])
    assert rows.text_hash.nunique() == 1  # so they can be compared
    nats = rows.groupby(["corpus", "order"]).nats.mean().unstack("corpus")
    assert nats.stories["whole"] == nats.pydocs["whole"]
    assert (nats.stories < nats.pydocs).drop("whole").mean() > 0.8  # maps fitted on the text itself do better
