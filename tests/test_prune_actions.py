"""What stands in for layers: the best map there is, put where the layer was, and gone without a trace afterwards."""

import numpy as np
import pytest
import torch
from reference import states_of
from test_surgery import cached_logits, logits, whole_state
from tiny_models import DECODERS, LAYERS, WIDTH, tiny_ids, tiny_model
from torch import nn
from torch.testing import assert_close

from casebook.costs import parts_in
from linstudy import JointMoments, linear_map
from linstudy.measure import joint_moments
from linstudy.models import blocks, replaced, without
from linstudy.prune import ACTIONS, changed, fit, places_of, prune, pruned
from linstudy.prune.closed_form import PENALTIES, affine_map
from linstudy.prune.fitting import noted
from linstudy.prune.parts import down_at

MERGING = [name for name in DECODERS if name.split()[0] not in ("gemma2", "gemma3_text", "olmo2")]
MERGING.remove("opt postnorm")
PARTS_APART = [name for name in DECODERS if name not in ("bloom", "mamba", "opt", "opt postnorm")]


def text(batch=24, length=16, seed=3):
    return tiny_ids(batch=batch, length=length, seed=seed)


def least_squares(x, y, *, bias=True):
    """The map of least squares, on all tokens, in float64, by QR."""
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1) if bias else x
    return torch.linalg.lstsq(x.double(), y.double()).solution


def pairs(seed, tokens=600, dim=12, noise=0.5):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(tokens, dim, generator=draw) @ torch.randn(dim, dim, generator=torch.Generator().manual_seed(9)) + 3
    return x, x + torch.relu(x) + noise * torch.randn(tokens, dim, generator=draw) - 1


def moments(x, y):
    return JointMoments.empty(x.shape[1]).update(x, y)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tokens", [15, 40, 600])
def test_the_penalty_is_the_best_on_held_out_tokens(tokens, bias):
    """Every penalty is tried the long way: the map solved, applied to the tokens, the error counted."""
    (x, y), (x2, y2) = pairs(0, tokens), pairs(1, 200)
    if bias:  # tokens held out lie elsewhere, which a map learnt by heart pays for
        x2, y2 = x2 + 5, y2 + 5
    _, chosen = affine_map(moments(x, y), moments(x2, y2), like=x, bias=bias)
    x, y, x2, y2 = (state.double() for state in (x, y, x2, y2))
    mean_x, mean_d = (x.mean(0), (y - x).mean(0)) if bias else (torch.zeros(12), torch.zeros(12))
    xc, dc = x - mean_x, y - x - mean_d
    scale = xc.norm(dim=0)
    errors = {}
    for penalty in PENALTIES:
        gram = (xc / scale).T @ (xc / scale) + penalty * torch.eye(12)
        a = torch.linalg.solve(gram, (xc / scale).T @ dc) / scale[:, None]
        errors[penalty] = float(((x2 - mean_x) @ a + mean_d - (y2 - x2)).square().sum())
    assert errors[chosen] == min(errors.values())
    assert tokens > 40 or chosen > 0  # too few tokens are in want of a penalty


@pytest.mark.parametrize("bias", [True, False])
def test_the_map_is_fitted_to_all_tokens_with_the_penalty_chosen(bias, monkeypatch):
    (x, y), (x2, y2) = pairs(0), pairs(1, 200)
    monkeypatch.setattr("linstudy.prune.closed_form.PENALTIES", (0.0,))
    got = affine_map(moments(x, y), moments(x2, y2), like=x.double(), bias=bias)[0]
    expected = least_squares(torch.cat([x, x2]), torch.cat([y, y2]), bias=bias)
    assert_close(got.weight.T, expected[:12], atol=1e-6, rtol=1e-5)
    assert_close(got.bias, expected[12] if bias else torch.zeros(12).double(), atol=1e-5, rtol=1e-5)


def test_where_the_tokens_say_nothing_the_map_comes_near_that_of_removing():
    x, x2 = pairs(0)[0][:14], pairs(1, 200)[0]
    fitted, heldout = (moments(x, x + torch.randn_like(x)) for x in (x, x2))
    layer, penalty = affine_map(fitted, heldout, like=x)
    assert penalty == max(PENALTIES)
    assert (layer.weight - torch.eye(12)).norm() < (linear_map(fitted).weight - torch.eye(12)).norm() / 2


