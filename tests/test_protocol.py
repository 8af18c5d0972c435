"""The protocol of real models and the twins beside them: each row against a measurement of its own."""

import numpy as np
import pytest
import torch
from reference import assert_filled, identity_error, states_of
from sources import POCKET
from tiny_models import VOCABULARY, tiny_ids, tiny_model
from torch.nn.functional import cosine_similarity

from casebook.models.twins import matrices, twin
from casebook.outliers import ordinary_tokens
from casebook.rows import TABLES, gaussian
from casebook.rows import protocol as module
from casebook.rows.protocol import ALL, MASSIVE, OF_TOKENS, SELECTIONS, protocol
from linstudy import linearity_profile, load, profile_of_states
from linstudy.models import replaced

SCORES = ["linearity", "update_linearity", "update_ratio", "linearity_heldout", "linearity_standardised", "anisotropy"]


@pytest.fixture(scope="module")
def massive():
    """A model whose stream has one massive dimension and spikes in it at first tokens, and a text."""
    model = tiny_model("llama", seed=1, spread=0.3)
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 5] *= 30
        model.model.embed_tokens.weight[7, 3] = 30
    blocks = torch.randint(8, VOCABULARY, (40, 32), generator=torch.Generator().manual_seed(0))
    blocks[:, 0] = 7
    return model, blocks


@pytest.fixture(scope="module")
def table(massive):
    return protocol(*massive, heldout=0.25)


def test_a_selection_of_tokens_is_the_profile_of_these_tokens(massive, table):
    model, blocks = massive
    keep = ordinary_tokens(model, blocks)
    assert 0 < (~keep).float().mean() < 0.1
    alone = linearity_profile(model, blocks, heldout=0.25, keep=keep)
    rows = table[table.selection == "outliers left out"]
    np.testing.assert_allclose(rows[SCORES], alone[SCORES], atol=1e-9)
    assert rows.kept.tolist() == pytest.approx((alone.tokens / blocks.numel()).tolist())


def test_without_massive_dimensions_the_rest_is_mapped_to_the_rest(massive, table):
    states = states_of(*massive)
    rows = table[table.selection == MASSIVE].set_index("layer")
    assert "5" in rows.dropped[1].split()
    for layer, row in rows.iterrows():
        kept = np.setdiff1d(np.arange(32), [int(one) for one in row.dropped.split()])
        alone = profile_of_states([states[layer - 1][:, kept], states[layer][:, kept]], heldout=0.25).iloc[0]
        np.testing.assert_allclose(row[SCORES].astype(float), alone[SCORES].astype(float), atol=1e-9)
    whole = table[table.selection == ALL].set_index("layer")
    assert (whole.linearity - rows.linearity).abs().max() > 0.01  # control: it matters
    assert rows[[*OF_TOKENS, "cosine"]].isna().all(axis=None)
    plain = protocol(tiny_model("gpt2"), tiny_ids(length=32, batch=20)).set_index("selection")  # has none
    assert (plain.loc[MASSIVE, "dropped"] == "").all()
    assert plain.loc[MASSIVE, "linearity"].tolist() == plain.loc[ALL, "linearity"].tolist()


def test_medians_are_over_the_tokens_of_the_selection(massive, table):
    rows, states = table[table.selection == "first 1 left out"], [state.float() for state in states_of(*massive)]
    inside = torch.ones(massive[1].shape, dtype=torch.bool)
    inside[:, 0] = False
    for row, x, y in zip(rows.itertuples(), states, states[1:], strict=False):
        centred = [state - state[: module.FIRST_TOKENS].median(0).values for state in (x, y)]
        cosine, about, ratio = (
            one[inside.flatten()]
            for one in (cosine_similarity(x, y), cosine_similarity(*centred), (y - x).norm(dim=1) / y.norm(dim=1))
        )
        expected = [float(one) for one in (cosine.median(), about.mean(), about.median(), ratio.median())]
        assert [getattr(row, name) for name in OF_TOKENS] == pytest.approx(expected, abs=1e-5)


def test_permuted_matrices_have_their_entries_and_nothing_else_changes():
    model = tiny_model("llama")
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    other = twin(model, "permuted", seed=3)
    for name, weight in other.named_parameters():
        assert torch.equal(weight.flatten().sort().values, before[name].flatten().sort().values)
        assert torch.equal(weight, before[name]) == (weight.ndim == 1)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())
    again, third = twin(model, "permuted", seed=3), twin(model, "permuted", seed=4)
    for one, alike in ((again, True), (third, False)):
        assert all(map(torch.equal, other.parameters(), one.parameters())) == alike


