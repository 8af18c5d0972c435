"""Contributions add up to the whole, and are what a plain computation and a planted truth say."""

import pytest
import torch
from reference import states_of
from tiny_models import LAYERS, SOME, tiny_ids, tiny_model
from torch import nn
from torch.testing import assert_close

from casebook.tokens import layer_contributions
from linstudy.models import replaced

IDS = tiny_ids(batch=3, length=10)


@pytest.mark.parametrize("name", [*SOME, "bert"])
def test_contributions_sum_to_one_and_are_the_projections_of_the_updates(name):
    model = tiny_model(name)
    got = layer_contributions(model, IDS)
    assert got.shape == (LAYERS + 1, *IDS.shape)
    assert_close(got.sum(0), torch.ones(IDS.shape, dtype=got.dtype), rtol=0, atol=1e-12)
    first, *others = states = [state.double().view(*IDS.shape, -1) for state in states_of(model, IDS)]
    updates = [first, *(y - x for x, y in zip(states, others, strict=False))]
    for part, update in zip(got, updates, strict=True):
        assert_close(part, torch.linalg.vecdot(update, states[-1]) / states[-1].square().sum(-1))


class Times(nn.Linear):
    def __init__(self, factor):
        super().__init__(32, 32, bias=False)
        self.weight = nn.Parameter(factor * torch.eye(32))


def test_contributions_of_layers_that_only_scale_are_known():
    model, ids = tiny_model("llama"), IDS
    with replaced(model, {0: Times(3.0), 1: Times(1.0), 2: Times(0.5)}):  # 1, then + 2, + 0, - 1.5, in all 1.5
        got = layer_contributions(model, ids)
    want = torch.tensor([1, 2, 0, -1.5], dtype=got.dtype) / 1.5
    assert_close(got, want[:, None, None].expand_as(got), rtol=0, atol=1e-6)


def test_batches_do_not_matter():
    model = tiny_model("gpt2")
    assert_close(layer_contributions(model, IDS, batch_size=2), layer_contributions(model, IDS))
