"""A chooser on a page of its own, without a kernel: an uneven slider, and a text that changes colour with it."""

import json

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
import ipywidgets as widgets
from browser import OVERFLOW, Visit, chromium, faults, find_chromium
from conftest import ROOT
from ipywidgets.embed import embed_data

from casebook import figures
from linstudy import show

STATIC = ROOT / "book" / "_static"
PLAYER = ROOT / "book" / "_vendor" / "vendor" / "html-manager" / "embed.js"
VIEW = "application/vnd.jupyter.widget-view+json"
DROPPED = (0, 1, 2, 4, 8)
TOKENS = ["<img src=x onerror=boom()>", " Once", " upon", "\n", " a", "&lt;", " time", "w" * 99, " the", " end"]
TOKENS += [" swimming", " in", " the", " theater", " was", " bright", " when", " the", " knees", " shook"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH"),
    pytest.mark.skipif(not PLAYER.is_file(), reason="the book's scripts are not there: run tools/vendor_assets.py"),
    pytest.mark.skipif(not hasattr(widgets, "Stack"), reason="this ipywidgets has no Stack"),
]


def heat(dropped):
    values = [(i + dropped) % 10 for i in range(len(TOKENS))]
    return figures.token_heatmap(TOKENS, values, limits=(0.0, 9.0), label=f"error, first {dropped} left out")


@pytest.fixture(scope="module", params=["light", "dark"])
def context(request):
    with chromium(color_scheme=request.param) as context:
        yield request.param, context


@pytest.fixture
def visit(context, tmp_path):
    """The page of a chooser, in the book's own style and with its repairs, in the colours of a theme."""
    theme, context = context
    box = show.chooser({(dropped,): heat(dropped) for dropped in DROPPED}, labels=("drop first",))
    state = widgets.Widget.get_manager_state(drop_defaults=False)["state"]
    state = json.dumps(embed_data(views=[box], state=state)["manager_state"]).replace("</", "<\\/")
    view = json.dumps({"version_major": 2, "version_minor": 0, "model_id": box.model_id})
    path = tmp_path / "page.html"
    # As the book's pages do it: letters and ground of the theme, then its style, scripts and a widget in an article.
    ground = {"light": "color:#222;background:#fff", "dark": "color:#ced6dd;background:#121212"}[theme]
    path.write_text(
        f"""<!doctype html><html data-theme="{theme}"><meta charset="utf-8">
        <meta name="viewport" content="width=device-width"><style>body {{{ground}}} .text_html {{padding: 8px}}</style>
        <link rel="stylesheet" href="{(STATIC / "linstudy.css").as_uri()}">
        <script type="application/vnd.jupyter.widget-state+json">{state}</script>
        <script src="{PLAYER.as_uri()}"></script><script src="{(STATIC / "widget-fixes.js").as_uri()}"></script>
        <article class="bd-content"><div class="cell_output">
        <div><script type="{VIEW}">{view}</script></div>
        <div class="text_html"><noscript>{box.first}</noscript></div>
        <div class="text_html">{heat(2)._repr_html_()}</div></div></article></html>""",
        encoding="utf8",
    )
    visit = Visit(context, path)
    yield visit
    visit.page.close()


def test_keys_move_an_uneven_slider_and_the_text_changes_with_it(visit):
    page = visit.page
    handle = page.get_by_role("slider", name="drop first", exact=True)
    page.keyboard.press("Tab")  # the only control, so the first stop
    assert handle.evaluate("handle => handle === document.activeElement")
    ring = handle.evaluate("handle => getComputedStyle(handle).outlineColor")
    assert ring == "rgb(10, 92, 194)"  # also on the white card of a dark page, where the page's own blue is faint
    assert handle.get_attribute("aria-valuetext") == "0"
    area = page.locator(".widget-subarea")
    for key, dropped in [("ArrowRight", 1), ("ArrowRight", 2), ("End", 8), ("ArrowLeft", 4), ("Home", 0)]:
        page.keyboard.press(key)
        page.wait_for_function(
            "text => document.querySelector('.noUi-handle').getAttribute('aria-valuetext') === text", arg=str(dropped)
        )
        expected = [chr(ord("a") + int(24 * min(((i + dropped) % 10) / 9, 0.99))) for i in range(len(TOKENS))]
        assert area.locator(".linstudy-tokens span").evaluate_all("all => all.map(s => s.className)") == expected
        assert area.locator("figcaption").inner_text() == heat(dropped).alt
    assert visit.complaints() == []  # the token that is an image has not become one


def test_the_read_out_is_seen_but_no_second_control_and_the_numbers_open_with_the_keyboard(visit):
    page = visit.page
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    readout = page.locator(".widget-readout")
    assert readout.is_visible()
    assert readout.inner_text() == "1"
    assert readout.get_attribute("contenteditable") == "false"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"  # past the picture, to its numbers
    tree = page.locator(".widget-subarea").aria_snapshot()
    assert 'slider "drop first"' in tree
    assert "textbox" not in tree
    assert "status" not in tree
    page.keyboard.press("Enter")
    rows = page.locator(".widget-subarea tbody tr")
    assert rows.count() == len(TOKENS)
    assert [row.inner_text().split("\t")[1] for row in rows.all()][:2] == [TOKENS[0], "·Once"]
    assert faults(page, ".widget-subarea") == []
    page.evaluate("document.querySelectorAll('link[rel=stylesheet]').forEach(link => link.remove())")
    assert faults(page, ".linstudy-tokens") == []  # its colours are its own


def test_a_line_breaks_at_breaks_and_between_words_and_a_long_token_stays_inside(visit):
    page = visit.page
    spans = page.locator(".widget-subarea .linstudy-tokens span")
    for width in (1280, 375, *range(200, 400, 40)):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(50)
        lines = spans.evaluate_all("spans => spans.map(span => span.getClientRects().length)")
        assert lines[8:] == [1] * 12, width  # not between a space and its word
        before, after = (spans.nth(i).bounding_box() for i in (2, 4))
        assert after["y"] > before["y"]
        if width < 375:
            continue
        assert page.evaluate(OVERFLOW) <= 0
        box = page.locator(".widget-subarea .linstudy-tokens").bounding_box()
        long = spans.nth(7).bounding_box()
        assert long["x"] + long["width"] <= box["x"] + box["width"] + 1
