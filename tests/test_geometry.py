"""The shape of states: anisotropy by known spectra, and the TwoNN dimension of known manifolds."""

import math
from itertools import pairwise

import pytest
import torch
from test_moments import of, stream

from casebook.geometry import anisotropy, intrinsic_dimension, two_nearest
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
def test_states_without_directions_are_refused(states, options, message):
    with pytest.raises(ValueError, match=message):
        anisotropy(states, **options)


def in_a_double_loop(points, fraction=5):
    """LLM-Microscope's algorithm, written plainly: every pair of points, 1 / fraction of the ratios.

    Points with a copy are dropped, with their share of the distribution kept; of the rest the smallest ratios count.
    """
    points = points.double() - points.double().mean(0)
    points = points / points.norm(dim=1).mean()
    ratios = torch.empty(len(points), dtype=torch.float64)
    for i, point in enumerate(points):
        distances = (points - point).norm(dim=1)
        distances = torch.cat([distances[:i], distances[i + 1 :]])
        nearest, second = distances.kthvalue(1).values, distances.kthvalue(2).values
        ratios[i] = second / nearest if nearest >= 1e-8 else -1
    ratios = ratios.sort().values
    dropped = int((ratios <= 1 + 1e-8).sum())
    ratios, count = ratios[dropped:], len(ratios) - dropped
    share = torch.arange(dropped + 1, len(points) + 1) / len(points)
    x, y = ratios.log()[: count // fraction], -(1 - share.double()).log()[: count // fraction]
    return float((x * y).sum() / (x * x).sum())


def flat(dim, *, inside, draw=torch.rand):
    """Points spread over `dim` dimensions that lie askew in a space of more."""
    return lambda count, seed: draw(count, dim, generator=seed) @ torch.randn(dim, inside, generator=seed)


def sphere(dim):
    return lambda count, draw: torch.nn.functional.normalize(torch.randn(count, dim + 1, generator=draw))


def swiss_roll(count, draw):
    angle = 1.5 * math.pi * (1 + 2 * torch.rand(count, generator=draw))
    return torch.stack([angle * angle.cos(), 21 * torch.rand(count, generator=draw), angle * angle.sin()], 1)


def cloud(count=300, dim=16, *, seed=0):
    """Points on no manifold in particular: a bent Gaussian, some directions wide and some thin."""
    draw = torch.Generator().manual_seed(seed)
    return torch.tanh(flat(6, inside=dim, draw=torch.randn)(count, draw)) * torch.logspace(0, -2, dim)


KNOWN = {
    "circle": (1, sphere(1)),
    "plane": (2, flat(2, inside=20)),
    "swiss roll": (2, swiss_roll),
    "five-sphere": (5, sphere(5)),
    "Gaussian in 100 dimensions": (10, flat(10, inside=100, draw=torch.randn)),
}


@pytest.mark.parametrize("keep", [0.9, 0.2])
@pytest.mark.parametrize("name", KNOWN)
def test_known_manifolds_have_their_dimension(name, keep):
    dim, draw = KNOWN[name]
    points = draw(2500, torch.Generator().manual_seed(0))
    chance = dim / math.sqrt(keep * 2500)
    assert intrinsic_dimension(points, keep=keep) == pytest.approx(dim, abs=3 * chance)


def test_too_few_points_in_many_dimensions_look_like_fewer():
    few, many = (intrinsic_dimension(flat(20, inside=20)(n, torch.Generator().manual_seed(0))) for n in (500, 4000))
    assert few < many < 20 - 1


@pytest.mark.parametrize(("seed", "fraction"), [(0, 5), (1, 2)])
def test_it_agrees_with_the_double_loop(seed, fraction):
    points = cloud(seed=seed)
    want = in_a_double_loop(points, fraction)
    assert intrinsic_dimension(points, keep=1 / fraction) == pytest.approx(want, rel=1e-6)
    assert intrinsic_dimension(points) != pytest.approx(want, rel=1e-3)  # another share, another number


@pytest.mark.parametrize(("measure", "exact"), [(anisotropy, 1e-9), (intrinsic_dimension, 1e-8)])
def test_turning_moving_and_scaling_change_nothing_but_stretching_does(measure, exact):
    points = cloud().double()
    turn = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64)).Q
    plain = measure(points)
    for changed in (points @ turn, points + 1000, points * 1e-12, points * 1e12, points[torch.randperm(300)]):
        assert measure(changed) == pytest.approx(plain, rel=exact)
    assert measure(points * torch.logspace(0, 3, 16)) != pytest.approx(plain, rel=1e-2)


def test_equal_points_count_once():
    points = cloud()
    twice = torch.cat([points, points[:100], points[:1].expand(50, -1)])
    assert intrinsic_dimension(twice) == intrinsic_dimension(points)
    # The loop drops every point that has a copy, and takes a copy and its twin for a point's two neighbours.
    assert in_a_double_loop(twice) != pytest.approx(in_a_double_loop(points), rel=1e-2)


def neighbours_by_hand(points):
    distances = torch.stack([(points - point).norm(dim=1) for point in points])
    return distances.fill_diagonal_(torch.inf).topk(2, largest=False).values


HARD = {
    "plain": lambda x: x,
    "far from the origin": lambda x: x + 1e6,
    "one massive point": lambda x: torch.cat([x, torch.full((1, 16), 1e5)]),
    "one massive dimension": lambda x: x * torch.tensor([1e4] + [1.0] * 15),
    "two clusters far apart": lambda x: torch.cat([x, x.flip(1) + 1e4]),
    "almost copies": lambda x: torch.cat([x + 1e-10 * i * torch.arange(1, 301)[:, None] for i in range(6)]),
}


@pytest.mark.parametrize("case", HARD)
def test_neighbours_are_exact_where_products_lose_their_digits(case):
    points = HARD[case](cloud().double())
    torch.testing.assert_close(two_nearest(points), neighbours_by_hand(points), rtol=1e-5, atol=0)


GRID = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0))
FEW = r"points, \d of them different, hold too few neighbours for keep=0.9"


@pytest.mark.parametrize(
    ("points", "keep", "message"),
    [
        *((cloud(), keep, rf"keep={keep} is not a share of the points") for keep in (0.0, 1.0, -0.1, 20.0)),
        *((points, 0.9, FEW) for points in (torch.zeros(50, 3), torch.eye(2).repeat(9, 1), torch.zeros(0, 3))),
        (cloud(5), 0.1, r"5 points, 5 of them different.*keep=0.1: give at least 3"),
        *((torch.full((9, 2), value), 0.9, "the points hold NaN or infinity") for value in (math.nan, math.inf)),
        (GRID, 0.9, "two neighbours are equally far, as on a grid"),
    ],
    ids=range(11),
)
def test_points_without_neighbours_are_refused(points, keep, message):
    with pytest.raises(ValueError, match=message):
        intrinsic_dimension(points, keep=keep)


def test_three_points_will_do_and_so_will_a_shaken_grid():
    assert intrinsic_dimension(torch.tensor([[0.0], [1.0], [3.0]])) > 0
    assert intrinsic_dimension(GRID + 0.1 * torch.rand(64, 2)) > 0