@pytest.mark.parametrize("action", ["affine", "sequential", "run"])
def test_a_block_that_is_affine_is_replaced_exactly(action):
    """The control: a real block is not."""
    model, ids = tiny_model("llama"), text()
    torch.manual_seed(0)
    with replaced(model, {1: nn.Linear(WIDTH, WIDTH)}):
        expected = logits(model, ids)
        for layer in (2, 3):
            with pruned(model, [layer], action, blocks=text(batch=40, seed=4)):
                off = (logits(model, ids) - expected).abs().max()
            assert (off < 1e-4) if layer == 2 else (off > 1e-2)


@pytest.mark.parametrize("name", ["gpt2", "llama", "mamba"])  # surgery on every family: test_surgery, test_prune_saving
@pytest.mark.parametrize("action", ACTIONS)
def test_the_model_is_whole_again_bit_for_bit(name, action):
    model, ids = tiny_model(name), tiny_ids(length=20)
    before, state = logits(model, ids), whole_state(model)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    changes = fit(model, [2, 3], action, blocks=text())
    with changed(model, changes):
        assert not torch.allclose(logits(model, ids), before, atol=1e-3)
        assert_close(cached_logits(model, ids, first=11), logits(model, ids), rtol=1e-4, atol=1e-5)
    with pytest.raises(KeyError, match="mine"), changed(model, changes):
        raise KeyError("mine")
    assert whole_state(model) == state
    assert torch.equal(logits(model, ids), before)
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert [place.block for place in places_of(model)] == ["kept"] * LAYERS


@pytest.mark.parametrize("name", PARTS_APART)
@pytest.mark.parametrize("part", ["attention", "mlp"])
def test_a_part_alone(name, part):
    model, ids = tiny_model(name), tiny_ids(length=20)
    before, state, count = logits(model, ids), whole_state(model), model.num_parameters()
    for action in ("remove", "affine"):
        with pruned(model, [1, 3], action, blocks=text(), part=part):
            assert not torch.allclose(logits(model, ids), before, atol=1e-3)
            assert_close(cached_logits(model, ids, first=11), logits(model, ids), rtol=1e-4, atol=1e-5)
            assert model.num_parameters() < count
        assert torch.equal(logits(model, ids), before)
        assert whole_state(model) == state
    with pruned(model, [2], "remove", part="attention"), pruned(model, [2], "remove", part="mlp"):
        stream = states_of(model, ids)
        if name not in ("gemma2", "gemma3_text", "olmo2"):
            assert torch.equal(stream[1], stream[2])  # what was removed adds nothing


def test_attention_and_mlp_of_any_layers_go_together_each_by_its_own_map(monkeypatch):
    """Own algebra: least squares on what the modules of the whole model read and give, put there by hooks."""
    monkeypatch.setattr("linstudy.prune.closed_form.PENALTIES", (0.0,))
    model, fitted, ids = tiny_model("llama"), text(batch=40), tiny_ids(length=20)
    modules = {(2, "attention"): blocks(model)[1].self_attn, (3, "mlp"): blocks(model)[2].mlp}
    with torch.no_grad(), noted([*modules.values()]) as seen:
        model(fitted)
    given = [least_squares(x.flatten(0, 1), y.flatten(0, 1)).float() for x, y in seen]

    def by_hand(a):
        def put(module, args, kwargs, output):
            x = args[0] if args else kwargs["hidden_states"]
            y = x @ a[:-1] + a[-1]
            return (y, *output[1:]) if isinstance(output, tuple) else y

        return put

    given = zip(modules.values(), given, strict=True)
    hooks = [module.register_forward_hook(by_hand(a), with_kwargs=True) for module, a in given]
    expected = logits(model, ids)
    for hook in hooks:
        hook.remove()
    maps = {(one.first, one.part): one for one in fit(model, [2, 3], "affine", blocks=fitted, part="sublayers")}
    assert list(maps) == [(2, "attention"), (2, "mlp"), (3, "attention"), (3, "mlp")]
    with changed(model, [maps[place] for place in modules]):
        assert_close(logits(model, ids), expected, atol=1e-4, rtol=1e-4)
        assert [place.replaced_parts for place in places_of(model)] == [(), ("attention",), ("mlp",)]
    with changed(model, [maps[2, "mlp"], maps[3, "attention"]]):
        assert not torch.allclose(logits(model, ids), expected, atol=1e-3)


