import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from linstudy import show

pytestmark = pytest.mark.usefixtures("book_style")


def errors(layers=3, tokens=4000, dims=16):
    """Errors that are chi distributed in the first layer and have ever longer tails in the next."""
    rng = np.random.default_rng(0)
    gauss = np.sqrt(rng.chisquare(dims, size=(layers, tokens)))
    longer = gauss ** np.arange(1, layers + 1)[:, None]
    return pd.concat(pd.DataFrame({"layer": i + 1, "relative_error": row}) for i, row in enumerate(longer))


def test_a_curve_is_the_share_of_tokens_with_at_least_that_error():
    df = errors()
    ax = show.tail_plot(df)
    for layer, line in enumerate(ax.lines, start=1):
        values = df[df.layer == layer].relative_error.to_numpy()
        for error, share in line.get_xydata():
            assert np.mean(values >= error) == pytest.approx(share)
        assert line.get_xdata().max() == values.max()  # down to the rarest
        assert line.get_ydata().min() == pytest.approx(1 / 4000)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    assert ax.get_legend_handles_labels()[1] == ["layer 1", "layer 3"]


def test_a_gaussian_error_lies_on_the_control_and_a_long_tail_does_not():
    ax = show.tail_plot(errors(), dims=16)
    *curves, control = ax.lines
    assert control.get_label() == "Gaussian"

    def off(line, below=0.9, above=0.005):
        values, shares = line.get_data()
        seen = (shares < below) & (shares > above)
        return np.abs(np.log(np.interp(values[seen], *control.get_data()) / shares[seen])).max()

    assert off(curves[0]) < 0.3
    assert off(curves[2]) > 2
    root_mean_squares = [np.sqrt(np.mean(part.relative_error**2)) for _, part in errors().groupby("layer")]
    for line, unit, (_, part) in zip(curves, root_mean_squares, errors().groupby("layer"), strict=True):
        assert line.get_xdata().max() == pytest.approx(part.relative_error.max() / unit)


def test_tail_words_name_first_last_and_longest():
    def words(df):
        return show.words_of(show.tail_plot(df, ax=plt.figure().gca()))

    df = errors(layers=3)
    said = words(df[df.layer != 3])
    assert said.startswith("Relative error of the tokens, 2 curves, one a layer: layer 1: half of the tokens 3.")
    assert "; layer 2, the longest tail: half" in said
    assert words(df.assign(layer=4 - df.layer)).count("the longest tail") == 1
    assert "layer 1, the longest tail" in words(df.assign(layer=4 - df.layer))
    assert "longest" not in words(df[df.layer == 1])


def test_a_token_that_is_met_exactly_is_counted_not_drawn():
    df = pd.DataFrame({"layer": 1, "relative_error": [0.0, 0.0, 0.5, 1.0]})
    shares = dict(show.tail_plot(df).lines[0].get_xydata())
    assert shares[0.5] == 0.5
    assert shares[1.0] == 0.25


def test_errors_that_a_log_axis_cannot_show_are_named():
    df = errors(layers=2)
    for bad in (-1.0, np.nan, 0.0):
        with pytest.raises(ValueError, match="relative_error of layer 2 cannot be drawn on a log axis: errors above 0"):
            show.tail_plot(df.assign(relative_error=df.relative_error.where(df.layer == 1, bad)))


def families(count=29):
    rng = np.random.default_rng(0)
    rows = [
        {"model": f"family {i}", "layer": layer, "seed": seed, "corpus": "stories"}
        | dict(zip(("update_linearity", "linearity"), np.sort(rng.uniform(size=2)), strict=True))
        for i in range(count)
        for layer in (1, 2, 3)
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows)


def test_a_family_is_a_row_with_a_dot_a_layer_and_a_line_over_all():
    df = families(4)
    ax = show.family_plot(df)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == list(df.groupby("model").update_linearity.mean().sort_values(ascending=False).index)
    assert ax.yaxis_inverted()  # the first row is on top
    for score, dots, ranges in zip(("linearity", "update_linearity"), ax.lines, ax.collections, strict=True):
        means = df.groupby(["model", "layer"])[score].mean()
        np.testing.assert_allclose(dots.get_xdata(), np.concatenate([means[name] for name in names]))
        assert [round(height) for height in dots.get_ydata()] == np.repeat(range(4), 3).tolist()
        for name, segment in zip(names, ranges.get_segments(), strict=True):
            part = df[df.model == name][score]
            np.testing.assert_allclose(segment[:, 0], [part.min(), part.max()])
    above, below = (dots.get_ydata() for dots in ax.lines)
    assert (above < below).all()  # the two scores of a row do not cover each other
    assert len({(dots.get_color(), dots.get_marker()) for dots in ax.lines}) == 2
    assert [one.get_text() for one in ax.get_legend().get_texts()] == [
        show.label("linearity"),
        show.label("update_linearity"),
    ]


def test_every_row_has_room_for_its_name():
    ax = show.family_plot(families())
    ax.figure.canvas.draw()
    boxes = sorted((label.get_window_extent() for label in ax.get_yticklabels()), key=lambda box: box.y0)
    assert len(boxes) == 29
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    edge = ax.figure.bbox
    legend = ax.get_legend().get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= edge.x1
    assert min(box.x0 for box in boxes) >= 0
    given = plt.figure(figsize=(4, 4)).gca()
    assert show.family_plot(families(), ax=given) is given
    assert given.figure.get_size_inches().tolist() == [4, 4]


def test_family_words_name_the_lowest_and_the_highest():
    df = pd.DataFrame({"model": ["a", "b"], "layer": 1, "linearity": [0.5, 0.25], "update_linearity": [0.125, 0.25]})
    assert show.words_of(show.family_plot(df)) == (
        "A row for each of 2, with the mean over the layers of linearity, LS (adjusted): lowest 0.250 (b), highest "
        "0.500 (a); update linearity, LS_res (adjusted): lowest 0.125 (a), highest 0.250 (b)."
    )
