import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import figures
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
    ax = figures.tail_plot(df)
    for layer, line in enumerate(ax.lines, start=1):
        values = df[df.layer == layer].relative_error.to_numpy()
        for error, share in line.get_xydata():
            assert np.mean(values >= error) == pytest.approx(share)
        assert line.get_xdata().max() == values.max()  # down to the rarest
        assert line.get_ydata().min() == pytest.approx(1 / 4000)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    assert ax.get_legend_handles_labels()[1] == ["layer 1", "layer 3"]
    exact = pd.DataFrame({"layer": 1, "relative_error": [0.0, 0.0, 0.5, 1.0]})  # counted, and on no log axis
    assert [0.5, 0.5] in figures.tail_plot(exact, ax=plt.figure().gca()).lines[0].get_xydata().tolist()


def test_a_gaussian_error_lies_on_the_control_and_a_long_tail_does_not():
    ax = figures.tail_plot(errors(), dims=16)
    *curves, control = ax.lines
    assert control.get_label() == "Gaussian"

    def off(line, below=0.9, above=0.005):
        values, shares = line.get_data()
        seen = (shares < below) & (shares > above)
        return np.abs(np.log(np.interp(values[seen], *control.get_data()) / shares[seen])).max()

    assert off(curves[0]) < 0.3
    assert off(curves[2]) > 2
    for line, (_, of_layer) in zip(curves, errors().groupby("layer").relative_error, strict=True):
        assert line.get_xdata().max() == pytest.approx(of_layer.max() / np.sqrt(np.mean(of_layer**2)))


def test_words_name_the_longest_tail_and_errors_that_a_log_axis_cannot_show_are_told():
    df = errors(layers=2)
    for places, longest in ((df, 2), (df.assign(layer=3 - df.layer), 1)):
        assert f"layer {longest}, the longest tail" in show.words_of(figures.tail_plot(places, ax=plt.figure().gca()))
    for bad in (-1.0, np.nan, 0.0):
        with pytest.raises(ValueError, match="relative_error of layer 2 cannot be drawn on a log axis: errors above 0"):
            figures.tail_plot(df.assign(relative_error=df.relative_error.where(df.layer == 1, bad)))
