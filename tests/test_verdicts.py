"""Verdicts follow the measurements: either way, mixed, too few; the paper's tables are those that it prints."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from linstudy.study.results import paper_table
from linstudy.study.verdicts import changes, verdict


def test_the_interval_is_that_of_students_t():
    values = np.random.default_rng(0).normal(0.3, 1, 7)
    wanted = ttest_1samp(values, 0).confidence_interval(0.95)
    assert changes(values).interval == pytest.approx((wanted.low, wanted.high), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ([-0.2, -0.21, -0.19], "falls"),
        ([0.2, 0.21, 0.19], "rises"),
        ([-0.5, -0.01, -0.02], "undecided"),
        ([0.2, -0.1, 0.1], "undecided"),
        ([0.0, 0.0], "undecided"),
        ([-0.3], "undecided"),
    ],
    ids=["down", "up", "down by chance", "mixed", "nothing", "one seed"],
)
def test_a_direction_is_one_that_the_spread_does_not_explain(values, direction):
    assert changes(values).direction == direction


def test_missing_changes_are_left_out_and_nothing_but_missing_ones_is_refused():
    assert changes([0.1, math.nan, 0.3]).mean == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"there is no change to judge: .*all of these are missing"):
        changes([math.nan])


def test_intervals_cover_the_truth_as_often_as_they_say():
    """With no change at all a verdict in either direction is given once in twenty times, and not more often."""
    draws = np.random.default_rng(0).normal(0, 1, (4000, 3))
    wrong = np.mean([changes(draw).direction != "undecided" for draw in draws])
    assert 0.04 < wrong < 0.06


def test_a_claim_about_everything_takes_everything_and_falls_with_one():
    assert verdict("rises", ["rises", "rises"]) == "confirmed"
    assert verdict("rises", ["rises", "undecided"]) == "undecided"
    assert verdict("rises", ["rises", "undecided", "falls"]) == "contradicted"
    assert verdict("falls", ["falls", "rises"]) == "contradicted"
    assert verdict("falls", []) == "undecided"
    with pytest.raises(ValueError, match=r"the claim is 'sinks'; it must be 'falls' or 'rises'"):
        verdict("sinks", [])


def test_table_1_of_the_paper_has_its_28_cells():
    table = paper_table(1)
    assert table.groupby("task").model.nunique().to_dict() == dict.fromkeys(
        ("MultiRC", "BoolQ", "CB", "reward modelling"), 7
    )
    assert (table.change > 0).all()  # "all values strictly positive"
    cell = table.set_index(["model", "task"]).loc[("OPT-1.3B", "BoolQ")]
    assert (cell.change, cell.deviation) == (0.382, 0.004)
    assert (table.change / table.deviation).min() < 1.5  # and not every one of them is clear of 0
    with pytest.raises(ValueError, match=r"table 9 of the paper is not here; those that are: 1"):
        paper_table(9)
