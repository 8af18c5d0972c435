"""Costs on paper are those that are counted: operations by torch, bytes of real moments, passes of a real plan."""

import pandas as pd
import pytest
import torch
from conftest import ROOT, script
from tiny_models import WIDTH, tiny_ids, tiny_model
from torch.utils.flop_counter import FlopCounterMode

from linstudy import JointMoments
from linstudy.measure import Selection
from linstudy.measure.selection import planned
from linstudy.models import blocks

scale = script("benchmarks/counts.py")
LARGE, counted, gated, needed = scale.LARGE, scale.counted, scale.gated, scale.needed


def shape_of(model):
    config = model.config
    grouped = config.num_key_value_heads * config.hidden_size // config.num_attention_heads
    return gated(len(blocks(model)), WIDTH, config.intermediate_size, grouped=grouped)


def test_operations_of_the_layers_are_those_that_torch_counts():
    model, ids = tiny_model("llama"), tiny_ids(batch=3, length=24)
    model.set_attn_implementation("eager")
    with torch.no_grad(), FlopCounterMode(display=False) as seen:
        model.base_model(ids, use_cache=False)
    found = {name: sum(counts.values()) for name, counts in seen.get_flop_counts().items()}
    layers = sum(count for name, count in found.items() if name.endswith(tuple(f".layers.{i}" for i in range(9))))
    shape = shape_of(model)
    assert counted(shape, length=24, tokens=ids.numel())["forward"] == layers > 0
    assert counted(shape, length=48, tokens=ids.numel())["forward"] > layers  # control: longer blocks attend to more


def test_moments_take_the_products_and_the_bytes_that_are_counted():
    x, y = torch.randn(2, 50, WIDTH)
    with FlopCounterMode(display=False) as seen:
        moments = JointMoments.empty(WIDTH).update(x, y)
    one_layer = counted(gated(1, WIDTH, 4, grouped=4), tokens=50)
    assert one_layer["products"] == seen.get_total_flops()
    matrices = [value for value in vars(moments).values() if torch.is_tensor(value) and value.shape == (WIDTH, WIDTH)]
    assert one_layer["bytes"] == sum(matrix.numel() * matrix.element_size() for matrix in matrices)


@pytest.mark.parametrize("at_once", [1, 3, 4])
def test_passes_are_those_of_the_plan(at_once):
    model = tiny_model("llama", num_hidden_layers=4)
    counts = counted(shape_of(model))
    memory = at_once * counts["bytes"] // 4
    rates = dict.fromkeys(("forward", "products", "solving"), 1e9)
    passes = planned(model, tiny_ids(batch=40), [Selection()], 0.0, None).passes(memory)
    found = needed(counts, rates, layers=4, memory=memory, ranks=4)
    assert found["passes"] == len(passes) == -(-4 // at_once)
    seconds = len(passes) * counts["forward"] + counts["products"] + counts["solving"]
    assert found["hours"] == pytest.approx(seconds / 1e9 / 3600)
    assert found["sent"] == pytest.approx(1.5 * counts["bytes"])


def test_the_shapes_are_of_the_sizes_they_are_called_by_and_the_table_is_of_them():
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "scale.csv", thousands=",").set_index("model")
    for name, shape in LARGE.items():
        assert shape.weights / 1e9 == pytest.approx(float(name.split()[0]), rel=0.1)
        tokens = counted(shape, floor=0.01)["tokens"]
        assert shape.width / (tokens - 1) <= 0.01 < shape.width / (tokens - 2)  # the fewest below the floor
        counts = counted(shape)
        assert table.tokens[name] == counts["tokens"]
        assert table["moments, GB"][name] == pytest.approx(counts["bytes"] / 1e9, abs=0.06)