def test_gaussian_tokens_have_the_shape_of_ordinary_ones_and_a_linear_layer_scores_1_on_them(massive, monkeypatch):
    model, blocks = massive
    put, seen = gaussian.through, {}

    def through(model, x, layer):
        seen.setdefault(layer, []).append(x.flatten(0, 1))
        return put(model, x, layer)

    monkeypatch.setattr(gaussian, "through", through)
    torch.manual_seed(0)
    with replaced(model, {1: torch.nn.Linear(32, 32)}):
        found = gaussian.on_gaussian_tokens(model, blocks, heldout=0.25, seed=0).set_index("layer")
        states = states_of(model, blocks)
        kept = ordinary_tokens(model, blocks)
    assert found.tokens.tolist() == 3 * [blocks.numel()]
    assert found.linearity[2] > 1 - 1e-6 > 0.999 > found.linearity[[1, 3]].max()
    for layer, inside in enumerate(kept, start=1):
        x, own = torch.cat(seen[layer]).double(), torch.as_tensor(states[layer - 1])[inside.flatten()].double()
        here, there = torch.cov(x.T), torch.cov(own.T)
        assert (here - there).norm() < 0.15 * there.norm()
        assert (x.mean(0) - own.mean(0)).norm() < 0.1 * there.trace().sqrt()
    everything = torch.cov(torch.as_tensor(states[0]).double().T)  # with its spikes
    assert (torch.cov(torch.cat(seen[1]).double().T) - everything).norm() > 0.3 * everything.norm()


def test_a_seed_draws_gaussian_tokens_and_they_cannot_be_put_behind_positions_that_are_added():
    model, blocks = tiny_model("llama"), tiny_ids(batch=40)
    drawn = [gaussian.on_gaussian_tokens(model, blocks, heldout=0.25, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0].equals(drawn[1])
    assert not drawn[0].equals(drawn[2])
    with pytest.raises(ValueError, match="the model changes embeddings before its first layer: a Gaussian stream"):
        gaussian.on_gaussian_tokens(tiny_model("gpt2"), blocks, heldout=0.25, seed=0)


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_1"])
def test_rounding_is_that_of_gguf_files(kind):
    gguf = pytest.importorskip("gguf")
    model = load("stories-1m")[0]
    rounded = dict(twin(model, kind).named_parameters())
    tables = {id(weight) for weight, embedded in matrices(model) if embedded}
    assert len(tables) == 1
    for name, weight in model.named_parameters():
        if weight.ndim < 2:
            assert torch.equal(rounded[name], weight)
            continue
        as_file = gguf.GGMLQuantizationType["Q8_0" if id(weight) in tables else kind]
        theirs = gguf.dequantize(gguf.quantize(weight.detach().numpy(), as_file), as_file)
        apart = np.abs(rounded[name].detach().numpy() - theirs) > 1e-6
        assert apart.mean() < 0.01  # weights halfway between two levels go to either
        assert not torch.equal(rounded[name], weight)


def test_noise_has_the_spread_of_the_rounding_error():
    model, spread = load("stories-1m")[0], {}
    for weights in ("Q4_1", "noise", "noise + noise"):
        pairs = zip(matrices(twin(model, weights)), matrices(model), strict=True)
        errors = torch.cat([(one - two).detach().flatten() for (one, embedded), (two, _) in pairs if not embedded])
        spread[weights] = float(errors.square().mean())
    assert spread["noise"] == pytest.approx(spread["Q4_1"], rel=0.1)
    assert spread["noise + noise"] == pytest.approx(2 * spread["noise"], rel=0.1)
    with pytest.raises(ValueError, match="weights"):
        twin(model, "noise + Q5_0")


@pytest.mark.slow
def test_rows_are_of_the_shard_and_say_how_well_the_model_predicts(tmp_path):
    options = {"source": POCKET, "tokens": 2048, "seed": 0, "dtype": "float32"}
    rows = TABLES["protocol"].rows(shard=0, weights="trained", **options)
    assert_filled(rows, "protocol")
    assert rows.groupby("selection").size().to_dict() == dict.fromkeys(SELECTIONS, 8)
    noisy = TABLES["protocol"].rows(shard=0, weights="permuted", **options)
    assert noisy.nats.iloc[0] > rows.nats.iloc[0] + 1
    second = TABLES["protocol"].rows(shard=1, weights="trained", **options)
    assert second.text_hash.iloc[0] != rows.text_hash.iloc[0] == noisy.text_hash.iloc[0]
    assert identity_error(rows) < 1e-9
