import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import figures
from linstudy import show
from linstudy.show.look import place_legend
from linstudy.show.words import number

pytestmark = pytest.mark.usefixtures("book_style")


def profile(model="a", layers=4, seed=0, floor=0.1):
    """A table with the columns of a profile, its scores tied by the identity."""
    rng = np.random.default_rng(seed)
    ratio, res = rng.uniform(0.05, 0.9, layers), rng.uniform(0.2, 0.9, layers)
    scores = {"linearity": 1 - (1 - res) * ratio - 0.01, "linearity_raw": 1 - (1 - res) * ratio}
    scores |= {"update_linearity_raw": res, "update_ratio": ratio, "norm_ratio": np.sqrt(ratio)}
    return pd.DataFrame({"model": model, "layer": range(1, layers + 1), "floor": floor} | scores)


def test_profile_plot_draws_the_column_on_the_axes_it_is_given():
    df = profile()
    _, ax = plt.subplots()
    assert show.profile_plot(df, ax=ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), df[["layer", "linearity"]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("layer", show.label("linearity"))
    assert ax.get_ylim()[0] == 0  # so that figures compare
    for layers in (4, 48):
        ticks = show.profile_plot(profile(layers=layers), ax=plt.figure().gca()).get_xticks()
        assert len(ticks) <= 10
        assert set(ticks) <= set(range(1, layers + 1))


def test_letters_can_be_read_on_a_phone_and_the_look_ends_with_its_block():
    with plt.rc_context({"font.size": 5, "figure.figsize": (9, 9)}):
        with plt.rc_context():
            show.style()
            sizes = ("font.size", "axes.labelsize", "axes.titlesize", "legend.fontsize", "xtick.labelsize")
            share = min(plt.rcParams[size] for size in sizes) / 72 / plt.rcParams["figure.figsize"][0]
            assert 310 * share >= 11  # pixels: a phone 375 wide gives a figure 310
        assert (plt.rcParams["font.size"], plt.rcParams["figure.figsize"]) == (5, [9, 9])


def test_lines_of_a_hue_differ_in_more_than_colour():
    df = pd.concat([profile(name, seed=i) for i, name in enumerate("abc")])
    ax = show.profile_plot(df, hue="model")
    handles, names = ax.get_legend_handles_labels()
    assert names == ["a", "b", "c"]
    for name, line in zip("abc", ax.lines, strict=False):
        np.testing.assert_allclose(line.get_ydata(), df[df.model == name].linearity)
    looks = [(line.get_marker(), line.get_color(), str(line._dash_pattern)) for line in ax.lines[:3]]
    assert [len(set(of)) for of in zip(*looks, strict=True)] == [3, 3, 3]
    assert [handle.get_marker() for handle in handles] == [marker for marker, *_ in looks]


def test_seeds_are_averaged_in_a_band_beside_the_control_and_the_floor_lies_under_raw_scores():
    df, control = pd.concat([profile(seed=seed) for seed in range(3)]), profile(seed=9)
    for y in ("linearity", "linearity_raw"):
        ax = show.profile_plot(df, y=y, control=control, ax=plt.figure().gca())
        grouped = df.groupby("layer")[y]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), grouped.mean())
        heights = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx((grouped.min().min(), grouped.max().max()))
        (line,) = (line for line in ax.lines if line.get_label() == "random weights")
        np.testing.assert_array_equal(line.get_ydata(), control[y])
        assert line.get_linestyle() == "--"
        assert ("unrelated data" in ax.get_legend_handles_labels()[1]) == (y == "linearity_raw")
    assert ax.collections[-1].get_paths()[0].vertices[:, 1].max() == pytest.approx(0.1)


TABLE = pd.DataFrame({"model": ["a"], "layer": 1, "linearity_heldout": np.nan, "perplexity": 1.0, "rate": 0.1})
PLOTS = (show.profile_plot, show.budget_plot, figures.sweep_plot, figures.known_answers_plot, figures.ablation_plot)
PLOTS += (figures.identity_plane, figures.frontier_plot, figures.tail_plot, figures.rates_plot)


