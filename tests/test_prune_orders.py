"""Orders put first what can go: known on models built so that one layer does nothing, or nothing but a linear thing."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau
from tiny_models import tiny_ids, tiny_model
from torch import nn

from linstudy import cross_entropy, linearity_profile
from linstudy.measure import joint_moments
from linstudy.models import blocks, capture, set_blocks, without
from linstudy.prune import ORDERS, SIGNS, angular_distances, choose, layer_scores, pruned, rank_agreement, single_costs
from linstudy.prune.calibration import Calibration
from linstudy.prune.importance import cca_distance

TEXT = tiny_ids(batch=40, length=16, seed=3)
DEPTH = 5


class Faint(nn.Module):
    """Add next to nothing to the stream, and that not linearly."""

    def forward(self, hidden_states):
        return hidden_states + 1e-3 * torch.sin(50 * hidden_states)


class Turned(nn.Module):
    """Turn the stream: linear through and through, and far from nothing."""

    def forward(self, hidden_states):
        return hidden_states.roll(1, dims=-1)


def model_with(**modules):
    model = tiny_model("llama", num_hidden_layers=DEPTH)
    here = list(blocks(model))
    for layer, module in modules.items():
        here[int(layer.removeprefix("at")) - 1] = module
    set_blocks(model, here)
    with torch.no_grad():
        model.lm_head.weight *= 10  # sure of itself, so that a changed layer shows in the loss
    return model


@pytest.fixture(scope="module")
def built():
    """Layer 2 turns the stream, layer 4 does next to nothing."""
    return model_with(at2=Turned(), at4=Faint())


@pytest.fixture(scope="module")
def own(built):
    """Return what the model says itself: no other model predicts it as well."""
    torch.manual_seed(0)
    said = built.generate(tiny_ids(batch=40, length=2), do_sample=True, max_new_tokens=14, eos_token_id=None)
    return said[:, :16]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("linearity", 2),
        ("update_linearity", 2),
        ("cca", 2),
        ("cca_bound", 2),
        ("block_influence", 4),
        ("norm_ratio", 4),
        ("angular", 4),
        ("single_cost", 4),
        ("greedy", 4),
    ],
)
def test_the_layer_that_each_order_takes_first(built, own, name, first):
    """Most linear is not most removable: the scores of linearity take the layer that turns the stream."""
    assert choose(built, own, name, count=1) == [first]


@pytest.mark.parametrize("name", ["single_cost", "greedy"])
def test_a_layer_to_be_replaced_is_chosen_by_what_a_map_leaves(built, own, name):
    assert set(choose(built, own, f"{name}_replaced", count=2)) == {2, 4}
    assert 2 not in choose(built, own, name, count=2)


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_gives_different_layers_of_those_that_may_go(built, name):
    known = Calibration(built, TEXT)
    for count, fixed in ((4, ()), (2, ()), (2, (1, 5)), (None, ()), (3, (1,))):
        order = choose(built, TEXT, name, count=count, fixed=fixed, seed=1, known=known)
        assert len(order) == len(set(order)) == (DEPTH - 1 if count is None else count)
        assert set(order) <= set(range(1, DEPTH + 1)) - set(fixed)
        assert all(type(layer) is int for layer in order)
        assert choose(built, TEXT, name, count=count, fixed=fixed, seed=1) == order  # whatever was known before
        if fixed == () and name != "angular":
            assert order == choose(built, TEXT, name, seed=1, known=known)[: len(order)]


def test_the_scores_are_those_of_a_profile_and_of_the_tokens():
    model = tiny_model("gpt2", num_hidden_layers=DEPTH)
    scores, profile = layer_scores(model, TEXT), linearity_profile(model, TEXT)
    for name in ("linearity", "update_linearity", "norm_ratio"):
        np.testing.assert_allclose(scores[name], profile[name], rtol=1e-9)
    np.testing.assert_allclose(scores["block_influence"], 1 - profile["cosine"], rtol=1e-9)
    with torch.no_grad(), capture(model) as stream:
        model(TEXT)
    last = [state[:, -1].double() for state in stream]
    distances = angular_distances(model, TEXT)
    for a, b in itertools.product(range(DEPTH + 1), repeat=2):
        angle = torch.nn.functional.cosine_similarity(last[a], last[b]).clamp(-1, 1).arccos().mean() / torch.pi
        assert float(distances[a, b]) == pytest.approx(float(angle), abs=1e-6)
    np.testing.assert_allclose(scores["angular_distance"], [distances[i, i + 1] for i in range(DEPTH)], rtol=1e-9)
    assert set(SIGNS) <= set(scores)


def test_canonical_correlations_are_those_of_the_text_book():
    """They are the singular values of Qx'Qy, where the Q are orthonormal bases of the centred states."""
    model = tiny_model("gpt2", num_hidden_layers=2)
    with torch.no_grad(), capture(model) as stream:
        model(TEXT)
    x, y = (state.flatten(0, 1).double() for state in stream[:2])
    q_x, q_y = (torch.linalg.qr(state - state.mean(0)).Q for state in (x, y))
    rho = torch.linalg.svdvals(q_x.T @ q_y)
    tokens, dim = x.shape
    expected = float((1 - rho**2).sum()) * (tokens - 1) / (tokens - dim - 1)
    variance = float(y.var(0, unbiased=False).sum())
    scores = layer_scores(model, TEXT)
    assert scores["cca_distance"][0] == pytest.approx(expected, rel=1e-6)
    assert scores["cca_bound"][0] == pytest.approx(expected * variance, rel=1e-6)
    assert (1 - scores["linearity"][0]) * variance <= scores["cca_bound"][0]  # the error of the affine map


