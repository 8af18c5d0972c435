"""Anisotropy: known spectra, agreement with all singular values, and how power iteration gets there."""

import math
from itertools import pairwise

import pytest
import torch
from test_moments import of, stream

from casebook.geometry import anisotropy
from linstudy.measure import JointMoments, scores


def with_spectrum(values, *, count=400, seed=0):
    """Centred states with exactly these singular values, far from the origin."""
    draw = torch.Generator().manual_seed(seed)
    left = torch.randn(count, len(values), generator=draw, dtype=torch.float64)
    left = torch.linalg.qr(left - left.mean(0)).Q
    right = torch.linalg.qr(torch.randn(len(values), len(values), generator=draw, dtype=torch.float64)).Q
    return left * torch.tensor(values, dtype=torch.float64) @ right + 100


@pytest.mark.parametrize(("values", "want"), [([1] * 10, 0.1), ([3, 2, 1], 9 / 14), ([5, 0, 0], 1.0)])
def test_known_spectra(values, want):
    states = with_spectrum([float(value) for value in values])
    assert anisotropy(states) == pytest.approx(want, abs=1e-12)
    assert anisotropy(of(states, 2 * states)) == pytest.approx(want, abs=1e-9)


def test_states_and_their_moments_agree():
    x, y = stream(700, 24)
    assert scores(of(x, y))["anisotropy"] == anisotropy(of(x, y)) != pytest.approx(anisotropy(y), abs=1e-3)
    for steps in (None, 1, 5, 50):
        assert anisotropy(of(x, y), iterations=steps) == pytest.approx(anisotropy(x, iterations=steps), abs=1e-9)


def test_power_iteration_comes_from_below_and_shrinks_the_error_as_it_says():
    states = with_spectrum([1.0, 0.9, 0.5, 0.3, 0.2])
    exact = anisotropy(states)
    errors = [exact - anisotropy(states, iterations=steps) for steps in range(1, 31)]
    assert all(before > after > 0 for before, after in pairwise(errors))
    assert errors[-1] / errors[-2] == pytest.approx(0.9**4, abs=1e-3)
    assert anisotropy(states, iterations=300) == pytest.approx(exact, abs=1e-12)


def test_no_direction_hides_from_power_iteration():
    states = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [0.2, 0.2], [-0.2, -0.2]])  # at right angles to (1, 1)
    assert anisotropy(states, iterations=50) == pytest.approx(1 / 1.04)


def test_turning_moving_and_scaling_change_nothing_but_stretching_does():
    states = torch.randn(300, 12, dtype=torch.float64) * torch.linspace(1, 2, 12)
    turn = torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64)).Q
    for changed in (states @ turn, states + 1000, states * 1e-6):
        assert anisotropy(changed) == pytest.approx(anisotropy(states), abs=1e-9)
    assert anisotropy(states * torch.linspace(3, 1, 12)) != pytest.approx(anisotropy(states), abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_any_number_type_is_measured_in_float64(dtype):
    states = (torch.randn(200, 10) + 3).to(dtype)
    values = torch.linalg.svdvals(states.double() - states.double().mean(0)).square()
    assert (
        anisotropy(states) == anisotropy(states.double()) == pytest.approx(float(values[0] / values.sum()), abs=1e-12)
    )


@pytest.mark.parametrize(("value", "dim"), [(3.0, 4), (0.1, 300)])
def test_states_that_do_not_differ_have_no_direction(value, dim):
    constant = torch.full((50, dim), value)
    for steps in (None, 3):
        assert math.isnan(anisotropy(constant, iterations=steps))
        assert math.isnan(anisotropy(of(constant, constant), iterations=steps))


@pytest.mark.parametrize(
    ("states", "options", "message"),
    [
        (torch.randn(9, 3), {"iterations": 0}, "iterations=0 go nowhere: give 1 or more"),
        (torch.randn(1, 3), {}, "1 states have no directions: give two or more"),
        (torch.tensor([[1.0, 2.0], [math.nan, 3.0]]), {}, "the states hold NaN or infinity"),
        (JointMoments.empty(4), {}, "no tokens were measured"),
    ],
    ids=["iterations", "one", "nan", "none"],
)
def test_bad_input(states, options, message):
    with pytest.raises(ValueError, match=message):
        anisotropy(states, **options)
