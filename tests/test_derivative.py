"""The mean derivative of a layer: against one worked out whole, and for layers whose derivative is known."""

import pytest
import torch
from tiny_models import tiny_ids, tiny_model
from torch import nn

from casebook.rows import derivatives as module
from casebook.rows.derivatives import derivatives, mean_derivatives
from linstudy.models import blocks as model_blocks
from linstudy.models import set_blocks

EVERY = torch.arange(32)


@pytest.fixture(autouse=True)
def from_the_first_token(monkeypatch):
    monkeypatch.setattr(module, "DROP_FIRST", 1)


def jacobian(model, layer, ids):
    """(token, dim, token, dim): how what leaves depends on what enters, all of it."""
    x, args, kwargs = module._entering(model, model_blocks(model)[layer - 1], ids)

    def leaving(state):
        given = model_blocks(model)[layer - 1](state[None], *args, **kwargs)
        return (given[0] if isinstance(given, tuple) else given)[0]

    return torch.autograd.functional.jacobian(leaving, x[0]).double()


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3_text"])
def test_a_token_alone_has_the_derivative_of_its_layer(name, monkeypatch):
    monkeypatch.setattr(module, "DROP_FIRST", 0)
    model, ids = tiny_model(name), tiny_ids(batch=1, length=1)
    own, whole = mean_derivatives(model, 2, ids, EVERY)
    expected = jacobian(model, 2, ids)[0, :, 0]
    assert torch.allclose(own, expected, atol=1e-5)
    assert torch.allclose(whole, expected, atol=1e-5)


def test_positions_are_summed_in_the_whole_derivative_and_averaged_out_of_the_own():
    model, ids, some = tiny_model("llama"), tiny_ids(batch=1, length=6), EVERY[::8]
    full = jacobian(model, 2, ids)[1:, some, 1:]
    owns, wholes = zip(*(mean_derivatives(model, 2, ids, some, seed=seed) for seed in range(400)), strict=True)
    assert torch.allclose(wholes[0], full.sum((0, 2)) / 5, atol=1e-5)
    expected = torch.stack([full[t, :, t] for t in range(5)]).mean(0)
    error = (torch.stack(owns).mean(0) - expected).norm() / expected.norm()
    assert error < 0.06
    assert (wholes[0] - expected).norm() / expected.norm() > 0.1  # control: the two differ
    every, _ = mean_derivatives(model, 2, ids, EVERY)
    assert torch.allclose(mean_derivatives(model, 2, ids, some)[0], every[some])  # some features have the rows of all


class Cubes(nn.Module):
    """A layer that doubles what is 1 or -1, and whose derivative there is 4."""

    def forward(self, stream):
        return stream + stream**3


def test_a_linear_layer_is_its_derivative_and_a_cube_is_not():
    model = tiny_model("llama")
    model.model.embed_tokens.weight.data.sign_()
    set_blocks(model, [Cubes(), nn.Linear(32, 32)])
    ids = [tiny_ids(batch=40, length=16, seed=seed) for seed in range(2)]
    table = derivatives(model, ids[0], ids[1], sampled=ids[0][:4]).set_index(["layer", "predictor"])
    assert table.loc[(2, "own derivative"), ["explained", "alike"]].tolist() == pytest.approx([1, 1], abs=1e-5)
    assert table.loc[(2, "identity"), "explained"] < 0.1
    assert table.loc[(1, "best map"), "explained"] == pytest.approx(1, abs=1e-5)
    assert table.loc[(1, "own derivative"), "explained"] == pytest.approx(0, abs=0.01)  # 4 x for 2 x
