"""Chapter 7's tables of tokens find what was planted in the errors, and nothing in errors of pure chance."""

import numpy as np
import pandas as pd
import pytest
import torch

import linstudy
from casebook.geometry import anisotropy, intrinsic_dimension
from casebook.tokens import (
    TokenErrors,
    class_errors,
    every_token,
    geometry,
    sample_states,
    tails,
    token_classes,
    worst_tokens,
)
from linstudy.measure import joint_moments


@pytest.fixture(scope="module")
def text():
    _, tokenizer = linstudy.load("stories-1m")
    return tokenizer, linstudy.token_blocks("stories", tokenizer, tokens=8192, length=256)


def errors_of(blocks, layers=2):
    draw = torch.Generator().manual_seed(0)
    error = 1 + 0.2 * torch.rand(layers, *blocks.shape, generator=draw)
    return TokenErrors(tuple(range(1, layers + 1)), error, torch.ones(layers))


def test_a_class_that_was_made_twice_as_hard_is_found_and_the_others_are_chance(text):
    tokenizer, blocks = text
    errors = errors_of(blocks)
    plain = class_errors(errors, blocks, tokenizer)
    is_verb = torch.tensor([[c == "verb" for c in token_classes(b, tokenizer).word_class] for b in blocks])
    errors.error[:, is_verb] *= 2
    made = class_errors(errors, blocks, tokenizer)
    mean = made.groupby("class").error.mean()
    assert mean.idxmax() == "verb" == made["class"].iloc[-1]
    assert mean["verb"] / mean.drop("verb").mean() == pytest.approx(2, rel=0.02)
    assert set(made.layer) == {1, 2}

    def beyond(table):
        by_class = table.groupby("class")[["error", "low", "high"]].mean()
        return set(by_class.index[~by_class.error.between(by_class.low, by_class.high)])

    assert "verb" in beyond(made)
    assert len(beyond(plain)) <= 1  # of some ten, at the first and the ninety-ninth per cent


def test_the_worst_tokens_are_those_that_were_made_so(text):
    tokenizer, blocks = text
    errors = errors_of(blocks)
    stops = blocks == tokenizer(".", add_special_tokens=False)["input_ids"][-1]
    errors.error[1, stops] += 10
    assert worst_tokens(errors, blocks, tokenizer, layer=2).index.tolist() == ["'.'"]
    assert len(worst_tokens(errors, blocks, tokenizer, layer=1)) > 10


def test_the_shape_of_the_stream_has_a_row_a_boundary(text):
    _, blocks = text
    model, _ = linstudy.load("stories-1m")
    blocks = blocks[:8]
    table = geometry(model, blocks, joint_moments(model, blocks), keep=(0.9, 0.5))
    assert table.boundary.tolist() == list(range(9))
    states = sample_states(model, blocks, 2048)
    assert table["keep=0.5"][3] == intrinsic_dimension(states[3], keep=0.5)
    assert table.anisotropy[3] == pytest.approx(anisotropy(states[3]), rel=1e-6)
    assert np.isfinite(table).all(axis=None)


def test_a_row_a_token_and_a_row_a_layer_hold_the_same_errors(text):
    errors = errors_of(text[1])
    of_layer = every_token(errors).groupby("layer").relative_error
    assert of_layer.size().sum() == errors.error.numel()
    short = tails(errors).set_index("layer")
    np.testing.assert_allclose(short[["mean", "p99"]], pd.concat([of_layer.mean(), of_layer.quantile(0.99)], axis=1))
