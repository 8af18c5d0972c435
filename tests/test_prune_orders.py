"""Orders put first what can go: known on models built so that one layer does nothing, or nothing but a linear thing."""

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau
from tiny_models import tiny_ids, tiny_model
from torch import nn

from casebook.costs import rank_agreement, single_costs
from linstudy import cross_entropy, linearity_profile
from linstudy.models import blocks, capture, set_blocks, without
from linstudy.prune import ORDERS, SIGNS, angular_distances, choose, layer_scores, pruned
from linstudy.prune.calibration import Calibration

TEXT = tiny_ids(batch=40, length=16, seed=3)
DEPTH = 5


class Does(nn.Module):
    """A layer that does one thing to the stream."""

    def __init__(self, what):
        super().__init__()
        self.forward = what


@pytest.fixture(scope="module")
def built():
    """Layer 2 turns the stream, linear through and through; layer 4 adds next to nothing, and that not linearly."""
    model = tiny_model("llama", num_hidden_layers=DEPTH)
    here = list(blocks(model))
    here[1] = Does(lambda hidden_states: hidden_states.roll(1, dims=-1))
    here[3] = Does(lambda hidden_states: hidden_states + 1e-3 * torch.sin(50 * hidden_states))
    set_blocks(model, here)
    with torch.no_grad():
        model.lm_head.weight *= 10  # sure of itself, so that a changed layer shows in the loss
    return model


@pytest.fixture(scope="module")
def own(built):
    """Return what the model says itself: no other model predicts it as well."""
    torch.manual_seed(0)
    said = built.generate(tiny_ids(batch=40, length=2), do_sample=True, max_new_tokens=14, eos_token_id=None)
    return said[:, :16]


def test_the_layer_that_each_order_takes_first(built, own):
    """Most linear is not most removable: the scores of linearity take the layer that turns the stream."""
    for name in ("linearity", "update_linearity", "cca", "cca_bound"):
        assert choose(built, own, name, count=1) == [2], name
    for name in ("block_influence", "norm_ratio", "angular", "single_cost", "greedy"):
        assert choose(built, own, name, count=1) == [4], name


@pytest.mark.parametrize("name", ["single_cost", "greedy"])
def test_a_layer_to_be_replaced_is_chosen_by_what_a_map_leaves(built, own, name):
    assert set(choose(built, own, f"{name}_replaced", count=2)) == {2, 4}
    assert 2 not in choose(built, own, name, count=2)


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_gives_different_layers_of_those_that_may_go(built, name):
    known = Calibration(built, TEXT)
    for count, fixed in ((2, ()), (2, (1, 5)), (None, ())):
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
    last = torch.stack([state[:, -1].double() for state in stream])
    cosines = torch.cosine_similarity(last[:, None], last[None], dim=-1).clamp(-1, 1)
    distances = angular_distances(model, TEXT)
    torch.testing.assert_close(distances, cosines.arccos().mean(-1) / torch.pi, atol=1e-6, rtol=0)
    np.testing.assert_allclose(scores["angular_distance"], [distances[i, i + 1] for i in range(DEPTH)], rtol=1e-9)
    assert set(SIGNS) <= set(scores)


def test_canonical_correlations_are_those_of_the_text_book(built):
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
    assert layer_scores(built, TEXT)["cca_distance"][1] < 1e-6  # nobody could tell it from linear


def test_greedy_looks_at_the_loss_of_what_is_left():
    model, gone = tiny_model("llama", num_hidden_layers=4, spread=0.3), []
    for found in choose(model, TEXT, "greedy", count=2):
        losses = {}
        for layer in {1, 2, 3, 4} - {*gone}:
            with without(model, [one - 1 for one in (*gone, layer)]):
                losses[layer] = cross_entropy(model, TEXT)
        assert found == min(losses, key=losses.get)
        gone.append(found)


def test_angular_takes_one_run():
    model = tiny_model("llama", num_hidden_layers=6)
    distances = angular_distances(model, TEXT)
    run = choose(model, TEXT, "angular", count=3)
    assert run == list(range(run[0], run[0] + 3))
    assert float(distances[run[0] - 1, run[-1]]) == min(float(distances[i, i + 3]) for i in range(4))
    assert choose(model, TEXT, "angular", count=2, fixed=(1, 2, 4)) == [5, 6]
    with pytest.raises(ValueError, match=r"no run of 3 layers leaves layers \[1, 4\] in place: choose fewer layers"):
        choose(model, TEXT, "angular", count=3, fixed=(1, 4))


def test_from_the_end_and_no_more_than_can_go(built):
    assert choose(built, TEXT, "last_first", count=3) == [5, 4, 3]
    assert choose(built, TEXT, "last_but_one_first", count=3) == [4, 3, 2]
    assert choose(built, TEXT, "random", seed=1) != choose(built, TEXT, "random", seed=2)
    for count, fixed in ((5, ()), (0, ()), (4, (1, 2)), (-1, ())):
        with pytest.raises(ValueError, match=f"count={count} layers cannot go: of 5 layers 1 to . can, with . fixed"):
            choose(built, TEXT, "last_first", count=count, fixed=fixed)


def test_what_each_layer_costs_and_whether_the_scores_had_said_so(built):
    model = tiny_model("llama", num_hidden_layers=DEPTH, spread=0.3)
    costs = single_costs(model, TEXT, TEXT[:8], actions=("remove", "affine", "merge"))
    layers = costs.groupby("action")["layer"].apply(list).to_dict()
    assert layers == {"remove": [1, 2, 3, 4, 5], "affine": [1, 2, 3, 4, 5], "merge": [2, 3, 4, 5]}
    whole = cross_entropy(model, TEXT[:8])
    with without(model, [2]):
        gone = cross_entropy(model, TEXT[:8])
    costs = costs.set_index(["action", "layer"])
    found = costs.loc["remove", 3][["delta_nats", "delta_perplexity", "perplexity"]].tolist()
    assert found == pytest.approx([gone - whole, np.exp(gone) - np.exp(whole), np.exp(gone)], rel=1e-5)
    assert costs["penalty"].isna().sum() == DEPTH

    parts = single_costs(model, TEXT, TEXT[:8], part="mlp").set_index(["action", "layer"])
    assert len(parts) == 2 * DEPTH
    with pruned(model, [3], "affine", blocks=TEXT, part="mlp"):
        assert parts["delta_nats"]["affine", 3] == pytest.approx(cross_entropy(model, TEXT[:8]) - whole, abs=1e-6)

    scores, removed = layer_scores(model, TEXT), costs["delta_nats"]["remove"]
    agreement = rank_agreement(scores, costs.reset_index()).set_index(["score", "action"])
    assert set(agreement["layers"]) == {4, 5}
    for score, sign in (("linearity", -1), ("norm_ratio", 1)):
        assert agreement["tau"][score, "remove"] == pytest.approx(kendalltau(sign * scores[score], removed)[0])
