"""Figures of training: every value where it is, means and ranges right, diverged runs left out, words from data."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from casebook import figures
from casebook.figures import spread_plot
from linstudy import show
from linstudy.show import words_of

pytestmark = pytest.mark.usefixtures("book_style")


def line_of(ax, name):
    (line,) = (line for line in ax.lines if line.get_label() == name)
    return line


def test_every_value_is_a_dot_and_every_row_has_its_mean_range_and_band_of_chance():
    rows = [("plain", 3.0, 1.0), ("plain", 5.0, 1.0), ("cosine", 1.0, 0.5), ("cosine", 2.0, 0.5), ("mse", 7.0, 6.0)]
    df = pd.DataFrame(rows, columns=["variant", "loss", "low"]).assign(high=8.0)
    ax = spread_plot(df, x="loss", row="variant", reference=(4.0, "plain"), chance=("low", "high"))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["plain", "cosine", "mse"]
    dots, means = (next(line for line in ax.lines if line.get_marker() == mark) for mark in ".o")
    assert sorted(map(tuple, dots.get_xydata())) == [(1, 1), (2, 1), (3, 0), (5, 0), (7, 2)]
    assert list(means.get_xdata()) == [4.0, 1.5, 7.0]
    assert list(line_of(ax, "plain").get_xdata()) == [4.0, 4.0]
    chance, ranges = ([path.vertices[:, 0].tolist() for path in of.get_paths()] for of in ax.collections[:2])
    assert chance == [[1.0, 8.0], [0.5, 8.0], [6.0, 8.0]]
    assert ranges == [[3.0, 5.0], [1.0, 2.0], [7.0, 7.0]]
    assert "lowest 1.50 (cosine), highest 7.00 (mse)" in words_of(ax)


def test_scores_stand_side_by_side_in_looks_of_their_own_and_rows_fall_by_the_first():
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"model": [f"family {i // 6}" for i in range(174)]})
    df = df.assign(update_linearity=rng.uniform(-0.3, 1, size=174), linearity=rng.uniform(size=174))
    long = show.named(df).melt("model", var_name="score", value_name="share")
    ax = spread_plot(long, x="share", row="model", hue="score", falling=True)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == list(df.groupby("model").update_linearity.mean().sort_values(ascending=False).index)
    first, second = lines = [line_of(ax, show.label(score)) for score in ("update_linearity", "linearity")]
    assert (np.array(first.get_ydata()) < np.array(second.get_ydata())).all()
    assert first.get_marker() != second.get_marker()
    assert first.get_color() != second.get_color()
    for line, score, ranges in zip(lines, ("update_linearity", "linearity"), ax.collections, strict=True):
        of_model = df.groupby("model")[score]
        np.testing.assert_allclose(line.get_xdata(), of_model.mean()[names])
        ends = of_model.agg(["min", "max"]).loc[names]
        np.testing.assert_allclose([path.vertices[:, 0] for path in ranges.get_paths()], ends)
    ax.figure.canvas.draw()
    boxes = sorted((tick.get_window_extent() for tick in ax.get_yticklabels()), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))  # every name has room
    assert min(box.x0 for box in boxes) >= 0


def test_a_cell_has_the_colour_of_its_share_and_white_is_nothing():
    shares = pd.DataFrame([[0.5, 0.0, -0.25], [1.0, 0.5, 0.75]], index=["embedding", "layer 1"])
    ax = figures.share_map(shares, x="token")
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), shares)
    assert image.norm(0) == 0.5
    assert [text.get_text() for text in ax.get_yticklabels()] == ["embedding", "layer 1"]
    assert words_of(ax.figure).endswith("means: embedding 0.0833, layer 1 0.750.")


def test_step_0_has_its_place_and_the_steps_are_on_a_log_axis():
    df = pd.DataFrame({"step": [0, 1, 10, 100] * 2, "linearity": [1.0, 0.9, 0.8, 0.7, 0.8, 0.7, 0.6, 0.5]})
    ax = figures.steps_plot(df, y="linearity")
    place = [ax.transData.transform((step, 0))[0] for step in (0, 1, 10, 100)]
    assert place[0] < place[1]
    assert place[3] - place[2] == pytest.approx(place[2] - place[1], rel=0.01)
    assert list(ax.lines[0].get_ydata()) == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert {"0", "1", "10", "100"} <= {tick.get_text() for tick in ax.get_xticklabels()}


def test_the_lowest_loss_of_each_line_has_a_ring_and_diverged_runs_are_left_out():
    rows = [("plain", 0.01, 3.0), ("plain", 0.02, 2.0), ("plain", 0.04, np.nan), ("mse", 0.01, 1.0), ("mse", 0.02, 1.5)]
    ax = figures.rates_plot(pd.DataFrame(rows, columns=["variant", "rate", "validation_nats"]), hue="variant")
    assert list(line_of(ax, "plain").get_xdata()) == [0.01, 0.02]
    rings = {tuple(line.get_xydata()[0]) for line in ax.lines if line.get_markersize() == 11}
    assert rings == {(0.02, 2.0), (0.01, 1.0)}
    assert "plain: lowest 2.000 at 0.02; mse: lowest 1.000 at 0.01" in words_of(ax)


def test_with_the_loss_as_clock_every_run_is_a_line_through_its_steps_in_order():
    rows = [
        (variant, seed, step, 3.0 - loss, score + layer)
        for variant, seed in (("plain", 0), ("plain", 1), ("mse", 0))
        for step, loss, score in ((2, 1.5, 0.1), (0, 0.0, 0.3 + 0.1 * seed), (1, 1.0, 0.5))
        for layer in (-0.1, 0.1)
    ]
    df = pd.DataFrame(rows, columns=["variant", "seed", "step", "validation_nats", "linearity"])
    ax = figures.path_plot(df, y="linearity", hue="variant")
    lines = [line for line in ax.lines if line.get_markersize() == 4]
    for line, first in zip(lines, (0.3, 0.4, 0.3), strict=True):  # layers averaged, seeds not
        np.testing.assert_allclose(line.get_xydata(), [[3.0, first], [2.0, 0.5], [1.5, 0.1]])
    assert {line.get_label() for line in lines} >= {"plain", "mse"}
    left, right = ax.get_xlim()
    assert left > right  # the loss falls to the right, as time goes
    assert "plain: from 0.350 at 3.00 to 0.100 at 1.50, lowest 0.100 at 1.50, highest 0.500 at 2.00" in words_of(ax)


def test_bands_lie_between_their_columns_and_infinite_ones_are_left_out():
    rows = [("a", 10, 1.0, 0.5, 2.0), ("a", 100, -1.0, -1.5, -0.5), ("b", 10, 0.1, -np.inf, np.inf)]
    df = pd.DataFrame(rows, columns=["variant", "amount", "effect", "low", "high"])
    ax = figures.band_plot(df, x="amount", y="effect", hue="variant", reference=(0.0, "plain"))
    assert list(line_of(ax, "a").get_ydata()) == [1.0, -1.0]
    assert list(line_of(ax, "plain").get_ydata()) == [0.0, 0.0]
    spans = [[path.vertices[:, 1].tolist() for path in lines.get_paths()] for lines in ax.collections[1::2]]
    assert spans[0] == [[0.5, 2.0], [-1.5, -0.5]]
    assert np.isnan(spans[1]).all()
    assert "a: 1.00 (0.500 to 2.00) at 10, -1.00 (-1.50 to -0.500) at 100" in words_of(ax)


def test_runs_are_dots_beside_a_curve_and_what_a_log_axis_cannot_show_is_counted():
    runs = pd.DataFrame({"labels": ["true", "true", "none"], "nats": [0.5, 2.0, -0.1], "rise": [0.1, 0.3, 0.2]})
    curve = pd.DataFrame({"nats": [4.0, -1.0, 1.0], "rise": [0.4, 0.0, 0.1]}).assign(low=0.0, high=0.5)
    ax = figures.dots_and_curve(runs, x="nats", y="rise", hue="labels", curve=curve, name="errors")
    assert line_of(ax, "true").get_xydata().tolist() == [[0.5, 0.1], [2.0, 0.3]]
    assert len(line_of(ax, "none").get_xydata()) == 0
    assert line_of(ax, "errors").get_xydata().tolist() == [[1.0, 0.1], [4.0, 0.4]]
    assert ax.get_xscale() == "log"
    assert "1 not drawn" in words_of(ax)
    assert show.words.table_of(ax)["nats"].tolist() == [0.5, 2.0, -0.1]
