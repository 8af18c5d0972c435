"""Many selections of tokens from one pass: what a pass for each of them gives, and what is true."""

from collections import Counter

import pandas as pd
import pytest
import torch
from reference import reference, states_of
from tiny_models import tiny_ids, tiny_model
from torch import nn

import linstudy.measure.sums as sums
from casebook.outliers import massive_activations, ordinary_tokens, outlier_ablation
from linstudy import JointMoments, linearity_profile
from linstudy.measure import Selection, linearity_profiles, scores
from linstudy.models import set_blocks, small_model

FIVE = {f"first {count}": Selection(drop_first=count) for count in (0, 1, 2, 4, 8)}
SEVEN = FIVE | {"ordinary": Selection(outliers=5.0), "ordinary, first 2": Selection(drop_first=2, outliers=5.0)}


class Bend(nn.Module):
    """A layer that adds a bounded, non-linear update."""

    def __init__(self, dim, seed):
        super().__init__()
        self.mixed = torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed)) / dim**0.5

    def forward(self, stream):
        return stream + torch.tanh(stream @ self.mixed)


def fed(x, *, length=16):
    """Return a model of two layers into which exactly these states flow, and its text: every token stands once."""
    model = small_model("llama", vocab_size=len(x), hidden_size=x.shape[1], pad_token_id=None)
    set_blocks(model, [Bend(x.shape[1], seed) for seed in range(2)])
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(x)
    return model, torch.arange(len(x)).view(-1, length)


