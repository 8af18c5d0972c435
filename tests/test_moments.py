"""Moments: the same whatever the batches, exact where float32 is not, whole on disk."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import reference

import linstudy.measure.precision as precision
from linstudy import JointMoments
from linstudy.measure import scores
from linstudy.measure.moments import added
from linstudy.measure.precision import RESOLUTION


def stream(n, dim, seed=0, dtype=torch.float32):
    """Return states before and after a layer that is neither linear nor noise."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, dim, generator=draw, dtype=dtype) @ torch.randn(dim, dim, generator=draw, dtype=dtype)
    return x, x + torch.tanh(x @ torch.randn(dim, dim, generator=draw, dtype=dtype) / dim) + 1


def of(x, y):
    return JointMoments.empty(x.shape[1]).update(x, y)


def assert_same(moments, others, tolerance=1e-9):
    a, b = moments.centred(), others.centred()
    assert a.tokens == b.tokens
    for name in ("mean_x", "mean_d", "xx", "xd", "dd"):
        scale = getattr(a, name).abs().max()
        torch.testing.assert_close(getattr(a, name), getattr(b, name), rtol=0, atol=float(tolerance * scale))


@given(st.integers(1, 6), st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(0, 5), st.randoms())
@settings(max_examples=40, deadline=None)
def test_batches_and_merging_in_any_order_are_measuring_all_at_once(dim, sizes, seed, random):
    sizes = [*sizes, 3]
    x, y = stream(sum(sizes), dim, seed)
    batches = list(zip(x.split(sizes), y.split(sizes), strict=True))
    parts, merged, pieces = JointMoments.empty(dim), JointMoments.empty(dim), [of(*rows) for rows in batches]
    random.shuffle(pieces)
    for rows, piece in zip(batches, pieces, strict=True):
        parts.update(*rows)
        merged.merge(piece)
    assert_same(of(x, y), parts)
    assert_same(of(x, y), merged)


def test_products_are_whole_and_leave_the_setting_of_the_gpu_alone(monkeypatch):
    before, during = torch.get_float32_matmul_precision(), set()

    def product(a, b):
        during.add(torch.get_float32_matmul_precision())
        return a @ b.T

    monkeypatch.setattr("linstudy.measure.moments.product", product)
    try:
        torch.set_float32_matmul_precision("medium")
        of(*stream(50, 4))
        assert (during, torch.get_float32_matmul_precision()) == ({"highest"}, "medium")
    finally:
        torch.set_float32_matmul_precision(before)


def test_merged_moments_resolve_what_the_coarser_ones_do():
    x = torch.randn(1200, 300)
    coarse, exact = of(x, x + torch.relu(x)), of(*stream(50, 300))
    assert (coarse.resolution, exact.resolution) == (RESOLUTION[torch.float32], RESOLUTION[torch.float64])
    assert added([exact, coarse]).resolution == added([coarse, exact]).resolution == RESOLUTION[torch.float32]


def hard_states(n=4000, dim=320):
    """One dimension 3,000 times the rest, one dead, two that a few tokens blow up together; width for float32."""
    x, _ = stream(n, dim)
    x = x / x.std()
    x[:, 5] *= 3000
    x[:, 9] = 7.0
    x[::109, 20] += 3000
    x[::109, 33] += 2000
    update = torch.tanh(x[:, torch.randperm(dim, generator=torch.Generator().manual_seed(1))])
    update[:, 9] = 0
    return x, update


def assert_scores(x, y, *, within=1e-6):
    got, want = scores(of(x, y)), reference(x, y)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name] == pytest.approx(float(value), abs=within), name


@pytest.mark.parametrize("size", [1.0, 3e-4])
def test_massive_and_dead_dimensions_agree_with_qr(size):
    x, update = hard_states()
    x[:, 5] /= 3000 if size < 1 else 1  # where all dimensions count, LS comes near 1
    y = x + size * update
    assert_scores(x, y)
    if size == 1:  # the control: what float32 products would have said
        careless = scores(JointMoments.empty(x.shape[1], exact=False).update(x, y))["update_linearity_raw"]
        assert abs(careless - float(reference(x, y)["update_linearity_raw"])) > 1e-6


