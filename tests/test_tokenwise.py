"""The error of a layer's affine map, token by token, against the map worked out with all states in hand."""

import pytest
import torch
from reference import explained, pairs_of
from tiny_models import SOME, tiny_ids, tiny_model

from casebook.tokens import token_errors
from linstudy import linearity_profile
from linstudy.measure import joint_moments


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


def test_a_map_of_other_tokens_makes_larger_errors_and_layers_are_chosen_by_number():
    model, ids = tiny_model("mistral"), tiny_ids(batch=40, length=12)
    mine, moments = ids[:10], joint_moments(model, ids[10:])
    own, held_out = token_errors(model, mine), token_errors(model, mine, moments=moments)
    assert (held_out.relative.square().mean((1, 2)) > own.relative.square().mean((1, 2))).all()
    (x, y), (new_x, new_y) = (pairs_of(model, text)[1] for text in (ids[10:], mine))
    x, new_x = (torch.nn.functional.pad(one.double(), (0, 1), value=1) for one in (x, new_x))
    want = (new_y - new_x @ torch.linalg.lstsq(x, y.double(), driver="gelsd").solution).norm(dim=1)
    torch.testing.assert_close(held_out.error[1].flatten().double(), want, rtol=1e-3, atol=1e-4)
    for whole, options in ((own, {}), (held_out, {"moments": moments})):
        some = token_errors(model, mine, layers=[3], **options)
        assert some.layers == (3,)
        torch.testing.assert_close(some.error[0], whole.error[2])
