import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import figures
from linstudy import show
from linstudy.show.words import number

pytestmark = pytest.mark.usefixtures("book_style")


def layers(model="a", count=4, seed=0, largest=0.9):
    rng = np.random.default_rng(seed)
    ratio, res = rng.uniform(0.01, largest, count), rng.uniform(0.2, 0.9, count)
    scores = {"update_ratio": ratio, "update_linearity": res, "linearity": 1 - (1 - res) * ratio}
    return pd.DataFrame({"model": model, "layer": range(1, count + 1), **scores})


TWO = pd.concat([layers("a"), layers("b", seed=1)])


def tracks(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_layers_stand_where_their_numbers_say_joined_in_their_order():
    ax = figures.identity_plane(TWO.sample(frac=1, random_state=0))
    for name, part in TWO.groupby("model"):
        np.testing.assert_allclose(tracks(ax)[name].get_xydata(), part[["update_ratio", "update_linearity"]])
    assert ax.get_xscale() == "log"
    assert len({(line.get_color(), line.get_marker()) for line in tracks(ax).values()}) == 2
    assert figures.identity_plane(layers(), hue=None, ax=plt.figure().gca()).get_legend() is None
    df = pd.concat([layers(), layers(seed=5)])  # rows of one layer are averaged
    (line,) = tracks(figures.identity_plane(df, ax=plt.figure().gca())).values()
    np.testing.assert_allclose(line.get_xydata(), df.groupby("layer")[["update_ratio", "update_linearity"]].mean())
    named = [text.get_text().strip() for text in ax.texts if re.fullmatch(r" ?(LS )?[\d.]+", text.get_text())][2:]
    assert named[0].startswith("LS ")
    shown = {one.removeprefix("LS ") for one in named}
    assert {"0.9", "0.5"} <= shown <= {"0", "0.5", "0.9", "0.99", "0.999", "0.9999"}


@pytest.mark.parametrize("largest", [0.02, 0.9, 30.0])
def test_every_line_and_shade_follows_the_identity(largest):
    ax = figures.identity_plane(layers(largest=largest, count=8))
    curves = [line.get_xydata().T for line in ax.lines if line.get_label().startswith("_")]
    found = [1 - (1 - res) * ratio for ratio, res in curves]
    assert len(found) >= 2
    for scores in found:
        np.testing.assert_allclose(scores, scores[0], atol=1e-9)
    # Darker is more linear: a shade lies over all that scores at least its line, and over nothing else.
    points = np.random.default_rng(0).uniform(size=(500, 2))
    inside = ax.transAxes.transform(points)
    ratio, res = ax.transData.inverted().transform(inside).T
    depth = sum(np.array([patch.get_path().contains_points(np.c_[ratio, res])]) for patch in ax.patches)[0]
    scores = 1 - (1 - res) * ratio
    drawn = np.array([values[0] for values in found])
    clear = np.abs(scores[:, None] - drawn).min(1) > 0.02 * (1 - scores)  # a shade is a polygon, not a curve
    expected = (scores[:, None] > drawn).sum(1)
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(depth[clear], expected[clear])


@pytest.mark.parametrize("layer", [1, 4])
def test_a_highlight_writes_the_three_numbers_beside_the_layer_and_moves_nothing(layer):
    plain = figures.identity_plane(TWO)
    ax = figures.identity_plane(TWO, highlight=("b", np.int64(layer)), ax=plt.figure().gca())
    row = TWO[(TWO.model == "b") & (TWO.layer == layer)].iloc[0]
    note = ax.texts[-1]
    assert note.get_text() == (
        f"layer {layer}\nratio {number(row.update_ratio)}\n"
        rf"LS$_\mathrm{{res}}$ {number(row.update_linearity)}" + f"\nLS {number(row.linearity)}"
    )
    ring = ax.lines[-1].get_xydata()
    np.testing.assert_allclose(ring, [[row.update_ratio, row.update_linearity]])
    assert tracks(ax)["b"].get_alpha() == 1 > tracks(ax)["a"].get_alpha()
    assert (ax.get_xlim(), ax.get_ylim()) == (plain.get_xlim(), plain.get_ylim())
    ax.figure.canvas.draw()
    corners = note.get_bbox_patch().get_window_extent().corners()
    assert all(ax.figure.bbox.contains(*corner) for corner in corners)
    assert plain.figure.get_size_inches().tolist() == ax.figure.get_size_inches().tolist()


def test_a_highlight_that_is_not_in_the_table_is_named():
    with pytest.raises(ValueError, match="highlight names 'c', and the table has 'a', 'b'"):
        figures.identity_plane(TWO, highlight=("c", 1))
    with pytest.raises(ValueError, match=r"highlight names layer 9 of 'a', which has \[1, 2, 3, 4\]"):
        figures.identity_plane(TWO, highlight=("a", 9))


def test_words_are_those_of_the_table():
    def said(df, **options):
        return show.words_of(figures.identity_plane(df, ax=plt.figure().gca(), **options))

    df = pd.DataFrame({"model": ["a", "a"], "layer": [1, 2], "update_ratio": [0.5, 0.2]})
    df = df.assign(update_linearity=[0.2, 0.2], linearity=[0.6, 0.84])
    assert said(df).endswith("a: update ratio 0.200 to 0.500, LS_res 0.200, LS 0.600 to 0.840.")
    assert "LS is 0.840, since 1 - 0.840 = (1 - 0.200) · 0.200, where LS_res" in said(df, highlight=("a", 2))
    assert said(df, hue=None, highlight=(None, 2)).startswith("layer 2, on the plane")
