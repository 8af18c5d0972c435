"""The small models with random weights: there is one for every family, as that family starts its training."""

import pytest
import torch

from casebook.rows import chosen, profiles
from linstudy import load
from linstudy.models import SMALL, blocks, small_model, width_of
from linstudy.train import PRESETS, make_model


@pytest.mark.parametrize("name", SMALL)
def test_a_small_model_is_small_and_decided_by_its_seed(name):
    state = torch.get_rng_state()
    one, same, other = (small_model(name, seed=seed, vocab_size=99) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert one.num_parameters() < 100_000  # a misspelt field of a config gives, in silence, a full-sized model
    assert one.config.model_type == name.split()[0]
    assert not one.training
    weights = [torch.cat([w.flatten() for w in model.parameters()]) for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_model_of_a_preset_is_decided_by_its_seed_and_has_the_special_tokens_of_its_tokenizer():
    tokenizer, state = load("stories-1m")[1], torch.get_rng_state()
    asked = (("nano", 0), (PRESETS["nano"], 0), ("nano", 1))
    one, same, other = (make_model(tokenizer, preset, seed=seed) for preset, seed in asked)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.lm_head.weight, same.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        assert getattr(one.config, name) == getattr(tokenizer, name)


def test_a_config_is_changed_by_a_common_name_and_by_the_familys_own():
    for changes in ({"hidden_size": 64, "num_hidden_layers": 5}, {"n_embd": 64, "n_layer": 5}):
        model = small_model("gpt2", **changes)
        assert (width_of(model), len(blocks(model))) == (64, 5)
    with pytest.raises(ValueError, match=r"there is no small model 'gpt5': .*the names are bloom, falcon"):
        small_model("gpt5")


@pytest.mark.parametrize("family", chosen.WIDENED)
def test_a_network_of_a_width_has_it(family):
    for width in (32, 128):
        model = small_model(family, **profiles.widened(family, width))
        assert (width_of(model), len(blocks(model))) == (width, profiles.LAYERS)
        assert max(max(weight.shape) for weight in blocks(model).parameters()) == chosen.WIDENED[family] * width
