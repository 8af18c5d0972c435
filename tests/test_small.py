"""The small models with random weights: there is one for every family, as that family starts its training."""

import pytest
import torch
from tiny_models import tiny_ids

from linstudy.models import SMALL, small_model


@pytest.mark.parametrize("name", SMALL)
def test_a_small_model_is_small_and_decided_by_its_seed(name):
    one, same, other = (small_model(name, seed=seed, vocab_size=99) for seed in (0, 0, 1))
    assert one.num_parameters() < 100_000  # a misspelt field of a config gives, in silence, a full-sized model
    assert one.config.model_type == name.split()[0]
    assert not one.training
    weights = [torch.cat([w.flatten() for w in model.parameters()]) for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_making_one_leaves_the_random_numbers_alone():
    torch.manual_seed(7)
    want = torch.rand(3)
    torch.manual_seed(7)
    small_model("gpt2")
    assert torch.equal(torch.rand(3), want)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"there is no small model 'gpt5': .*the names are bloom, falcon"):
        small_model("gpt5")


def test_a_config_can_be_changed():
    assert small_model("llama", num_hidden_layers=5)(tiny_ids()).logits.shape[-1] == 2048