@pytest.mark.parametrize("name", MERGING)
def test_merging_is_least_squares_from_the_last_matrix_to_the_state_wanted(name):
    model, ids = tiny_model(name), text(batch=80)
    whole = states_of(model, ids)
    matrix = getattr(*down_at(model, 1))
    with torch.no_grad(), noted([matrix]) as seen:
        model(ids)
    u = seen[0][1].reshape(-1, WIDTH)
    target = u + whole[3] - whole[1]
    x = u if matrix.bias is None else torch.cat([u, torch.ones(len(u), 1)], dim=1)
    least = (x.double() @ least_squares(x, target, bias=False) - target).square().sum()
    with pruned(model, [2, 3], "merge", blocks=ids):
        here = states_of(model, ids)[1]
    assert (here - whole[3]).square().sum() < 1.03 * least
    assert (here - whole[3]).square().sum() < (whole[1] - whole[3]).square().sum()  # better than removing


@pytest.mark.parametrize(("action", "maps"), [("remove", 0), ("merge", 0), ("run", 1), ("sequential", 2)])
def test_parameters_are_those_of_the_layers_kept_and_of_the_maps(action, maps):
    model = tiny_model("gpt2")
    with without(model, [1, 2]):
        count = model.num_parameters()
    with pruned(model, [2, 3], action, blocks=text()):
        assert model.num_parameters() == count + maps * WIDTH * (WIDTH + 1)


def test_in_sequence_the_state_after_a_layer_comes_nearer_to_the_whole_models():
    model, ids = tiny_model("mistral", spread=0.3), text(batch=80)
    whole = states_of(model, ids)[2]
    error = {}
    for action in ("remove", "affine", "sequential"):
        with changed(model, fit(model, [1, 2], action, blocks=ids), keep_places=True):
            error[action] = float((states_of(model, ids)[2] - whole).square().mean())
    assert error["sequential"] < error["affine"] < error["remove"]


def test_one_shot_maps_are_fitted_on_the_stream_as_it_is():
    model, ids = tiny_model("llama"), text(batch=200)
    alone = fit(model, [3], "affine", blocks=ids)[0]
    together = fit(model, [1, 3], "affine", blocks=ids)[1]
    assert torch.equal(alone.map.weight, together.map.weight)
    in_sequence = fit(model, [1, 3], "sequential", blocks=ids)[1]
    assert not torch.allclose(alone.map.weight, in_sequence.map.weight, atol=1e-2)
    assert_close(alone.map.weight, linear_map(joint_moments(model, ids)[3]).weight, atol=0.05, rtol=0.1)


@pytest.mark.parametrize("action", ["sequential", "run", "merge"])
def test_states_that_are_kept_change_nothing(action, monkeypatch):
    """In sequence, the states of the whole model are kept from layer to layer, or, too large, computed again."""
    model, ids = tiny_model("llama", num_hidden_layers=6), text()
    kept = fit(model, [2, 4, 5], action, blocks=ids)
    monkeypatch.setattr("linstudy.prune.fitting.KEPT_BYTES", 0)
    again = fit(model, [2, 4, 5], action, blocks=ids)
    assert len(kept) > 1
    for one, other in zip(kept, again, strict=True):
        assert_close(one.map.weight, other.map.weight, rtol=1e-5, atol=1e-6)
        assert one.penalty == other.penalty


def test_runs_have_one_map_and_stand_for_all_their_layers():
    model = tiny_model("llama", num_hidden_layers=6)
    changes = fit(model, [5, 1, 2, 6], "run", blocks=text())
    assert [(one.first, one.last) for one in changes] == [(1, 2), (5, 6)]
    prune(model, [5, 1, 2, 6], "run", blocks=text())
    found = [(place.first, place.last, place.block) for place in places_of(model)]
    assert found == [(1, 2, "affine"), (3, 3, "kept"), (4, 4, "kept"), (5, 6, "affine")]
    prune(model, [2, 4], "remove")  # counted in the model as it is now
    assert [(place.first, place.last) for place in places_of(model)] == [(1, 2), (4, 4)]
    with pytest.raises(ValueError, match="cannot be merged into it, because it is a StandIn by now"):
        fit(model, [2], "merge", blocks=text())
    with without(model, [0]), pytest.raises(ValueError, match="has 1 blocks now and had 2 when it was pruned"):
        places_of(model)
    model = prune(
        tiny_model("llama"), [2, 3], "merge", blocks=text()
    )  # a layer that others merged into reaches further
    assert [(place.first, place.last, place.block) for place in places_of(model)] == [(1, 3, "kept")]