def test_near_one_the_error_keeps_three_digits():
    n, dim = 6000, 320
    x = torch.randn(n, dim)
    y = x + 1e-3 * torch.relu(x)
    want = 1 - float(reference(x, y)["linearity_raw"])
    assert 1e-8 < want < 3e-7
    assert 1 - scores(of(x, y))["linearity_raw"] == pytest.approx(want, rel=1e-3)
    # control: float32 products of x and y lose it
    x_c, y_c = x - x.mean(0), y - y.mean(0)
    xx, xy, yy = (x_c.T @ x_c).double(), (x_c.T @ y_c).double(), y_c.square().sum().double()
    naive = float((yy - (xy * torch.linalg.solve(xx, xy)).sum()) / yy)
    assert naive != pytest.approx(want, rel=1e-1)


@pytest.mark.parametrize("case", ["wide and independent", "narrow", "few", "after a layer norm", "massive tokens"])
def test_float32_products_are_made_only_where_they_do(case):
    x = torch.randn(1200 if case != "few" else 400, 300)
    if case == "narrow":
        x = x[:, :100]
    elif case == "after a layer norm":
        x = torch.nn.functional.layer_norm(x, (300,))
    elif case == "massive tokens":
        x[::109, 20:22] += 3000
    moments = of(x, x + torch.relu(x))
    assert float(moments.resolution) == (1e-8 if case == "wide and independent" else 1e-12)


@st.composite
def hard_problems(draw, narrowest, widest, fewest=1000, most=2500):
    """States with massive tokens, a mean that jumps, dead and constant features, updates next to nothing."""
    dim, seed = draw(st.integers(narrowest, widest)), draw(st.integers(0, 2**31))
    torch.manual_seed(seed)
    n = draw(st.integers(fewest, most))
    x = torch.randn(n, dim) * 10 ** (draw(st.sampled_from([0.0, 0.5, 1.0])) * torch.randn(dim))
    start = draw(st.integers(0, n - 20))
    kind = draw(st.sampled_from(["plain", "massive", "jump", "one jumps", "offset"]))
    size = 10 ** draw(st.floats(0, 4))
    if kind == "massive":
        x[start :: draw(st.integers(7, 109)), :2] += size * torch.tensor([1.0, 0.7])
    elif kind == "jump":
        x[start:] += size
    elif kind == "one jumps":
        x[start:, 0] += size
    elif kind == "offset":
        x += size
    update = torch.tanh(x[:, torch.randperm(dim)]) * 10 ** draw(st.floats(-3, 0))
    update = update if draw(st.booleans()) else update + 0.1 * x
    if draw(st.booleans()):
        x[:, 1], update[:, 1] = 7.0, 0
    y = x + update
    if draw(st.booleans()):
        y[:, 2] = 1e4
    if draw(st.booleans()):
        y[:, 3] = x[:, 3] + 100
    if draw(st.booleans()):
        x, y = (states.clamp(-6e4, 6e4).half().float() for states in (x, y))
    return x, y, draw(st.integers(100, 2500))


def blurred(x):
    """Whether standardised features vary in some direction about as little as squares in float64 can still tell."""
    centred = x.double() - x.double().mean(0)
    share = torch.linalg.svdvals(centred / centred.std(0).clamp_min(1e-6)).square()
    return bool(((share > 1e-14 * share[0]) & (share < 1e-10 * share[0])).any())


