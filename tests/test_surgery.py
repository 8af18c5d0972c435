"""Surgery undoes itself, and in between the model is a whole model: it runs, generates and survives saving."""

import copy

import numpy as np
import pytest
import torch
from tiny_models import DECODERS, WIDTH, tiny_ids, tiny_model
from torch import nn
from torch.testing import assert_close
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from linstudy.models import blocks, capture, replaced, set_blocks, without
from linstudy.prune.latency import read_on


def whole_state(model):
    """What surgery touches: the blocks, the numbers they know themselves by, hooks, modes and the config."""
    numbers = [getattr(m, n) for m in model.modules() for n in ("layer_idx", "layer_id") if hasattr(m, n)]
    hooks = [(len(m._forward_hooks) + len(m._forward_pre_hooks), m.training) for m in model.modules()]
    return blocks(model), list(blocks(model)), numbers, hooks, copy.deepcopy(model.config.to_dict())


def logits(model, ids):
    with torch.no_grad():
        return model(ids, use_cache=False).logits


def cached_logits(model, ids, *, first):
    """The logits of a prompt of `first` tokens and then token by token, through the cache."""
    with torch.no_grad():
        output = model(ids[:, :first], use_cache=True)
        pieces = [output.logits]
        for place in range(first, ids.shape[1]):
            output = read_on(model, ids[:, place : place + 1], output, place)
            pieces.append(output.logits)
    return torch.cat(pieces, dim=1)


def linear(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(WIDTH, WIDTH)


@pytest.mark.parametrize("name", DECODERS)
def test_the_cache_agrees_with_a_run_without_it_and_the_model_is_whole_again(name):
    model, ids = tiny_model(name), tiny_ids(length=20)  # longer than the sliding windows of 8
    before, state = logits(model, ids), whole_state(model)
    for context in (lambda: without(model, [0, 1]), lambda: replaced(model, {0: linear(), 2: linear(1)})):
        with context() as changed:
            assert changed is model
            assert not torch.allclose(logits(model, ids), before, atol=1e-3)
            assert_close(cached_logits(model, ids, first=11), logits(model, ids), rtol=1e-4, atol=1e-5)
        assert whole_state(model) == state
        with pytest.raises(KeyError, match="mine"), context():
            raise KeyError("mine")
        assert whole_state(model) == state
        assert torch.equal(logits(model, ids), before)


def test_a_block_takes_its_kind_of_attention_along_and_a_stand_in_maps_the_stream():
    model, inner = tiny_model("gemma3_text"), linear()
    kinds = list(model.config.layer_types)
    assert kinds == ["sliding_attention", "full_attention", "sliding_attention"]
    with without(model, [0]):
        assert model.config.layer_types == kinds[1:]
        assert model.config.num_hidden_layers == 2
    with replaced(model, {0: linear(), 1: inner}), torch.no_grad(), capture(model) as stream:
        model(tiny_ids())
        assert [block.attention_type for block in blocks(model)[:2]] == kinds[:2]
        assert torch.equal(stream[2], inner(stream[1]))
    neo = tiny_model("gpt_neo")
    with without(neo, [1]):
        assert neo.config.attention_layers == ["global", "local"]
        assert neo.config.expand_attention_types_params(neo.config.attention_types) == ["global", "local"]


def test_of_a_decoder_beside_an_image_model_its_own_config_is_changed_and_put_back():
    text = tiny_model("gemma3_text").config
    sight = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    both = Gemma3Config(text_config=text, vision_config=sight | {"image_size": 14, "patch_size": 7})
    model, kinds = Gemma3ForConditionalGeneration(both).eval(), list(text.layer_types)
    with without(model, [0]):
        assert (model.config.text_config.layer_types, model.config.text_config.num_hidden_layers) == (kinds[1:], 2)
        assert logits(model, tiny_ids()).isfinite().all()
    assert (model.config.text_config.layer_types, model.config.text_config.num_hidden_layers) == (kinds, 3)


def test_contexts_nest_and_indices_count_what_is_there():
    model, state = tiny_model("gpt2"), None
    first, _, last = blocks(model)
    state = whole_state(model)
    with without(model, [np.int64(1)]):
        with without(model, [1]):
            assert list(blocks(model)) == [first]
        assert list(blocks(model)) == [first, last]
    assert whole_state(model) == state


def test_set_blocks_is_for_good():
    model, ids = tiny_model("llama"), tiny_ids()
    with without(model, [2]):
        expected = logits(model, ids)
    set_blocks(model, blocks(model)[:2])
    assert torch.equal(logits(model, ids), expected)
    assert model.config.num_hidden_layers == 2


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda m: without(m, [1, 3]), IndexError, "no block 3: the model has blocks 0 to 2"),
        (lambda m: without(m, [-1]), IndexError, "no block -1: the model has blocks 0 to 2"),
        (lambda m: replaced(m, {7: nn.Identity()}), IndexError, "no block 7: the model has blocks 0 to 2"),
        (lambda m: without(m, range(3)), ValueError, "no block would be left: keep at least one"),
        (lambda m: replaced(m, {2: blocks(m)[0]}), ValueError, "the same block stands at 0 and 2: give each place its"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(change, error, message):
    model = tiny_model("gpt2")
    state = whole_state(model)
    with pytest.raises(error, match=message), change(model):
        pass
    assert whole_state(model) == state


def test_two_stacks_are_refused():
    model, message = tiny_model("t5"), "the blocks of a 't5' model cannot be exchanged, because its encoder and decoder"
    with pytest.raises(ValueError, match=message):
        set_blocks(model, [nn.Identity()])
    with pytest.raises(ValueError, match=message), without(model, [0]):
        pass
