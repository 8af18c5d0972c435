import numpy as np
import pandas as pd
import pytest

from casebook import figures
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
    for name, band in zip(("random", "greedy"), ax.collections, strict=True):  # of one run there is no spread
        vertices = pd.DataFrame(band.get_paths()[0].vertices, columns=["layers", "perplexity"]).groupby("layers")
        ends = df[df["order"] == name].groupby("layers")["perplexity"].agg(["min", "max"])
        np.testing.assert_allclose(vertices["perplexity"].agg(["min", "max"]), ends)
    assert ax.get_yscale() == "log"
    assert set(lines["whole model"].get_ydata()) == {5.0}
    assert (show.words_of(ax).count("(greedy)"), show.words_of(ax).count("(random)")) == (3, 3)  # best and worst


def points():
    rng = np.random.default_rng(1)
    kinds = np.repeat(["remove", "affine"], 20)
    return pd.DataFrame({"action": kinds, "decode_ms": rng.uniform(1, 9, 40), "perplexity": rng.uniform(5, 99, 40)})


def test_the_frontier_is_what_nothing_of_its_kind_beats_in_both():
    df = points()
    best = figures.frontier(df)
    for row in df.itertuples():
        mine = df[df["action"] == row.action]
        beaten = ((mine["decode_ms"] < row.decode_ms) & (mine["perplexity"] <= row.perplexity)).any()
        assert (row.Index in best.index) == (not beaten)
    for _, part in best.groupby("action"):
        assert part["decode_ms"].is_monotonic_increasing
        assert (part["perplexity"].diff().iloc[1:] < 0).all()


def test_a_staircase_never_promises_what_no_model_has():
    df = points()
    ax = figures.frontier_plot(df, chosen=df.iloc[3])
    *stairs, ring = ax.lines
    assert [line.get_label() for line in stairs] == ["remove", "affine"]
    for line in stairs:
        assert line.get_drawstyle() == "steps-post"  # to the next model that costs less
        part = figures.frontier(df).query(f"action == '{line.get_label()}'")
        np.testing.assert_array_equal(line.get_xydata(), part[["decode_ms", "perplexity"]])
    assert ring.get_xydata().tolist() == [[df["decode_ms"][3], df["perplexity"][3]]]
