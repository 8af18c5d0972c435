import json
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest

from linstudy import show
from linstudy.show.pictures import WIDTH
from linstudy.show.tokens import LEVELS, look

TOKENS = ["Once", " upon", " a", " time", ",", "\n", " Lily"]
VALUES = [0.1, 0.2, 0.3, 0.4, 0.05, 0.6, 0.9]
HOSTILE = ["<script>alert(1)</script>", "</span>", "&amp;", '" onclick="x', "'", "</style><b>", "<!--", "]]>", "$x$"]


class Page(HTMLParser):
    """Every element with its attributes and the text right in it."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes), []))
        if tag != "wbr":
            self.open.append(self.found[-1])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][2].append(data)

    def tokens(self):
        """Return (text, title, class) of each token."""
        spans = [(attributes, "".join(text)) for tag, attributes, text in self.found if tag == "span"]
        return [(text, attributes["title"], attributes.get("class")) for attributes, text in spans]


def drawn(tokens, values, **options):
    return Page(show.token_heatmap(tokens, values, **options).html).tokens()


def test_every_token_is_there_with_its_value_in_its_place():
    found = drawn(TOKENS, VALUES)
    assert [text.replace("\xa0", " ") for text, *_ in found] == ["Once", " upon", " a", " time", ",", "↵\n", " Lily"]
    assert [float(title) for _, title, _ in found] == VALUES


def test_colour_follows_value_from_the_first_level_to_the_last():
    levels = [ord(name) - ord("a") for *_, name in drawn(TOKENS, VALUES)]
    np.testing.assert_array_equal(np.argsort(levels), np.argsort(VALUES))
    assert (min(levels), max(levels)) == (0, LEVELS - 1)


def test_fixed_limits_give_a_value_one_colour_in_every_picture():
    low, high = (dict(zip(TOKENS, drawn(TOKENS, v, limits=(0.0, 1.0)), strict=True)) for v in (VALUES, [0.1] * 7))
    assert low["Once"] == high["Once"]
    assert dict(zip(TOKENS, drawn(TOKENS, [0.1] * 6 + [0.2]), strict=True))["Once"] == (*low["Once"][:2], "a")
    beyond = show.token_heatmap(["a", "b", "c"], [-9.0, 0.5, 9.0], limits=(0.0, 1.0)).html
    assert [name for *_, name in Page(beyond).tokens()] == ["a", "m", "x"]
    assert "≤ 0 <i></i> ≥ 1<" in beyond
    assert "\n0.05 <i></i> 0.9<" in show.token_heatmap(TOKENS, VALUES).html


def test_a_token_without_value_has_no_colour():
    made = show.token_heatmap(["a", "b", "c"], [np.nan, 0.5, 1.0])
    assert Page(made.html).tokens()[0] == ("a", "no value", None)
    assert made.alt.endswith("; 1 without a value.")
    assert "<td>a</td><td></td>" in made.numbers
    assert "without a value" not in show.token_heatmap(["a"], [1.0]).alt


@pytest.mark.parametrize("as_label", [False, True])
def test_tokens_that_are_markup_stay_text(as_label):
    label = "".join(HOSTILE) if as_label else "error"
    made = show.token_heatmap(HOSTILE, range(len(HOSTILE)), label=label)
    page = Page(made.html)
    assert {tag for tag, *_ in page.found} == {"div", "style", "p", "i", "span"}
    assert [text for text, *_ in page.tokens()] == HOSTILE
    assert {key for _, attributes, _ in page.found for key in attributes} == {"role", "class", "aria-label", "title"}
    assert page.found[0][1]["aria-label"] == made.alt
    assert "url(" not in made.html
    table = Page(made.numbers)
    tags = "a code details summary div table thead tbody tr th td"
    assert {tag for tag, *_ in table.found} == set(tags.split())
    cells = ["".join(text) for tag, _, text in table.found if tag == "td"]
    assert cells[1::3] == HOSTILE


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        *[("\n\n", "↵\n↵\n"), (" \n", "\xa0↵\n"), ("\r\n", "␍↵\n"), ("a\tb", "a→\tb"), ("\u2028", "↵\n")],
        *[("    ", "····"), ("▁", "·"), ("▁cat", "\xa0cat"), (" cat", "\xa0cat"), ("", "∅"), ("\u200b", "∅")],
        *[("\ufffd", "\ufffd"), ("\ud83d", "\ufffd"), ("\x00", "␀"), ("\x7f", "␡"), ("\x85", "\ufffd")],
        *[("\u202eabc", "\ufffdabc"), ("👩‍👧", "👩‍👧"), ("naïve", "naïve"), ("日本", "日本")],
    ],
)
def test_what_could_not_be_seen_gets_a_mark(token, seen):
    made = show.token_heatmap([token], [1.0])
    assert Page(made.html).tokens()[0][0] == seen
    assert "\n" not in made.alt
    json.dumps(made.html).encode()
    (made.html + made.numbers).encode()  # half a surrogate pair could not be saved


def grounds():
    """The colours of the levels, low to high, each with that of its letters."""
    return re.findall(r"\.linstudy-tokens \.[a-z]\{background:(#\w{6});color:(#\w{3})!important\}", look())


def luminance(color):
    """The relative luminance of a colour as WCAG 2 defines it, from 0 (black) to 1 (white)."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_every_colour_leaves_its_letters_a_contrast_of_four_and_a_half():
    inks = {"#000": 0.0, "#fff": 1.0}
    assert len(grounds()) == LEVELS
    for ground, ink in grounds():
        dark, light = sorted((luminance(ground), inks[ink]))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert {ink for _, ink in grounds()} == set(inks)
    assert luminance("#ffffff") == pytest.approx(1)
    assert 1.05 / (luminance("#777777") + 0.05) == pytest.approx(4.48, abs=0.005)  # the known near miss


def test_the_scale_shows_the_colours_of_the_tokens_and_is_as_wide_as_a_picture():
    assert ",".join(ground for ground, _ in grounds()) in look()
    assert f"max-width:{WIDTH}px" in look()


def test_colours_darken_steadily_and_so_stay_apart_in_grey_and_for_the_colour_blind():
    # Lightness of CIE Lab; the matrices are those of Viénot, Brettel and Mollon (1999) for linear RGB.
    def lightness(colors):
        return 116 * np.cbrt(colors @ [0.2126, 0.7152, 0.0722]) - 16

    srgb = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color, _ in grounds()])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    grey = -np.diff(lightness(linear))
    assert grey.min() > 0.75 * grey.mean()
    for seen in (linear @ protan.T, linear @ deutan.T):
        assert (np.diff(lightness(seen)) < -1.5).all()
    rainbow = matplotlib.colormaps["jet"](np.linspace(0, 1, LEVELS))[:, :3]  # the control
    assert (np.diff(lightness(rainbow)) > 0).any()


def test_alt_text_names_the_highest_and_the_lowest():
    made = show.token_heatmap(TOKENS, VALUES, label="lens_nats")
    assert made.alt == (
        "Text of 7 tokens, “Once upon a time,↵ Lily”, coloured by loss of the logit lens, nats a token: "
        "highest 0.900 (“Lily”, token 7), 0.600 (“↵”, token 6), 0.400 (“time”, token 4); lowest 0.0500 (“,”, token 5)."
    )
    assert "63 tokens, “Once upon a time,↵ LilyOnce upon a …”, " in show.token_heatmap(TOKENS * 9, VALUES * 9).alt


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
        show.token_heatmap(["a", "b"], values, **options)