@pytest.mark.parametrize("draw", PLOTS)
def test_a_column_that_is_not_there_or_without_a_value_is_named(draw):
    with pytest.raises(
        ValueError, match=r"the table has no column '\w+'; it has model, layer, linearity_heldout, perpl"
    ):
        draw(TABLE, **{"hue": "model"} if draw is figures.rates_plot else {})
    with pytest.raises(ValueError, match="'linearity_heldout' holds no value in the table's 1 rows; measure with held"):
        show.profile_plot(TABLE, y="linearity_heldout")


def test_sweep_plot_shows_bias_correction_floor_and_truth():
    floor = 100 / np.array([199, 999, 9999])
    df = pd.DataFrame({"tokens": [200, 1000, 10_000], "linearity": 0.6, "floor": floor})
    df = df.assign(linearity_raw=1 - 0.4 * (1 - floor), linearity_heldout=0.6 - floor / 2)
    ax = figures.sweep_plot(df, truth=0.6)
    for line, column in zip(ax.lines, ["linearity_raw", "linearity", "linearity_heldout"], strict=False):
        np.testing.assert_allclose(line.get_ydata(), df[column])
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines["unrelated data"] == list(floor)
    assert set(lines["true value"]) == {0.6}
    assert ax.get_legend_handles_labels()[1] == ["raw", "adjusted", "held out", "true value", "unrelated data"]
    assert f"raw {number(df.linearity_raw[0])} at 200 to {number(df.linearity_raw[2])} at" in show.words_of(ax)


def test_known_answers_plot_puts_means_and_ranges_beside_the_diagonal():
    df = pd.DataFrame({"data": "noisy", "answer": [0.5, 0.5, 0.9], "linearity": [0.4, 0.6, 0.8]})
    ax = figures.known_answers_plot(df)
    diagonal, (points, _, (bars,)) = ax.lines[0], ax.containers[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_allclose(points.get_xydata(), [[0.5, 0.5], [0.9, 0.8]])
    np.testing.assert_allclose([segment[:, 1] for segment in bars.get_segments()], [[0.4, 0.6], [0.8, 0.8]])
    assert ax.get_legend_handles_labels()[1] == ["exact", "noisy"]
    assert "off by 0.100 at most" in show.words_of(ax)


def test_probes_stand_beside_random_weights_words_alone_and_a_constant():
    known = {"probe": [0.6, 0.9], "probe of random weights": [0.5, 0.4]}
    known |= {"probe, mean of the embeddings": [0.7], "constant": [0.25, 0.35]}
    rows = [(name, at, value, "plain") for name, values in known.items() for at, value in enumerate(values)]
    ax = figures.probe_plot(pd.DataFrame(rows, columns=["predictor", "layer", "accuracy", "variant"]), hue="variant")
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn["random weights"] == [0.5, 0.4]
    assert drawn["words alone"] == [0.7, 0.7]
    assert drawn["constant"] == pytest.approx([0.3, 0.3])
    assert [0.6, 0.9] in [list(line.get_ydata()) for line in ax.lines]


def ablations():
    names = ["all tokens", *(f"first {k} left out" for k in (1, 2, 4, 8)), "outliers left out"]
    return pd.concat(profile(seed=i).assign(ablation=name, linearity_standardised=0.25) for i, name in enumerate(names))


def test_ablation_plot_draws_the_whole_beneath_and_what_is_left_above():
    df = ablations()
    ax = figures.ablation_plot(df)
    whole, *others = ax.lines[:7]
    assert whole.get_zorder() < min(line.get_zorder() for line in others)
    for name, line in zip(df.ablation.unique(), ax.lines, strict=False):
        np.testing.assert_allclose(line.get_ydata(), df[df.ablation == name].linearity)
    assert set(others[-1].get_ydata()) == {0.25}
    assert ax.get_legend_handles_labels()[1] == [*df.ablation.unique(), "features standardised"]
    without = figures.ablation_plot(df.drop(columns="linearity_standardised"), ax=plt.figure().gca())
    assert len(without.get_legend_handles_labels()[1]) == 6


def test_a_legend_has_as_many_columns_as_fit_and_leaves_the_axes_their_room():
    for row in np.random.default_rng(0).integers(1, 32, size=(5, 7)):
        ax = plt.figure().gca()
        for length in row:
            ax.plot([1, 2], [1, 2], label="unrelated, one coordinate massive"[:length])
        ax.set_ylabel("a score" if row[0] % 2 else "a score\n(adjusted)")
        place_legend(ax)
        ax.figure.canvas.draw()
        width, height = ax.get_window_extent().size / ax.figure.dpi
        assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1
        assert (width > 3, height > 2) == (True, True)
    short = show.profile_plot(pd.concat([profile(name) for name in "abcdefg"]), hue="model", ax=plt.figure().gca())
    assert short.get_legend()._ncols == 4


def test_panels_by_a_column_have_its_rows_its_name_and_one_legend():
    df = pd.concat([profile("a", seed=0).assign(text="one"), profile("a$b", seed=1).assign(text="two")])
    options = {"hue": "model", "height": 2.0}
    named = figures.panels_by(show.profile_plot, df, "text", label="what", costs=True, **options)
    assert named.get_supylabel() == "what"
    assert [ax.get_yscale() for ax in named.axes] == ["log", "log"]
    figure = figures.panels_by(show.profile_plot, df, "text", **options)
    assert [figure.get_supylabel(), *(ax.get_yscale() for ax in figure.axes)] == ["", "linear", "linear"]
    for ax, (name, part) in zip(figure.axes, df.groupby("text"), strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), part.linearity)
        assert ax.get_ylabel() == name
    long = figures.panels_by(show.profile_plot, df.assign(text="a name longer than its panel"), "text", **options)
    assert long.axes[0].get_ylabel() == "a name longer than\nits panel"
    first, second = figure.axes
    assert (first.get_legend() is None, second.get_legend() is None) == (False, True)
    show.say(first, "said anew")
    made = show.picture(figure)
    assert made.alt == f"said anew {show.words_of(second)}"  # those of the axes, in their order
    assert '<summary aria-label="Data: said anew ' in made.numbers  # no two of a page are called alike
    for y, both in (("update_ratio", False), ("linearity_raw", True)):  # raw scores have a floor of their own
        axes = figures.panels(show.profile_plot, df, ("linearity", y), hue="model").axes
        assert [ax.get_legend().get_visible() for ax in axes] == [True, both]
    drawn = show.picture(show.profile_plot(df, hue="model", ax=plt.figure().gca())).html
    assert ">a$b</text>" in drawn  # a name is no formula


