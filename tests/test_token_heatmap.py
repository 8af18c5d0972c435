import re

import matplotlib
import numpy as np
import pytest
from bs4 import BeautifulSoup

from casebook import figures
from casebook.figures.tokens import LEVELS, look

TOKENS = ["Once", " upon", " a", " time", ",", "\n", " Lily"]
VALUES = [0.1, 0.2, 0.3, 0.4, 0.05, 0.6, 0.9]
HOSTILE = ["<script>alert(1)</script>", "</span>", "&amp;", '" onclick="x', "'", "</style><b>", "<!--", "]]>", "$x$"]


def page_of(html):
    return BeautifulSoup(html, "html.parser")


def drawn(tokens, values, **options):
    """Return (text, title, class) of each token, as the page has them."""
    spans = page_of(figures.token_heatmap(tokens, values, **options).html).select("span")
    return [(span.get_text(), span["title"], "".join(span.get("class", ())) or None) for span in spans]


def test_every_token_is_there_with_its_value_and_the_colour_that_follows_from_it():
    found = drawn(TOKENS, VALUES)
    assert [text.replace("\xa0", " ") for text, *_ in found] == ["Once", " upon", " a", " time", ",", "↵\n", " Lily"]
    assert [float(title) for _, title, _ in found] == VALUES
    levels = [ord(name) - ord("a") for *_, name in found]
    np.testing.assert_array_equal(np.argsort(levels), np.argsort(VALUES))
    assert (min(levels), max(levels)) == (0, LEVELS - 1)
    alt = figures.token_heatmap(TOKENS, VALUES).alt
    assert "highest 0.900 (“Lily”, token 7), 0.600 (“↵”, token 6)" in alt
    assert "lowest 0.0500 (“,”, token 5)" in alt


def test_fixed_limits_give_a_value_one_colour_in_every_picture():
    once = [drawn(TOKENS, values, limits=(0.0, 1.0))[0] for values in (VALUES, [0.1] * 7)]
    assert once[0] == once[1]
    assert drawn(TOKENS, [0.1] * 6 + [0.2])[0] == (*once[0][:2], "a")
    beyond = ["a", "b", "c"], [-9.0, 0.5, 9.0]
    assert [name for *_, name in drawn(*beyond, limits=(0.0, 1.0))] == ["a", "m", "x"]
    assert "≤ 0 <i></i> ≥ 1<" in figures.token_heatmap(*beyond, limits=(0.0, 1.0)).html
    assert "\n0.05 <i></i> 0.9<" in figures.token_heatmap(TOKENS, VALUES).html


def test_a_token_without_value_has_no_colour():
    tokens = ["a", " b", "c"], [np.nan, 0.5, 1.0]
    assert drawn(*tokens)[0] == ("a", "no value", None)
    assert "1 without a value" in figures.token_heatmap(*tokens).alt
    assert '<td>a</td><td></td></tr><tr><th scope="row">2</th><td>·b</td>' in figures.token_heatmap(*tokens).numbers


@pytest.mark.parametrize("as_label", [False, True])
def test_tokens_that_are_markup_stay_text(as_label):
    label = "".join(HOSTILE) if as_label else "error"
    made = figures.token_heatmap(HOSTILE, range(len(HOSTILE)), label=label)
    page, table = page_of(made.html), page_of(made.numbers)
    assert {tag.name for tag in page.find_all()} == {"div", "style", "p", "i", "span"}
    assert [span.get_text() for span in page.select("span")] == HOSTILE
    assert {key for tag in page.find_all() for key in tag.attrs} == {"role", "class", "aria-label", "title"}
    assert page.div["aria-label"] == made.alt
    assert "url(" not in made.html
    assert not {tag.name for tag in table.find_all()} & {"script", "b", "style"}
    assert [cell.get_text() for cell in table.select("td")[::2]] == HOSTILE


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        *[("\n\n", "↵\n↵\n"), (" \n", "\xa0↵\n"), ("\r\n", "␍↵\n"), ("a\tb", "a→\tb"), ("\u2028", "↵\n")],
        *[("    ", "····"), ("▁", "·"), ("▁cat", "\xa0cat"), (" cat", "\xa0cat"), ("", "∅"), ("\u200b", "∅")],
        *[("\ud83d", "\ufffd"), ("\x00", "␀"), ("\x7f", "␡"), ("\x85", "\ufffd"), ("\u202eabc", "\ufffdabc")],
        *[("👩‍👧", "👩‍👧"), ("naïve", "naïve")],
    ],
)
def test_what_could_not_be_seen_gets_a_mark(token, seen):
    made = figures.token_heatmap([token], [1.0])
    assert page_of(made.html).span.get_text() == seen
    assert "\n" not in made.alt
    (made.html + made.numbers).encode()  # half a surrogate pair could not be saved


def grounds():
    """The colours of the levels, low to high, each with that of its letters."""
    return re.findall(r"\.linstudy-tokens \.[a-z]\{background:(#\w{6});color:(#\w{3})!important\}", look())


def linear(colors):
    """Linear RGB of colours, as WCAG 2 and CIE have it."""
    srgb = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in colors])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_every_colour_leaves_its_letters_a_contrast_of_four_and_a_half():
    colors, inks = zip(*grounds(), strict=True)
    assert len(colors) == LEVELS
    assert set(inks) == {"#000", "#fff"}
    ground, ink = linear([*colors, "#777777"]) @ LUMINANCE, np.array([one == "#fff" for one in (*inks, "#fff")])
    contrast = (np.maximum(ground, ink) + 0.05) / (np.minimum(ground, ink) + 0.05)
    assert contrast[:-1].min() >= 4.5
    assert contrast[-1] == pytest.approx(4.48, abs=0.005)  # the known near miss
    assert ",".join(colors) in look()  # the scale shows them too


def test_colours_darken_steadily_and_so_stay_apart_in_grey_and_for_the_colour_blind():
    # Lightness of CIE Lab; the matrices are those of Viénot, Brettel and Mollon (1999) for linear RGB.
    def steps(colors):
        return -np.diff(116 * np.cbrt(colors @ LUMINANCE) - 16)

    colors = linear(ground for ground, _ in grounds())
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    assert steps(colors).min() > 0.75 * steps(colors).mean()
    for seen in (colors @ protan.T, colors @ deutan.T):
        assert (steps(seen) > 1.5).all()
    rainbow = matplotlib.colormaps["jet"](np.linspace(0, 1, LEVELS))[:, :3]  # the control
    assert (steps(rainbow) < 0).any()


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([1.0], {}, r"2 tokens need as many values, and the shape of values is \(1,\)"),
        ([[1.0, 2.0]], {}, r"the shape of values is \(1, 2\)"),
        ([np.nan, np.nan], {}, "none of the 2 tokens has a value"),
        ([1.0, np.inf], {}, "cannot reach from 1 to inf: give finite limits"),
        ([1.0, 2.0], {"limits": (1.0, 1.0)}, r"limits are \(1.0, 1.0\); the first must be below the second"),
    ],
)
def test_what_cannot_be_coloured_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        figures.token_heatmap(["a", "b"], values, **options)
