"""The error of a layer's affine map, token by token, against the map worked out with all states in hand."""

import pytest
import torch
from reference import explained, pairs_of
from tiny_models import SOME, tiny_ids, tiny_model

from linstudy import linearity_profile
from linstudy.measure import joint_moments, token_errors


@pytest.mark.parametrize("name", SOME)
def test_errors_are_those_of_least_squares_in_every_family(name):
    model, ids = tiny_model(name), tiny_ids(batch=20, length=12)
    errors = token_errors(model, ids, batch_size=3)
    assert errors.layers == (1, 2, 3)
    for row, (x, y) in zip(errors.error, pairs_of(model, ids), strict=True):
        x, y = x.double(), y.double()
        x_c, d_c = (m - m.mean(0) for m in (x, y - x))  # after a LayerNorm x lacks a direction, which must not count
        torch.testing.assert_close(
            row.flatten().double(), (d_c - explained(x_c, d_c)).norm(dim=1), rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("part", ["block", "attention", "mlp"])
def test_mean_square_of_relative_errors_is_one_minus_the_score(part):
    model, ids = tiny_model("gptj"), tiny_ids(batch=20, length=12)
    errors = token_errors(model, ids, part=part)
    scores = linearity_profile(model, ids, part=part).linearity_raw
    mean = errors.relative.double().square().mean((1, 2))
    assert mean.tolist() == pytest.approx((1 - scores).tolist(), rel=1e-5)


def test_a_map_of_other_tokens_makes_larger_errors():
    model, ids = tiny_model("mistral"), tiny_ids(batch=40, length=12)
    mine, other = ids[:10], ids[10:]
    own = token_errors(model, mine)
    held_out = token_errors(model, mine, moments=joint_moments(model, other))
    assert (held_out.relative.square().mean((1, 2)) > own.relative.square().mean((1, 2))).all()
    (x, y), (new_x, new_y) = (
        (torch.nn.functional.pad(x.double(), (0, 1), value=1), y.double())
        for x, y in (pairs_of(model, text)[1] for text in (other, mine))
    )
    want = (new_y - new_x @ torch.linalg.lstsq(x, y, driver="gelsd").solution).norm(dim=1)
    torch.testing.assert_close(held_out.error[1].flatten().double(), want, rtol=1e-3, atol=1e-4)


def test_layers_are_chosen_by_number():
    model, ids = tiny_model("llama"), tiny_ids(batch=20, length=12)
    moments = joint_moments(model, ids)
    whole = token_errors(model, ids)
    for some in (token_errors(model, ids, layers=[3]), token_errors(model, ids, layers=[3], moments=moments)):
        assert some.layers == (3,)
        torch.testing.assert_close(some.error[0], whole.error[2])


def test_too_few_tokens_are_told():
    with pytest.raises(ValueError, match="24 tokens cannot determine an affine map of 32 dimensions"):
        token_errors(tiny_model("llama"), tiny_ids(batch=2, length=12))
