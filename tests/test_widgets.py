import re
from hashlib import sha256
from html import escape, unescape
from io import StringIO
from itertools import product
from urllib.parse import unquote
from xml.dom import minidom

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from casebook import figures
from linstudy import show
from linstudy.show.words import table_of

pytestmark = pytest.mark.usefixtures("book_style")

SCRIPT = "<script>alert(1)</script>"
needs_stack = pytest.mark.skipif(not hasattr(widgets, "Stack"), reason="this ipywidgets has no Stack")


def drawing(name="a", column="linearity"):
    df = pd.DataFrame({"model": name, "layer": [1, 2, 3], column: [0.5, 0.9994, 0.7]})
    return show.profile_plot(df, y=column, hue="model")


def stand_in(*key):
    return show.Picture(f"<i>{key}</i>", f"words for {key}")


GRID = list(product(["plain", "cosine"], ["stories", "pydocs", SCRIPT], [1, 2, 3, 4]))
PICTURES = {key: stand_in(*key) for key in GRID}
LABELS = ("model", "text", "layer")


def carried(numbers):
    """Return the table that a picture's link carries, and whether the sum beside it is that of its file."""
    (href,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', numbers)
    (digest,) = re.findall(r"<code>(\w{64})</code>", numbers)
    file = unquote(unescape(href))
    return pd.read_csv(StringIO(file)), sha256(file.encode()).hexdigest() == digest


def test_a_picture_carries_what_is_drawn_as_a_file_with_its_sum():
    table, whole = carried(show.picture(drawing(SCRIPT)).numbers)
    assert whole
    assert table.to_dict("list") == {"model": [SCRIPT] * 3, "layer": [1, 2, 3], "linearity": [0.5, 0.9994, 0.7]}
    assert show.picture(plt.figure().gca(), alt="two words").numbers == ""
    own = pd.DataFrame({"a": ['x,"y"\n<b>&%#', "é"]})
    table, whole = carried(show.picture(plt.figure().gca(), alt="two words", table=own).numbers)
    assert whole
    assert table.equals(own)


def test_columns_of_the_same_rows_stand_side_by_side_and_other_rows_below():
    df = pd.DataFrame({"layer": [1, 2], "linearity": [0.5, 0.9], "cosine": [0.1, 0.2]})
    assert table_of(figures.panels(show.profile_plot, df, ("linearity", "cosine"))).equals(df)
    figure, axes = plt.subplots(2)
    for ax, part in zip(axes, (df, df.iloc[:1] + 1), strict=True):
        show.profile_plot(part, ax=ax)
    below = pd.DataFrame({"layer": [1, 2, 2], "linearity": [0.5, 0.9, 1.5], "panel": [1, 1, 2]})
    assert table_of(figure).equals(below)
    by = pd.concat([df.assign(text="a"), df.assign(text="b")], ignore_index=True)
    assert list(table_of(figures.panels_by(show.profile_plot, by, "text")).text) == ["a", "a", "b", "b"]


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_picture_carries_its_words_escaped_and_closes_its_figure(form):
    made = show.picture(drawing(SCRIPT), form=form)
    assert plt.get_fignums() == []
    assert made.alt.startswith(f"Linearity, LS (adjusted) by layer, one line a model: {SCRIPT}:")
    assert "<script" not in made.html
    assert made._repr_html_() == made.html + made.numbers
    element = minidom.parseString(made.html if form == "svg" else made.html[:-1] + "/>").documentElement
    assert element.getAttribute("aria-label" if form == "svg" else "alt") == made.alt
    assert "max-width:100%" in element.getAttribute("style")


def test_an_svg_keeps_its_letters_and_leaves_the_page_alone():
    ax = drawing(SCRIPT)
    ax.set_title("0.99994")
    html = show.picture(ax, alt="words").html
    written = [node.firstChild.data for node in minidom.parseString(html).getElementsByTagName("text")]
    assert {"layer", "linearity, LS (adjusted)", SCRIPT, "0.8", "0.99994"} <= set(written)  # and no number rounded
    assert "<style" not in html
    used = {one or other for one, other in re.findall(r'url\(#(\w+)\)|href="#(\w+)"', html)}
    assert used <= set(re.findall(r'id="(\w+)"', html))


def test_a_formula_stays_one_text():
    fig, ax = plt.subplots()
    ax.set_ylabel(r"a <linearity>, LS$_\mathrm{res}$ (raw)")
    nodes = minidom.parseString(show.picture(fig, alt="words").html).getElementsByTagName("tspan")
    written = [node.firstChild.data.replace("\xa0", " ") for node in nodes]
    assert written == ["a <linearity>, LS (raw)", "res"]
    # One place a letter. An entity (&lt;) is one letter.
    assert [len(node.getAttribute("x").split()) for node in nodes] == [len(text) for text in written]


def test_pictures_repeat_to_the_byte_share_no_ids_and_need_words_and_a_known_form():
    first, again, other = (show.picture(drawing(), alt=alt).html for alt in ("one", "one", "two"))
    assert first == again
    assert not set(re.findall(r'id="(\w+)"', first)) & set(re.findall(r'id="(\w+)"', other))
    with pytest.raises(ValueError, match="a picture needs words for those who cannot see it"):
        show.picture(drawing(), alt=" ")
    with pytest.raises(ValueError, match="form is 'gif'; it can be 'svg' or 'png'"):
        show.picture(drawing(), alt="words", form="gif")


def test_tables_are_named_as_the_axes_are_and_hold_their_values_escaped():
    df = pd.DataFrame({"model": [SCRIPT], "layer": [1], "linearity": [0.99997], "rival_layers": [2]})
    html = figures.fallback_table(df, caption="a < b")
    parts = ("a &lt; b</summary>", "<td>0.999970</td>", "<td>1</td>", ">rival layers</th>")
    for part in (*parts, 'tabindex="0" role="region" aria-label="a &lt; b"', '<tr><th scope="row">&lt;'):
        assert part in html
    assert "<script" not in html
    own = pd.DataFrame({"update_linearity": [0.5], 3: ["delta_nats"]}, index=["wikitext-2-valid"])
    named = show.named(own.rename_axis(index="corpus", columns="training_tokens"))
    assert named.columns.tolist() == [show.label("update_linearity"), 3]
    assert (named.index.tolist(), named.columns.name) == (["WikiText-2"], show.label("training_tokens"))
    assert (named.to_numpy() == own.to_numpy()).all()


def controls(box):
    return box.children[0].children


def links():
    """What the page's links join: (control id, trait that the browser knows) to the stacks they drive."""
    joined = {}
    for link in widgets.widget._instances.values():
        if isinstance(link, widgets.widget_link.Link):
            (source, trait), (target, name) = link.source, link.target
            assert (name, trait in source.keys) == ("selected_index", True)
            joined.setdefault((source.model_id, trait), []).append(target)
    return joined


def follow(box, places):
    """Set the linked traits as a browser does, without the kernel, and return the markup then shown."""
    for control, place in zip(controls(box), places, strict=True):
        for stack in links()[control.model_id, "index"]:
            stack.selected_index = place
    shown = box.children[1]
    while isinstance(shown, widgets.Stack):
        shown = shown.children[shown.selected_index]
    return shown.value


@pytest.mark.parametrize(
    ("options", "kinds", "kind", "listed"),
    [
        ((8, 0.5, 0, -1, np.int64(2)), None, "SelectionSlider", ["-1", "0", "0.5", "2", "8"]),  # numbers are sorted
        (("all", "first 8", "first 16"), ("slider",), "SelectionSlider", ["all", "first 8", "first 16"]),
        ((1, 2), ("menu",), "Dropdown", ["1", "2"]),
        ((True, False), None, "Dropdown", ["True", "False"]),  # no scale of numbers
        ((1, "2"), None, "Dropdown", ["1", "2"]),
        ((3,), None, "Dropdown", ["3"]),
    ],
)
def test_options_are_listed_in_the_control_that_suits_them(options, kinds, kind, listed):
    given = {} if kinds is None else {"kinds": kinds}
    box = show.chooser({(option,): stand_in(option) for option in options}, labels=("x",), **given)
    (control,) = controls(box)
    assert (type(control).__name__, list(control.options)) == (kind, listed)
    tooltip = "tooltip" if hasattr(widgets, "Stack") else "description_tooltip"
    assert (control.description, getattr(control, tooltip)) == ("x", "Choose the x")
    first = next(option for option in options if str(option) == listed[0])
    assert stand_in(first).html in box.first


@needs_stack
@pytest.mark.parametrize("used", [1, 2, 3])
def test_every_picture_is_reached_through_the_links_and_made_once(used):
    before = set(widgets.widget._instances)
    options = [["plain", "cosine"], ["stories", "pydocs", SCRIPT], [1, 2, 3, 4]][-used:]
    pictures = {key: stand_in(*key) for key in product(*options)}
    box = show.chooser(pictures, labels=LABELS[-used:])
    for key, made in pictures.items():
        shown = follow(box, [of.index(each) for of, each in zip(options, key, strict=True)])
        assert made.html in shown
        assert escape(made.alt) in shown
    made = [widgets.widget._instances[name] for name in set(widgets.widget._instances) - before]
    assert sum(isinstance(widget, widgets.HTML) for widget in made) == len(pictures)
    assert sum(isinstance(widget, widgets.Layout) for widget in made) <= 5  # a page of them all stays small


def test_without_stack_python_swaps_the_pictures(monkeypatch):
    monkeypatch.delattr(widgets, "Stack", raising=False)
    box = show.chooser(PICTURES, labels=LABELS)
    for key, made in PICTURES.items():
        for control, option in zip(controls(box), key, strict=True):
            control.value = str(option)
        assert made.html in box.children[1].value


def test_a_chooser_shows_its_first_picture_without_scripts_and_without_widgets():
    box = show.chooser(PICTURES, labels=LABELS)
    first = next(iter(PICTURES.values()))
    bundle = box._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id
    assert first.html in bundle["text/html"]
    InteractiveShell.instance()
    with capture_output() as shown:
        box._ipython_display_()
    assert shown.outputs[0].data == bundle
    noscript = shown.outputs[1].data["text/html"]
    assert noscript.startswith("<noscript>")
    assert first.html in noscript


@pytest.mark.parametrize(
    ("pictures", "options", "message"),
    [
        ({}, {}, "no pictures to choose from"),
        ({key: PICTURES[key] for key in GRID if key != GRID[-6]}, {}, "model = 'cosine', text = 'pydocs', layer = '?3"),
        ({("a",): stand_in()}, {}, "must be a tuple with one option for each of model, text, layer"),
        ({"abc": stand_in()}, {}, "the key 'abc' must be a tuple"),
        (PICTURES, {"labels": "abcd"}, "1 to 3 controls; labels names 4"),
        (PICTURES, {"kinds": ("menu", "menu", "dial")}, "it needs 'slider' or 'menu' for each of model, text, layer"),
        ({("a",): stand_in()}, {"labels": ["x"], "kinds": ["slider"]}, "or more; 'x' has only 'a': use a menu"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        show.chooser(pictures, **{"labels": LABELS, **options})