def test_words_say_what_the_data_say():
    def said(df, **options):
        return show.words_of(show.profile_plot(df, ax=plt.figure().gca(), **options))

    df = profile().assign(linearity=[0.5, 0.75, 0.99997, 0.6])
    assert "lowest 0.500 at layer 1, highest 0.999970 at layer 3" in said(df)
    assert "random weights: 0.250 at every layer" in said(df, control=df.assign(linearity=0.25))
    both = pd.concat([df, df.assign(model="b", linearity=1 - df.linearity)])
    assert "b: lowest 3.00e-05 at layer 3, highest 0.500 at layer 1" in said(both, hue="model")
    many = pd.concat([df.assign(model=name) for name in "bcdefg"] + [profile("h").assign(linearity=0.1)])
    assert "lowest 0.100 (h, layer 1), highest 0.999970 (b, layer 3)" in said(many, hue="model")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *[(0.5234, "0.523"), (0.999, "0.9990"), (1 - 3e-7, "0.99999970"), (1.0, "1.00"), (0.0, "0"), (12.34, "12.3")],
        *[(-0.02, "-0.0200"), (3e-7, "3.00e-07"), (123456.0, "1.23e+05"), (float("nan"), "nan")],
    ],
)
def test_a_number_keeps_what_tells_it_from_one(value, written):
    assert number(value) == written


def test_near_one_equal_steps_are_equal_factors():
    df = pd.DataFrame({"layer": [1, 2, 3, 4], "linearity": [0.9, 0.99, 0.999, 0.5], "update_linearity": 0.5})
    ax = show.profile_plot(df, nines=True, ax=plt.figure().gca())
    up = [ax.transData.transform((0, y))[1] for y in (0.9, 0.99, 0.999)]
    assert up[1] - up[0] == pytest.approx(up[2] - up[1])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "0.5", "0.9", "0.99", "0.999"]
    plain = show.profile_plot(df, y="update_linearity", nines=True, ax=plt.figure().gca())
    assert plain.get_yscale() == "linear"
