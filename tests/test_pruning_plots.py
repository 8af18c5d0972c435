import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from linstudy import show

pytestmark = pytest.mark.usefixtures("book_style")


def budgets():
    rng = np.random.default_rng(0)
    rows = [
        {"order": order, "layers": layers, "seed": seed, "perplexity": 5 * factor**layers * rng.uniform(0.9, 1.1)}
        for order, factor in (("greedy", 1.5), ("linearity", 2.0), ("norm_ratio", 2.5), ("random", 4.0))
        for layers in (1, 2, 4)
        for seed in (range(3) if order == "random" else [0])
    ]
    return pd.DataFrame(rows)


def test_a_line_is_the_geometric_mean_of_its_seeds_in_a_band_over_them():
    df = budgets()
    ax = show.budget_plot(df, highlight=["random", "greedy"], whole=5.0)
    lines = {line.get_label(): line for line in ax.lines}
    assert set(lines) == {"random", "greedy", "others", "_child1", "whole model"}
    assert len({lines[name].get_color() for name in ("others", "_child1")}) == 1
    for name in ("random", "greedy"):
        part = df[df["order"] == name].groupby("layers")["perplexity"]
        assert lines[name].get_xdata().tolist() == [1, 2, 4]
        np.testing.assert_allclose(lines[name].get_ydata(), part.prod() ** (1 / part.size()))
    assert len({(lines[name].get_color(), lines[name].get_marker()) for name in ("random", "greedy")}) == 2
    random, greedy = (band.get_paths()[0].vertices for band in ax.collections)
    part = df[df["order"] == "random"].groupby("layers")["perplexity"]
    for layers in (1, 2, 4):
        heights = random[random[:, 0] == layers, 1]
        assert heights.min() == pytest.approx(part.min()[layers])
        assert heights.max() == pytest.approx(part.max()[layers])
        assert np.ptp(greedy[greedy[:, 0] == layers, 1]) == pytest.approx(0)  # one run has no spread
    assert ax.get_yscale() == "log"
    assert set(lines["whole model"].get_ydata()) == {5.0}


def test_budget_words_name_the_best_and_the_worst_at_every_number_of_layers():
    df = budgets()
    said = show.words_of(show.budget_plot(df, whole=5.0))
    assert said.startswith("Perplexity by layers gone, a line for each order; whole model 5.00; 1 gone: lowest ")
    assert said.count("(greedy), largest ") == 3
    assert said.count("(random)") == 3
    alone = show.budget_plot(df[df["order"] == "greedy"], ax=plt.figure().gca())
    assert "largest" not in show.words_of(alone)


def points():
    rng = np.random.default_rng(1)
    kinds = np.repeat(["remove", "affine"], 20)
    return pd.DataFrame({"action": kinds, "decode_ms": rng.uniform(1, 9, 40), "perplexity": rng.uniform(5, 99, 40)})


def test_the_frontier_is_what_nothing_of_its_kind_beats_in_both():
    df = points()
    best = show.frontier(df)
    for row in df.itertuples():
        mine = df[df["action"] == row.action]
        beaten = ((mine["decode_ms"] < row.decode_ms) & (mine["perplexity"] <= row.perplexity)).any()
        assert (row.Index in best.index) == (not beaten)
    for _, part in best.groupby("action"):
        assert part["decode_ms"].is_monotonic_increasing
        assert (part["perplexity"].diff().iloc[1:] < 0).all()


def test_a_staircase_never_promises_what_no_model_has():
    df = points()
    ax = show.frontier_plot(df, chosen=df.iloc[3])
    *stairs, ring = ax.lines
    assert [line.get_label() for line in stairs] == ["remove", "affine"]
    for line in stairs:
        assert line.get_drawstyle() == "steps-post"  # to the next model that costs less
        part = show.frontier(df).query(f"action == '{line.get_label()}'")
        np.testing.assert_array_equal(line.get_xydata(), part[["decode_ms", "perplexity"]])
    assert ring.get_xydata().tolist() == [[df["decode_ms"][3], df["perplexity"][3]]]
    said = show.words_of(ax)
    assert said.startswith("Lowest perplexity that is to be had, by time a new token, ms, a staircase for each action:")
    assert said.count(" down to ") == 2


def agreement():
    rows = [
        {"score": score, "action": action, "shard": shard, "tau": tau + spread * (shard - 1)}
        for score, tau, spread in (("linearity", -0.5, 0.2), ("norm_ratio", 0.75, 0.1), ("cca_bound", 0.0, 0.5))
        for action in ("remove", "affine")
        for shard in range(3)
    ]
    return pd.DataFrame(rows)


def test_a_score_is_a_row_with_its_mean_and_its_range():
    ax = show.agreement_plot(agreement())
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["norm ratio", "cca bound", "linearity"]  # from the highest down
    assert ax.yaxis_inverted()
    for line, ranges in zip(ax.lines, ax.collections, strict=False):
        np.testing.assert_allclose(line.get_xdata(), [0.75, 0, -0.5], atol=1e-12)
        ends = [segment[:, 0].tolist() for segment in ranges.get_segments()]
        np.testing.assert_allclose(ends, [[0.65, 0.85], [-0.5, 0.5], [-0.7, -0.3]])
    above, below = (line.get_ydata() for line in ax.lines[:2])
    assert (above < below).all()
    ax.figure.canvas.draw()
    boxes = sorted((text.get_window_extent() for text in ax.get_yticklabels()), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0
    said = show.words_of(ax)
    assert "remove: norm ratio 0.75, cca bound 0.00, linearity -0.50; affine: norm ratio 0.75" in said
