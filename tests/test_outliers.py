"""Massive activations: found where they were planted, left out where they are asked to be, and nowhere else."""

import pytest
import torch
from reference import reference
from tiny_models import SOME, tiny_ids, tiny_model
from torch import nn

from casebook.outliers import massive_activations, ordinary_tokens, outlier_ablation
from linstudy import capture, profile_of_states

DIMENSION, SIZE = 5, 3000.0


class Plant(nn.Module):
    """A block that does what it did, then adds a spike to one feature of the first token of every text."""

    def __init__(self, block, size):
        super().__init__()
        self.block, self.size = block, size

    def forward(self, hidden_states, *args, **kwargs):
        out = self.block(hidden_states, *args, **kwargs)
        spike = torch.zeros_like(out)
        spike[:, 0, DIMENSION] = self.size
        return out + spike


@pytest.fixture(scope="module")
def ids():
    return tiny_ids(batch=40, length=16)


@pytest.fixture
def planted():
    """Carry a spike from layer 1 on and take it away in layer 3."""
    model = tiny_model("mistral")
    model.model.layers[0] = Plant(model.model.layers[0], SIZE)
    model.model.layers[2] = Plant(model.model.layers[2], -SIZE)
    return model


def test_a_planted_activation_is_found_where_it_is(planted, ids):
    found = massive_activations(planted, ids)
    assert found.boundary.tolist() == [0, 1, 2, 3]
    assert found.massive.tolist() == [0, len(ids), len(ids), 0]
    carried = found[found.boundary.isin([1, 2])]
    assert (carried.dimension == DIMENSION).all()
    assert (carried.position == 0).all()
    assert set(carried.token) <= set(ids[:, 0].tolist())
    assert carried.largest.between(0.9 * SIZE, 1.1 * SIZE).all()
    assert carried.outliers.tolist() == [1 / 16, 1 / 16]
    assert (carried.outlier_variance > 0.999).all()
    assert (found[~found.boundary.isin([1, 2])].outlier_variance < 0.2).all()


@pytest.mark.parametrize("name", [*SOME, "bert"])
def test_every_family_is_looked_at_between_its_layers(name, ids):
    model = tiny_model(name)
    with torch.no_grad(), capture(model) as stream:
        model(ids)
    found = massive_activations(model, ids, batch_size=7)
    assert found.largest.tolist() == pytest.approx([float(state.abs().max()) for state in stream], rel=1e-4)
    for row, state in zip(found.itertuples(), stream, strict=True):
        at = state[..., row.dimension][(ids == row.token) & (torch.arange(ids.shape[1]) == row.position)]
        assert float(at.abs().max()) == pytest.approx(row.largest, rel=1e-4)
    keep = ordinary_tokens(model, ids, batch_size=7)
    table = outlier_ablation(model, ids, first=(0, 2))
    assert table.groupby("ablation").tokens.unique()["first 2 left out"].tolist() == [len(ids) * (ids.shape[1] - 2)]
    left = table[table.ablation == "outliers left out"].tokens.tolist()
    assert left == keep.flatten(1).sum(1).tolist()


def test_an_offset_that_all_tokens_share_is_no_outlier(ids):
    model = tiny_model("gpt2")
    with torch.no_grad():
        model.transformer.wpe.weight[:, DIMENSION] += SIZE
    assert ordinary_tokens(model, ids).all()
    assert massive_activations(model, ids).massive.iloc[0] == ids.numel()  # yet massive by the size of its entries


def test_outliers_are_left_out_of_the_layers_they_enter_or_leave_and_of_nothing_else(planted, ids):
    """The truth is known: the states without the rows that were planted."""
    keep = ordinary_tokens(planted, ids)
    assert keep.shape == (3, *ids.shape)
    assert not keep[:, :, 0].any()  # made by layer 1, carried through 2, taken away by 3
    assert keep[:, :, 1:].float().mean() > 0.95
    with torch.no_grad(), capture(planted) as stream:
        planted(ids)
    table = outlier_ablation(planted, ids, first=(0, 1)).set_index(["ablation", "layer"])
    assert set(table.index.unique("ablation")) == {"all tokens", "first 1 left out", "outliers left out"}
    for layer in (1, 2, 3):
        for name, chosen in (("all tokens", keep[layer - 1] | True), ("outliers left out", keep[layer - 1])):
            row, want = table.loc[name, layer], reference(*(state[chosen] for state in stream[layer - 1 : layer + 1]))
            for score in ("linearity", "update_linearity", "update_ratio", "linearity_standardised"):
                assert row[score] == pytest.approx(float(want[score]), rel=1e-9, abs=1e-9), (layer, name, score)
            assert row.kept == pytest.approx(float(chosen.float().mean()))
    carried = table.xs(2, level="layer")
    assert carried.linearity["all tokens"] > 0.9999 > 0.999 > carried.linearity["outliers left out"]
    assert carried.linearity_standardised["all tokens"] < 0.99  # no feature owns the standardised ones


@pytest.mark.parametrize("event", ["carried", "created", "removed"])
def test_what_an_outlier_does_is_predicted_in_closed_form(event):
    """X normal, the update pure noise of variance s; a spike of size a in one feature of a share p of the tokens."""
    n, dim, s, a, p = 40_000, 16, 1.3, 500.0, 1 / 100
    draw = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, n, dim, generator=draw, dtype=torch.float64)
    d = noise * s**0.5
    spike = torch.zeros(n, dtype=torch.float64)
    spike[torch.randperm(n, generator=draw)[: int(p * n)]] = a
    x[:, 0] += spike * (event != "created")
    d[:, 0] += spike * {"carried": 0, "created": 1, "removed": -1}[event]
    v = a * a * p * (1 - p)  # its variance
    explained = v * v / (1 + v)  # of what is removed: of the update, and of y, whose first feature has lost the spike
    linearity, update_linearity = {
        "carried": ((dim + v) / (dim * (1 + s) + v), 0),
        "created": (dim / (dim * (1 + s) + v), 0),
        "removed": (1 - (dim * s + v - explained) / (dim * (1 + s)), explained / (dim * s + v)),
    }[event]
    got, rest = profile_of_states([x, x + d]).iloc[0], spike == 0
    assert got.linearity == pytest.approx(linearity, abs=0.01)
    assert got.update_linearity == pytest.approx(update_linearity, abs=0.01)
    assert (linearity > 0.9, update_linearity > 0.9) == (event == "carried", event == "removed")
    left = profile_of_states([x[rest], (x + d)[rest]]).iloc[0]  # the same layer again, whatever was done with them
    assert left.linearity == pytest.approx(1 / (1 + s), abs=0.01)
    assert left.update_linearity == pytest.approx(0, abs=0.01)