def assert_every_score_agrees(x, y, rows, *, within):
    moments = JointMoments.empty(x.shape[1])
    for pair in zip(x.split(rows), y.split(rows), strict=True):
        moments.update(*pair)
    got, want = scores(moments), reference(x, y)
    if not (x != x[0]).any():  # an offset in float16 leaves nothing of small states: no map, and so no score
        want |= dict.fromkeys(set(want) - {"norm_ratio", "cosine"}, float("nan"))
    if blurred(x):  # a map of the standardised features is not determined, to any bound
        want = {name: value for name, value in want.items() if not name.endswith("standardised")}
    for name, value in want.items():
        assert got[name] == pytest.approx(float(value), abs=within, nan_ok=True), name
    if want["update_linearity_raw"] < 1 - 1e-3:
        assert 1 - got["linearity_raw"] == pytest.approx(1 - float(want["linearity_raw"]), rel=1e-3, abs=1e-13)


@given(hard_problems(16, 24))
@settings(max_examples=30, deadline=None)
def test_hard_problems_agree_with_qr(problem):
    """So narrow, products are made in float32 for the test alone, and few sums do not average their rounding out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "EXACT_WIDTH", 4)
        assert_every_score_agrees(*problem, within=1e-4)


@pytest.mark.slow
@given(hard_problems(6, 16, 150, 400))
@settings(max_examples=3_000, deadline=None, derandomize=True)
def test_many_hard_problems_agree_with_qr(problem):
    assert_every_score_agrees(*problem, within=1e-6)


@pytest.mark.slow
@given(hard_problems(precision.EXACT_WIDTH + 1, 320))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_wide_hard_problems_agree_with_qr(problem):
    """To 1e-6 in raw scores; to adjust for few tokens multiplies what is left of them, and their rounding with it."""
    assert_every_score_agrees(*problem, within=2e-6)


@pytest.mark.parametrize("late", ["massive", "jump"])
def test_precision_is_looked_at_again(late):
    """What comes after the first batch costs float32 its digits: products are made in float64 from there on."""
    x = torch.randn(4000, 320)
    y = x + 0.3 * torch.tanh(x.roll(1, 1))
    for states in (x, y):
        if late == "jump":
            states[1024:] += 1000
        else:
            states[2000::109, 20:22] += 3000
    moments, seen = JointMoments.empty(320), []
    for pair in zip(x.split(1024), y.split(1024), strict=True):
        moments.update(*pair)
        seen.append(float(moments.resolution))
    got = scores(moments)
    assert (seen[0], seen[-1]) == (RESOLUTION[torch.float32], RESOLUTION[torch.float64])
    for name, value in reference(x, y).items():
        assert got[name] == pytest.approx(float(value), abs=1e-6), name


def test_an_update_of_rounding_is_no_variation():
    x = torch.randn(1500, 300)
    for constant in (1.0, 1e4):
        assert_scores(x, x + constant)


def test_what_does_not_fit_or_is_not_finite_is_refused():
    with pytest.raises(ValueError, match=r"shape \(5, 3\) and \(5, 3\) do not fit moments of width 4: give two"):
        JointMoments.empty(4).update(torch.randn(5, 3), torch.randn(5, 3))
    with pytest.raises(ValueError, match="moments of width 3 cannot be merged into moments of width 4"):
        JointMoments.empty(4).merge(of(*stream(9, 3)))
    with pytest.raises(ValueError, match="no tokens were measured"):
        JointMoments.empty(4).centred()
    x, y = stream(50, 4)
    for bad in (float("nan"), -float("inf")):
        y[7, 2] = bad
        with pytest.raises(ValueError, match="NaN or infinity: look for an overflow"):
            of(x, y)


def test_saved_and_loaded_are_equal_and_a_broken_file_is_refused(tmp_path):
    path, moments = tmp_path / "m.safetensors", of(*stream(100, 5))
    moments.save(path)
    loaded = JointMoments.load(path)
    assert all(torch.equal(getattr(loaded, name), getattr(moments, name)) for name in vars(moments))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"m\.safetensors holds no whole moments .*: measure again"):
        JointMoments.load(path)