@pytest.mark.parametrize(
    ("layers", "action", "part"),
    [([2, 3], "run", "block"), ([4, 5], "merge", "block"), ([1, 2], "affine", "attention")],
)
def test_for_good_is_the_same_as_for_a_while(layers, action, part):
    model, ids = tiny_model("qwen3", num_hidden_layers=5), text()
    with pruned(model, layers, action, blocks=text(), part=part):
        expected = logits(model, ids)
    assert prune(model, np.array(layers), action, blocks=text(), part=part) is model
    assert torch.equal(logits(model, ids), expected)
    assert_close(cached_logits(model, ids, first=9), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["falcon", "gpt2", "llama", "qwen2"])
def test_generation_agrees_with_and_without_cache_in_batches_and_with_padding(name):
    model = tiny_model(name)
    options = dict(max_new_tokens=10, do_sample=False, eos_token_id=None, pad_token_id=0)
    ids, padding = tiny_ids(length=9), torch.zeros(2, 4, dtype=torch.int64)
    with pruned(model, [1, 2], "run", blocks=text()):
        alone = model.generate(ids, use_cache=True, **options)
        assert torch.equal(alone, model.generate(ids, use_cache=False, **options))
        mask = torch.cat([padding, torch.ones_like(ids)], dim=1)
        padded = model.generate(torch.cat([padding, ids], dim=1), attention_mask=mask, **options)
        assert torch.equal(padded[:, 4:], alone)
        assert torch.equal(model.generate(ids[:1], **options), alone[:1])


@pytest.mark.parametrize(
    ("layers", "action", "options", "error", "message"),
    [
        ([2], "afine", {}, ValueError, "there is no action 'afine': did you mean 'affine'"),
        ([2], "affine", {}, ValueError, "action 'affine' fits maps to a text: give blocks="),
        ([4], "remove", {}, IndexError, "there is no layer 4: the model has layers 1 to 3"),
        ([0], "remove", {}, IndexError, "there is no layer 0: the model has layers 1 to 3"),
        ([], "remove", {}, IndexError, "no layer was chosen: give some of 1 to 3"),
        ([1, 2, 3], "remove", {}, ValueError, "no block would be left: keep at least one"),
        ([1], "merge", {}, ValueError, "layer 1 cannot be merged into the layer before it, because there is none"),
        ([2], "merge", {"part": "mlp"}, ValueError, "action 'merge' is for whole layers: with part='mlp' use"),
        ([2], "remove", {"part": "head"}, ValueError, "there is no part 'head': the names are block, attention, mlp"),
    ],
)
def test_what_cannot_be_is_said(layers, action, options, error, message):
    model = tiny_model("llama")
    state = whole_state(model)
    with pytest.raises(error, match=message), pruned(model, layers, action, **options):
        pass
    assert whole_state(model) == state


@pytest.mark.parametrize("name", [*DECODERS, "bert"])
def test_what_a_family_does_not_have_is_said_before_a_text_is_read(name):
    """No blocks are given: which parts can go by themselves, and what can be merged into, is known without them."""
    model = tiny_model(name)
    assert (parts_in(model) == ("attention", "mlp")) == (name in PARTS_APART)
    for part in ("attention", "mlp"):
        if part in parts_in(model):
            assert fit(model, [2], "remove", part=part)
        else:
            told = rf"the {part} of layer 2, a \w+ of a '\w+' model, is no module that can"
            with pytest.raises(ValueError, match=told):
                fit(model, [2], "remove", part=part)
    told = "fits maps to a text" if name in MERGING else r'what follows layer 1 cannot .*because .*use action="run"'
    with pytest.raises(ValueError, match=told):
        fit(model, [2], "merge")


class Wrapped(nn.Sequential):
    def forward(self, hidden_states, **options):
        return self[0](hidden_states, **options)


def test_a_part_can_go_where_every_block_has_it():
    model = tiny_model("llama")
    blocks(model)[1] = Wrapped(blocks(model)[1])  # attention and MLP are no children of its own
    assert parts_in(model) == ()
