"""The real model that CI fetches: its tokens, its loss, and its scores beside least squares in float64."""

import copy
import math

import numpy as np
import pytest
import torch

import linstudy
from linstudy.fetched import is_there

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smollm2():
    if not is_there("smollm2-135m"):
        pytest.skip("smollm2-135m was not fetched: run `linstudy fetch smollm2-135m`")
    return linstudy.load("smollm2-135m", device="cpu", dtype="float32")


def test_smollm2_reads_its_text_as_it_was_pinned(smollm2):
    model, tokenizer = smollm2
    ids = tokenizer("Once upon a time, there was a girl.")["input_ids"]
    assert ids == [6403, 1980, 253, 655, 28, 665, 436, 253, 8180, 30]
    assert (len(linstudy.models.blocks(model)), model.config.hidden_size, len(tokenizer)) == (30, 576, 49152)


# Carroll, Alice's Adventures in Wonderland.
ALICE = """Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do:
once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and
what is the use of a book," thought Alice, "without pictures or conversations?"
So she was considering in her own mind, as well as she could, for the hot day made her feel very sleepy and stupid,
whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the daisies, when
suddenly a White Rabbit with pink eyes ran close by her."""


def test_smollm2_predicts_english_and_does_not_with_the_rows_of_its_queries_in_the_files_order(smollm2):
    """GGUF files keep the halves of a head's rotation apart: who forgets that gets a model that runs and knows less."""
    model, tokenizer = smollm2
    ids = tokenizer(ALICE, return_tensors="pt").input_ids

    def bits_per_character(one):
        nats = linstudy.cross_entropy(one, ids) * (ids.shape[1] - 1)
        return nats / len(tokenizer.decode(ids[0, 1:])) / math.log(2)

    wrong = copy.deepcopy(model)
    rows = torch.arange(576).view(9, 2, 32).transpose(1, 2).flatten()
    for block in linstudy.models.blocks(wrong):
        block.self_attn.q_proj.weight.data = block.self_attn.q_proj.weight.data[rows]
    assert bits_per_character(model) < 1.4
    assert bits_per_character(wrong) > bits_per_character(model) + 0.5


def test_smollm2_layers_score_what_least_squares_in_float64_says(smollm2):
    model, tokenizer = smollm2
    blocks = linstudy.token_blocks("pydocs", tokenizer, tokens=1280)
    profile = linstudy.linearity_profile(model, blocks).set_index("layer")
    exact = copy.deepcopy(model).double()
    with torch.no_grad():
        states = exact(blocks, output_hidden_states=True, use_cache=False).hidden_states
    for layer in (1, 2, 12, 20):
        x, y = (states[layer - 1 + which].flatten(0, 1).numpy() for which in (0, 1))
        x, y = x - x.mean(0), y - y.mean(0)
        lost = ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum()
        found = profile.loc[layer]
        assert 1 - found.linearity_raw == pytest.approx(lost / (y**2).sum(), rel=1e-3)
        assert 1 - found.update_linearity_raw == pytest.approx(lost / ((y - x) ** 2).sum(), rel=1e-3)