def normal(count, dim, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def hard(count=640, dim=32):
    """One dimension 3,000 times the rest, spikes at the first tokens of blocks, an outlier only in a late batch."""
    x = normal(count, dim)
    x[:, 5] *= 3000
    x[::16, 3] += 3e4
    x[-40, [7, 11]] += 3e4
    return x


def assert_one_by_one(got, model, ids, selections, **options):
    """Compare with a pass of its own for every selection."""
    ordinary, tables = ordinary_tokens(model, ids, batch_size=options.get("batch_size")), []
    for name, one in selections.items():
        chosen = {"part": one.part, "drop_first": one.drop_first, "keep": ordinary if one.outliers else one.keep}
        tables.append(linearity_profile(model, ids, **chosen, **options).assign(selection=name))
    pd.testing.assert_frame_equal(got, pd.concat(tables, ignore_index=True), rtol=1e-9, atol=1e-12)


@pytest.fixture
def passes(monkeypatch):
    """List the passes over a text: which layers each measures."""
    seen, real = [], sums.moments_of

    def noted(model, plan, layers, *others, **options):
        seen.append(layers)
        return real(model, plan, layers, *others, **options)

    monkeypatch.setattr(sums, "moments_of", noted)
    monkeypatch.setattr("linstudy.measure.profile.moments_of", noted)
    return seen


@pytest.mark.parametrize(("batch_size", "heldout"), [(3, 0.2), (40, 0.0)])
def test_one_pass_gives_what_a_pass_for_each_gives_and_what_is_true(passes, batch_size, heldout):
    model, ids = fed(hard())
    got = linearity_profiles(model, ids, SEVEN, batch_size=batch_size, heldout=heldout)
    assert passes == [[1, 2]]
    assert_one_by_one(got, model, ids, SEVEN, batch_size=batch_size, heldout=heldout)
    ordinary, states = ordinary_tokens(model, ids, batch_size=batch_size), states_of(model, ids)
    for name, one in SEVEN.items():
        for layer in (1, 2):
            chosen = ordinary[layer - 1] if one.outliers else torch.ones_like(ids, dtype=torch.bool)
            chosen[:, : one.drop_first] = False
            row = got[(got.selection == name) & (got.layer == layer)].iloc[0]
            x, y = (state[chosen.flatten()] for state in states[layer - 1 : layer + 1])
            for score, value in reference(x, y).items():
                assert row[score] == pytest.approx(float(value), abs=1e-6), (name, layer, score)
    # the control: the selections differ, and the one late outlier decides what is left when first tokens are not there
    scored = got[got.layer == 1].set_index("selection").update_linearity
    assert scored.nunique() == len(scored)
    assert abs(scored["ordinary, first 2"] - scored["first 2"]) > 1e-4


def test_what_is_left_is_never_a_difference():
    """The control: outliers taken away from the sum of all take digits of the others with them."""
    x = normal(600, 8).double()
    y = x + torch.tanh(x @ normal(8, 8).double())
    x[::60] += 1e9
    y[::60] += 1e9
    left = torch.arange(600) % 60 > 0
    want = float(reference(x[left], y[left])["update_linearity"])
    whole, outliers, others = (JointMoments.empty(8).update(x[some], y[some]) for some in (left | True, ~left, left))
    for name in ("count", "sums", "xx", "xd", "dd", "cosine", "norm_ratio"):
        getattr(outliers, name).neg_()
    assert scores(whole.merge(outliers))["update_linearity"] != pytest.approx(want, abs=1e-3)
    assert scores(others)["update_linearity"] == pytest.approx(want, abs=1e-9)


def test_massive_tokens_apart_leave_float32_the_others(monkeypatch):
    """Products of wide states are made in float32 where the first batch allows it; a late outlier would cost digits."""
    x = normal(1600, 288)
    x[-40, [7, 11]] += 3e6
    model, ids = fed(x)
    made, real = Counter(), JointMoments._multiply
    monkeypatch.setattr(
        JointMoments, "_multiply", lambda one, x, d: made.update({x.dtype: x.shape[1]}) or real(one, x, d)
    )
    got = outlier_ablation(model, ids, first=[0], batch_size=40).query("layer == 1").set_index("ablation")
    assert made[torch.float32] > made[torch.float64] > 0
    others = torch.arange(len(x)) != len(x) - 40
    for name, kept in (("all tokens", others | True), ("outliers left out", others)):
        want = reference(*(state[kept] for state in states_of(model, ids)[:2]))["update_linearity"]
        assert got.update_linearity[name] == pytest.approx(float(want), abs=1e-7)


def drifting():
    """A text whose states grow twentyfold on the way: one looks like an outlier until then, one is an outlier."""
    x = normal(640, 32) * torch.linspace(0, 1, 640).gt(0.4).mul(19).add(1)[:, None]
    x[5] *= 15
    x[7] *= 300
    return x


def at_the_threshold():
    """States of which a third lie about five times as far from the centre as the median one: more than may wait."""
    x = nn.functional.normalize(normal(6000, 32))
    x[::3] *= torch.linspace(4.9, 5.1, 2000)[:, None]
    return x


@pytest.mark.parametrize("make", [drifting, at_the_threshold])
def test_where_outliers_cannot_be_told_on_the_way_a_second_pass_tells_them(passes, make):
    model, ids = fed(make())
    some = {name: SEVEN[name] for name in ("first 0", "first 2", "ordinary", "ordinary, first 2")}
    got = linearity_profiles(model, ids, some, batch_size=8)
    assert passes[0] == [1, 2]
    assert passes[1:] in ([[1]], [[1, 2]])
    assert 0 < got[got.selection == "ordinary"].tokens.min() < ids.numel()
    assert_one_by_one(got, model, ids, some, batch_size=8)


def test_outliers_at_a_layers_boundaries_are_left_out_of_its_parts():
    model, ids = tiny_model("mistral"), tiny_ids(batch=40, length=16)
    with torch.no_grad():
        model.model.embed_tokens.weight[7] += 100
    selections = {name: Selection("mlp", one.drop_first, outliers=one.outliers) for name, one in SEVEN.items()}
    got = linearity_profiles(model, ids, selections, batch_size=7)
    assert_one_by_one(got, model, ids, selections, batch_size=7)
    assert got[got.selection == "ordinary"].tokens.max() < ids.numel()


def test_chosen_tokens_layers_and_little_memory(capsys):
    model, ids = fed(hard())
    draw = torch.Generator().manual_seed(1)
    own, common = torch.rand(2, *ids.shape, generator=draw) < 0.7, torch.rand(ids.shape, generator=draw) < 0.5
    selections = {"own": Selection(keep=own), "common": Selection(keep=common, drop_first=1), "all": Selection()}
    whole = linearity_profiles(model, ids, selections)
    assert_one_by_one(whole, model, ids, selections)
    assert "passes over the text" not in capsys.readouterr().out
    one_layer = linearity_profiles(model, ids, selections, memory=15 * 2 * 32 * 32 * 8)
    assert "measuring 1 layers at a time in 2 passes over the text" in capsys.readouterr().out
    pd.testing.assert_frame_equal(one_layer, whole)


def test_a_massive_activation_is_large_and_a_thousand_medians():
    x = normal(640, 32)
    x[7, 3], x[300, 5], median = 500.0, 2000.0, float(normal(640, 32)[:512].abs().median())
    found = massive_activations(*fed(x)).iloc[0]
    assert 100 < 500 < 1000 * median < 2000
    assert found[["massive", "largest", "dimension"]].tolist() == [1, 2000.0, 5]


def test_what_cannot_be_measured_in_one_pass_is_said_before_the_model_runs(monkeypatch):
    model, ids = fed(normal(640, 32))
    keep = torch.ones(2, *ids.shape, dtype=torch.bool)
    keep[1, 2:] = False  # of the second layer two blocks of 16 tokens are left
    assert linearity_profile(model, ids, keep=keep, layers=[1]).tokens.tolist() == [640]
    monkeypatch.setattr(model.base_model, "forward", None)
    with pytest.raises(ValueError, match="32 tokens cannot determine"):
        linearity_profile(model, ids, keep=keep)
    for other in (Selection("mlp"), Selection(layers=[1])):
        with pytest.raises(ValueError, match="differ in part, stack or layers are not one pass: measure them in turn"):
            linearity_profiles(model, ids, {"one": Selection(), "other": other})
