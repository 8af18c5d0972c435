"""Scores: known answers, what leaves them unchanged and what does not, agreement with the plain way."""

import math

import pytest
import torch
from test_moments import assert_scores, of, stream

from linstudy import JointMoments, linear_map
from linstudy.measure import heldout_scores, scores


def test_an_affine_layer_is_linear():
    x, _ = stream(500, 12)
    y = x @ torch.randn(12, 12) + 3
    got = scores(of(x, y))
    for name in ("linearity_raw", "linearity", "update_linearity", "feature_linearity"):
        assert got[name] == pytest.approx(1, abs=1e-9), name


def test_unrelated_data_scores_the_floor_raw_and_nothing_adjusted():
    n, dim, raw, adjusted = 1000, 100, [], []
    for _ in range(20):
        x, noise = torch.randn(2, n, dim)
        got = scores(of(x, noise))
        raw.append(got["linearity_raw"])
        adjusted.append(got["linearity"])
    assert got["floor"] == dim / (n - 1)
    assert sum(raw) / 20 == pytest.approx(dim / (n - 1), abs=5e-4)
    assert sum(adjusted) / 20 == pytest.approx(0, abs=5e-4)


def test_relu_of_a_gaussian_scores_its_constant():
    x = torch.randn(200_000, 4)
    want = (1 / 4) / (1 / 2 - 1 / (2 * math.pi))
    assert want == pytest.approx(0.7335, abs=1e-4)
    assert scores(of(x, torch.relu(x)))["linearity"] == pytest.approx(want, abs=2e-3)


@pytest.mark.parametrize("seed", range(2))
def test_every_score_agrees_with_qr(seed):
    x, y = stream(700, 24, seed)
    got = scores(of(x, y))
    assert 1 - got["linearity_raw"] == pytest.approx((1 - got["update_linearity_raw"]) * got["update_ratio"], abs=1e-12)
    assert_scores(x, y, within=1e-9)


@pytest.mark.parametrize("case", ["layer norm", "dead", "twice", "almost twice"])
@pytest.mark.parametrize("dim", [48, 300])  # products in float64 and in float32
def test_directions_that_are_not_there_do_not_count(case, dim):
    x = torch.randn(3000, dim)
    if case == "layer norm":
        x = torch.nn.functional.layer_norm(x, (dim,))
    elif case == "dead":
        x[:, 3] = 100
    elif case == "twice":
        x[:, 3] = x[:, 4]
    else:
        x[:, 3] = x[:, 4] * (1 + 1e-7 * torch.randn(3000))
    assert_scores(x, x + torch.relu(x.roll(1, 1)))


def test_an_affine_change_of_x_changes_nothing_but_one_of_y_does():
    x, y = stream(800, 10, dtype=torch.float64)
    change = torch.randn(10, 10, dtype=torch.float64)
    plain = scores(of(x, y))["linearity_raw"]
    assert scores(of(x @ change + 5, y))["linearity_raw"] == pytest.approx(plain, abs=1e-9)
    assert scores(of(x, y @ change + 5))["linearity_raw"] != pytest.approx(plain, abs=1e-5)


def test_a_layer_that_does_nothing_has_no_update_to_score():
    x, _ = stream(100, 4)
    got = scores(of(x, x))
    assert got["linearity_raw"] == 1
    assert got["update_ratio"] == 0
    assert math.isnan(got["update_linearity_raw"])
    assert got["cosine"] == pytest.approx(1)


def test_too_few_tokens_say_how_many_are_needed():
    told = r"13 tokens cannot determine an affine map of 12 .* at least 14 tokens, and 1,2"
    for needs_more in (scores, linear_map):
        with pytest.raises(ValueError, match=told):
            needs_more(of(*stream(13, 12)))
    assert scores(of(*stream(14, 12)))["linearity_raw"] > 0.5  # one more is enough, and tells nothing


def test_correction_takes_the_number_of_tokens_out():
    def mean(n, score, draws=40):
        states = (torch.randn(2, n, 30) for _ in range(draws))
        return sum(scores(of(x, x + 1.5 * noise))[score] for x, noise in states) / draws

    true = mean(4000, "linearity", 4)
    assert mean(60, "linearity_raw") - mean(4000, "linearity_raw", 4) > 0.1
    assert mean(60, "linearity") == pytest.approx(true, abs=0.03)
    assert mean(240, "linearity") == pytest.approx(true, abs=0.015)


def test_heldout_is_the_plain_regression_scored_elsewhere_and_pays_for_what_was_learnt_by_heart():
    x, y = stream(600, 15, dtype=torch.float64)
    got = heldout_scores(of(x[:400], y[:400]), of(x[400:], y[400:]))
    with_bias = torch.cat([x, torch.ones(600, 1)], 1)
    error = (y[400:] - with_bias[400:] @ torch.linalg.lstsq(with_bias[:400], y[:400]).solution).square().sum()
    y_c, d_c = (m[400:] - m[400:].mean(0) for m in (y, y - x))
    assert got["linearity_heldout"] == pytest.approx(1 - float(error / y_c.square().sum()), abs=1e-9)
    assert got["update_linearity_heldout"] == pytest.approx(1 - float(error / d_c.square().sum()), abs=1e-9)
    x, noise = torch.randn(2, 600, 100)
    got = heldout_scores(of(x[:300], noise[:300]), of(x[300:], noise[300:]))
    assert got["linearity_heldout"] < 0 < scores(of(x, noise))["linearity_raw"]


# float32 products are rounded in another order by another machine, so the bounds are twice and more of what was seen
@pytest.mark.parametrize(("dim", "exact", "bound"), [(32, False, 1e-5), (300, True, 1e-6), (300, False, 3e-4)])
def test_the_map_reproduces_an_affine_layer_and_is_else_the_best_one(dim, exact, bound):
    x = stream(3000, dim)[0] + 10 * torch.randn(dim)
    with torch.no_grad():
        y = torch.nn.Linear(dim, dim)(x)
        got = linear_map(JointMoments.empty(dim, exact=exact).update(x, y))(x)
    assert float((got - y).norm() / y.norm()) < bound
    x, y = stream(500, 8, dtype=torch.float64)
    best = linear_map(of(x, y), dtype=torch.float64)
    error = (best(x) - y).square().sum()
    for gradient in torch.autograd.grad(error, list(best.parameters())):
        assert float(gradient.abs().max()) < 1e-6 * error.item()


def test_mirrored_features_have_a_largest_direction():
    half = torch.randn(2000, 150)
    x = torch.cat([half, -half], dim=1)  # every row of their covariance adds up to zero
    want = torch.linalg.svdvals((x - x.mean(0)).double())
    got = scores(of(x, x + torch.randn_like(x)))["anisotropy"]
    assert got == pytest.approx(float(want[0] ** 2 / want.square().sum()), rel=1e-6)
