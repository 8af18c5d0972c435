"""Verdicts follow the measurements: either way, mixed, too few."""

import math

import numpy as np
import pytest
from scipy.stats import dunnett, ttest_1samp, ttest_ind

from casebook.verdicts import changes, contrasts, weighted


def test_the_interval_is_that_of_students_t():
    values = np.random.default_rng(0).normal(0.3, 1, 7)
    wanted = ttest_1samp(values, 0).confidence_interval(0.95)
    assert changes(values).interval == pytest.approx((wanted.low, wanted.high), rel=1e-12)
    wider = ttest_1samp(values, 0).confidence_interval(0.99)
    assert changes(values, level=0.99).interval == pytest.approx((wider.low, wider.high), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ([-0.2, -0.21, -0.19], "falls"),
        ([0.2, 0.21, 0.19], "rises"),
        ([-0.5, -0.01, -0.02], "undecided"),
        ([0.2, -0.1, 0.1], "undecided"),
        ([0.0, 0.0], "undecided"),
        ([-0.3], "undecided"),
        ([0.2, 0.21, 0.19, math.nan], "undecided"),  # a run that diverged
    ],
)
def test_a_direction_is_one_that_the_spread_does_not_explain(values, direction):
    assert changes(values).direction == direction


def test_a_missing_change_leaves_a_mean_without_bounds_and_nothing_but_missing_ones_is_refused():
    found = changes([0.1, math.nan, 0.3])
    assert (found.mean, *found.interval) == (pytest.approx(0.2), -math.inf, math.inf)
    with pytest.raises(ValueError, match=r"there is no change to judge: .*all of these are missing"):
        changes([math.nan])


def test_intervals_cover_the_truth_as_often_as_they_say():
    """With no change at all a verdict in either direction is given once in twenty times, and not more often."""
    draws = np.random.default_rng(0).normal(0, 1, (4000, 3))
    wrong = np.mean([changes(draw).direction != "undecided" for draw in draws])
    assert 0.04 < wrong < 0.06


def planted(effects, *, spread, seed=0, runs=6):
    """Runs of a control and of groups whose true effects are known."""
    draw = np.random.default_rng(seed)
    groups = {name: draw.normal(4 + effect, spread, runs).tolist() for name, effect in effects.items()}
    return groups, draw.normal(4, spread, 2 * runs).tolist()


def test_planted_effects_are_found_tiny_ones_are_equal_and_a_large_spread_tells_nothing():
    for spread, verdicts in ((0.003, ["lower", "higher", "equal"]), (1.0, ["not told"] * 3)):
        found = contrasts(*planted({"gain": -0.2, "cost": 0.2, "tiny": 0.001}, spread=spread), margin=0.02)
        assert [one.verdict for one in found.values()] == verdicts


def test_what_is_sure_and_within_the_margin_is_equal():
    groups, control = planted({"tiny": 0.01}, spread=0.001)
    found = contrasts(groups, control, margin=0.02)["tiny"]
    assert 0 < found.low < found.effect < found.high < 0.02
    assert found.verdict == "equal"
    assert contrasts(groups, control, margin=0.005)["tiny"].verdict == "higher"


def test_intervals_are_dunnetts_where_variances_are_equal_and_never_narrower():
    groups, control = planted({"a": 0.1, "b": 0.0}, spread=0.1)
    theirs = dunnett(*groups.values(), control=control, random_state=0).confidence_interval(0.95)
    for place, one in enumerate(contrasts(groups, control, margin=0.02).values()):
        assert one.low <= theirs.low[place] < one.effect < theirs.high[place] <= one.high
        assert one.high - one.low < 1.4 * (theirs.high[place] - theirs.low[place])
    narrow, wide = (contrasts(groups, control, margin=0.02, level=level)["a"] for level in (0.95, 1 - 0.05 / 6))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_all_intervals_of_a_family_cover_together_also_when_one_group_scatters_more():
    """Dunnett's alone would not: its one variance is too small for the group that scatters most."""
    draw = np.random.default_rng(0)
    missed, alone = 0, 0
    for _ in range(60):
        calm, wild, control = (draw.normal(0, *of).tolist() for of in ((0.1, 6), (1, 6), (0.1, 12)))
        groups = {"calm": calm, "wild": wild}
        missed += any(one.low > 0 or one.high < 0 for one in contrasts(groups, control, margin=0.02).values())
        alone += bool((dunnett(*groups.values(), control=control, random_state=0).pvalue < 0.05).any())
    assert missed < 5 < 7 <= alone


def test_a_group_with_a_run_that_diverged_has_no_bounds_and_so_have_all_when_plain_has_one():
    groups, control = planted({"a": -1.0, "b": -1.0}, spread=0.01)
    groups["a"][0] = math.nan
    found = contrasts(groups, control, margin=0.02)
    assert {name: one.verdict for name, one in found.items()} == {"a": "not told", "b": "lower"}
    assert found["a"].effect == pytest.approx(-1, abs=0.02)
    verdicts = {one.verdict for one in contrasts(groups, [math.nan, *control], margin=0.02).values()}
    assert verdicts == {"not told"}
    with pytest.raises(ValueError, match="a: one run has no spread; give two or more of each"):
        contrasts({"a": [1.0]}, control, margin=0.02)


def test_a_weighted_sum_of_two_groups_is_welchs_difference_and_of_three_covers_the_truth():
    draw = np.random.default_rng(0)
    one, other = draw.normal(0, 1, 6).tolist(), draw.normal(0.5, 3, 12).tolist()
    wanted = ttest_ind(one, other, equal_var=False).confidence_interval(0.99)
    found = weighted([(one, 1.0), (other, -1.0)], level=0.99)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
    spreads = ((0.1, 1.0, 6), (1.0, -0.5, 6), (0.3, -0.5, 12))  # the first lies where half of the two others do
    drawn = ([(draw.normal(0, spread, n).tolist(), weight) for spread, weight, n in spreads] for _ in range(2000))
    assert 0.03 < np.mean([weighted(groups).verdict != "not told" for groups in drawn]) < 0.07
    assert weighted([(one, 1.0), ([0.2, math.nan], -1.0)]).verdict == "not told"
    with pytest.raises(ValueError, match="one run has no spread"):
        weighted([([0.1], 1.0), (other, -1.0)])
