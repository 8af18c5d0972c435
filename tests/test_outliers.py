"""Massive activations: found where they were planted, left out where they are asked to be, and nowhere else."""

import pytest
import torch
from reference import reference
from tiny_models import SOME, tiny_ids, tiny_model
from torch import nn

from linstudy import capture, linearity_profile, profile_of_states
from linstudy.measure import massive_activations, ordinary_tokens, outlier_ablation

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


def test_outliers_are_left_out_of_the_layers_they_enter_or_leave(planted, ids):
    keep = ordinary_tokens(planted, ids)
    assert keep.shape == (3, *ids.shape)
    assert not keep[:, :, 0].any()  # made by layer 1, carried through 2, taken away by 3
    assert keep[:, :, 1:].float().mean() > 0.95


def test_leaving_outliers_out_does_to_the_scores_exactly_what_it_should(planted, ids):
    """The truth is known: the states without the rows that were planted."""
    keep = ordinary_tokens(planted, ids)
    with torch.no_grad(), capture(planted) as stream:
        planted(ids)
    table = outlier_ablation(planted, ids, first=(0, 1))
    assert set(table.ablation) == {"all tokens", "first 1 left out", "outliers left out"}
    for layer in (1, 2, 3):
        rows = table[table.layer == layer].set_index("ablation")
        x, y = stream[layer - 1], stream[layer]
        for name, chosen in (("all tokens", keep[layer - 1] | True), ("outliers left out", keep[layer - 1])):
            want = reference(x[chosen], y[chosen])
            for score in ("linearity", "update_linearity", "update_ratio", "linearity_standardised"):
                assert rows[score][name] == pytest.approx(float(want[score]), rel=1e-9, abs=1e-9), (layer, name, score)
            assert rows.kept[name] == pytest.approx(float(chosen.float().mean()))
    carried = table[table.layer == 2].set_index("ablation")
    assert carried.linearity["all tokens"] > 0.9999 > 0.999 > carried.linearity["outliers left out"]
    # Without the outliers the carried layer is what it would be had nothing been planted... in the rows themselves.
    untouched = table[table.layer == 1].set_index("ablation")
    assert untouched.update_linearity["outliers left out"] == pytest.approx(
        untouched.update_linearity["first 1 left out"], abs=0.05
    )


@pytest.mark.parametrize(
    ("event", "high"),
    [
        ("carried", {"linearity": True, "update_linearity": False}),
        ("created", {"linearity": False, "update_linearity": False}),
        ("removed", {"linearity": False, "update_linearity": True}),
    ],
)
def test_what_an_outlier_does_is_predicted_in_closed_form(event, high):
    """X normal, the update pure noise of variance s; a spike of size a in one feature of a share p of the tokens."""
    n, dim, s, a, p = 40_000, 16, 1.3, 500.0, 1 / 100
    draw = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, n, dim, generator=draw, dtype=torch.float64)
    d = noise * s**0.5
    spike = torch.zeros(n, dtype=torch.float64)
    spike[torch.randperm(n, generator=draw)[: int(p * n)]] = a
    v = a * a * p * (1 - p)  # its variance
    if event == "carried":
        x[:, 0] += spike
        want = {"linearity": (dim + v) / (dim * (1 + s) + v), "update_linearity": 0.0}
    elif event == "created":
        d[:, 0] += spike
        want = {"linearity": dim / (dim * (1 + s) + v), "update_linearity": 0.0}
    else:
        x[:, 0] += spike
        d[:, 0] -= spike
        explained = v * v / (1 + v)  # of the update; and of y, whose first feature has lost the spike
        want = {"update_linearity": explained / (dim * s + v)}
        want["linearity"] = 1 - (dim * s + v - explained) / (dim * (1 + s))
    got = profile_of_states([x, x + d]).iloc[0]
    for score, value in want.items():
        assert got[score] == pytest.approx(value, abs=0.01), score
        assert (value > 0.9) if high[score] else (value < 0.5)  # what a reader takes from it
    # and without the rows it is the same layer again, whatever was done with them
    rest = spike == 0
    left = profile_of_states([x[rest], (x + d)[rest]]).iloc[0]
    assert left.linearity == pytest.approx(1 / (1 + s), abs=0.01)
    assert left.update_linearity == pytest.approx(0, abs=0.01)


def test_standardised_features_are_not_owned_by_one(planted, ids):
    row = linearity_profile(planted, ids).iloc[1]
    assert row.linearity > 0.999
    assert row.linearity_standardised < 0.99