def test_a_layer_nobody_could_tell_from_linear_has_no_distance(built):
    scores = layer_scores(built, TEXT).set_index("layer")
    assert scores["cca_distance"][2] < 1e-6
    assert scores["cca_distance"].drop([2, 4]).min() > 0.1
    m = joint_moments(built, TEXT)[2].centred()
    assert cca_distance(m, m.xx.roll((1, 1), (0, 1))) < 1e-6


def test_greedy_looks_at_the_loss_of_what_is_left():
    model = tiny_model("llama", num_hidden_layers=4, spread=0.3)
    first, second = choose(model, TEXT, "greedy", count=2)
    alone = {}
    for layer in range(1, 5):
        with without(model, [layer - 1]):
            alone[layer] = cross_entropy(model, TEXT)
    assert first == min(alone, key=alone.get)
    after = {}
    for layer in set(alone) - {first}:
        with without(model, [first - 1, layer - 1]):
            after[layer] = cross_entropy(model, TEXT)
    assert second == min(after, key=after.get)


def test_angular_takes_one_run():
    model = tiny_model("llama", num_hidden_layers=6)
    distances = angular_distances(model, TEXT)
    run = choose(model, TEXT, "angular", count=3)
    assert run == list(range(run[0], run[0] + 3))
    assert float(distances[run[0] - 1, run[-1]]) == min(float(distances[i, i + 3]) for i in range(4))
    assert choose(model, TEXT, "angular", count=2, fixed=(1, 2, 4)) == [5, 6]
    with pytest.raises(ValueError, match=r"no run of 3 layers leaves layers \[1, 4\] in place: choose fewer layers"):
        choose(model, TEXT, "angular", count=3, fixed=(1, 4))


def test_from_the_end(built):
    assert choose(built, TEXT, "last_first", count=3) == [5, 4, 3]
    assert choose(built, TEXT, "last_but_one_first", count=3) == [4, 3, 2]
    assert choose(built, TEXT, "random", seed=1) != choose(built, TEXT, "random", seed=2)


@pytest.mark.parametrize(("count", "fixed"), [(5, ()), (0, ()), (4, (1, 2)), (-1, ())])
def test_more_than_can_go_is_refused(built, count, fixed):
    with pytest.raises(ValueError, match=f"count={count} layers cannot go: of 5 layers 1 to . can, with . fixed"):
        choose(built, TEXT, "last_first", count=count, fixed=fixed)


def test_what_each_layer_costs_and_whether_the_scores_had_said_so(built):
    model = tiny_model("llama", num_hidden_layers=DEPTH, spread=0.3)
    costs = single_costs(model, TEXT, TEXT[:8], actions=("remove", "affine", "merge"))
    assert costs.groupby("action")["layer"].apply(list).to_dict() == {
        "remove": [1, 2, 3, 4, 5],
        "affine": [1, 2, 3, 4, 5],
        "merge": [2, 3, 4, 5],
    }
    whole = cross_entropy(model, TEXT[:8])
    with without(model, [2]):
        gone = cross_entropy(model, TEXT[:8])
    row = costs[(costs["layer"] == 3) & (costs["action"] == "remove")].iloc[0]
    assert row["delta_nats"] == pytest.approx(gone - whole, abs=1e-6)
    assert row["delta_perplexity"] == pytest.approx(np.exp(gone) - np.exp(whole), rel=1e-5)
    assert row["perplexity"] == pytest.approx(np.exp(gone), rel=1e-6)
    assert costs["penalty"].isna().sum() == DEPTH

    parts = single_costs(model, TEXT, TEXT[:8], part="mlp")
    assert len(parts) == 2 * DEPTH
    with pruned(model, [3], "affine", blocks=TEXT, part="mlp"):
        nats = cross_entropy(model, TEXT[:8]) - whole
    found = parts[(parts["layer"] == 3) & (parts["action"] == "affine")].iloc[0]
    assert found["delta_nats"] == pytest.approx(nats, abs=1e-6)

    scores = layer_scores(model, TEXT)
    agreement = rank_agreement(scores, costs).set_index(["score", "action"])
    removed = costs[costs["action"] == "remove"]["delta_nats"]
    assert agreement["tau"]["linearity", "remove"] == pytest.approx(kendalltau(-scores["linearity"], removed)[0])
    assert agreement["tau"]["norm_ratio", "remove"] == pytest.approx(kendalltau(scores["norm_ratio"], removed)[0])
    perfect = scores.assign(norm_ratio=removed.to_numpy(), linearity=removed.to_numpy())
    both = rank_agreement(perfect, costs).set_index(["score", "action"])["tau"]
    assert both["norm_ratio", "remove"] == pytest.approx(1)
    assert both["linearity", "remove"] == pytest.approx(-1)
    assert set(agreement["layers"]) == {4, 5}


def test_losses_are_of_the_first_blocks(monkeypatch):
    monkeypatch.setattr("linstudy.prune.calibration.SEQUENCES", 4)
    model = tiny_model("llama")
    with without(model, [1]):
        few, all_blocks = cross_entropy(model, TEXT[:4]), cross_entropy(model, TEXT)
    assert Calibration(model, TEXT).loss("remove", [2]) == few != all_blocks
