"""The built book in a real browser, opened from disk with the network off; and each check on a page made to fail it."""

import os
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
from browser import CONTROLS, OVERFLOW, PICTURES, WIDER, chromium, faults, find_chromium, unmarked, visits
from conftest import ROOT

HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
PAGES = sorted(p.relative_to(HTML).as_posix() for d in ("book", "notebooks") for p in (HTML / d).rglob("*.html"))
VIEW = "application/vnd.jupyter.widget-view+json"
CHOOSERS = [name for name in PAGES if VIEW in (HTML / name).read_text(encoding="utf8")]

in_the_book = pytest.mark.book
pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH")]


@pytest.fixture(scope="module")
def context():
    with chromium() as context:
        yield context


@pytest.fixture
def visit(context):
    with visits(context, quiet=False) as go:
        yield go


def try_controls(page, area) -> list[str]:
    """Move every control of a widget once and return what did not answer as it should."""
    wrong = []
    if not area.evaluate(PICTURES):
        return ["no picture"]
    for control in area.locator(CONTROLS).all():
        if not control.is_visible():
            continue
        before = area.evaluate(PICTURES)
        if control.evaluate("e => e.tagName") == "SELECT":
            options, chosen = control.evaluate("e => [e.options.length, e.selectedIndex]")
            control.select_option(index=(chosen + 1) % options)
        else:
            at_end = control.evaluate("e => e.getAttribute('aria-valuenow') === e.getAttribute('aria-valuemax')")
            control.focus()
            page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
        page.wait_for_timeout(200)
        after = area.evaluate(PICTURES)
        name = control.get_attribute("aria-label") or "a control"
        for key, what in (("src", "picture"), ("alt", "alt text")):
            if [p[key] for p in before] == [p[key] for p in after]:
                wrong.append(f"{name}: the {what} stays")
        if not after or not all(p["alt"].strip() for p in after):
            wrong.append(f"{name}: a picture without alt text, or none")
    return wrong


@in_the_book
@pytest.mark.parametrize("name", CHOOSERS or ["-"])
def test_every_widget_appears_once_says_its_values_and_answers_to_its_controls(visit, name):
    opened = visit(HTML / name)
    page = opened.page
    per_view = page.locator(f'script[type="{VIEW}"]').evaluate_all(
        "views => views.map(v => v.parentElement.querySelectorAll('.widget-subarea').length)"
    )
    assert per_view == [1] * len(per_view)
    assert all(area.is_visible() for area in page.locator(".widget-subarea").all())
    assert page.locator("p.no-widget:visible").count() == 0
    areas = [area for area in page.locator(".widget-subarea").all() if area.locator(CONTROLS).count()]
    assert areas
    assert [wrong for area in areas for wrong in try_controls(page, area)] == []
    for slider in page.locator(".widget-slider").all():
        handle, readout = slider.locator(".noUi-handle"), slider.locator(".widget-readout")
        if handle.is_visible() and readout.is_visible():
            assert handle.get_attribute("aria-valuetext") == readout.inner_text()
    assert opened.complaints() == []


@in_the_book
@pytest.mark.parametrize("name", PAGES or ["-"])
def test_a_page_opens_from_disk_fits_and_can_be_read_named_and_reached_by_the_keyboard(visit, name):
    opened = visit(HTML / name)
    page = opened.page
    assert opened.complaints() == []
    for scheme in ("light", "dark"):
        opened.dress(scheme)
        assert faults(page) == []
        assert unmarked(page) == []
    assert page.evaluate(WIDER) == []
    page.set_viewport_size({"width": 375, "height": 800})
    page.wait_for_timeout(200)
    assert page.evaluate(OVERFLOW) <= 0
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for scheme in ("light", "dark"):
        opened.dress(scheme)
        assert faults(page) == []  # what a click opens can be read, too


# Each check on a page made to fail it, beside one that passes.


@pytest.fixture
def made_up(tmp_path, visit):
    def make(body):
        path = tmp_path / "page.html"
        path.write_text(f"<!doctype html><title>t</title><article>{body}</article>", encoding="utf8")
        return visit(path, settle=100)

    return make


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<p>fine</p>", None),
        ('<img src="https://cdn.invalid/x.png">', "asked for https://cdn.invalid/x.png"),
        ('<script src="//cdn.invalid/x.js"></script>', "could not load file://cdn.invalid/x.js"),
        ("<script>fetch('https://cdn.invalid/').catch(() => {})</script>", "asked for https://cdn.invalid/"),
        ('<img src="missing.png">', "could not load file:.*/missing.png"),
        ("<script>nothing.there</script>", "said nothing is not defined"),
    ],
)
def test_visit_notices(made_up, body, complaint):
    complaints = made_up(body).complaints()
    assert complaints == [] if complaint is None else any(re.match(complaint, one) for one in complaints), complaints


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (lambda page: page.evaluate(OVERFLOW) > 0, "narrow", '<div style="width:3000px">wide</div>'),
        (lambda page: page.evaluate(WIDER), "narrow", '<p style="width:3000px">wide</p>'),
        (
            lambda page: page.evaluate(WIDER),
            '<details><p style="width:3000px">not opened</p></details>',
            '<div style="overflow-x:auto"><p style="width:3000px">scrolls</p></div>',
        ),
        (
            unmarked,
            '<a href="#a">1</a> <a href="#b">2</a>',
            '<a href="#a">1</a> <a href="#b" style="outline:none">2</a>',
        ),
        (
            lambda page: faults(page, "article"),
            '<select aria-label="Model"><option>a</option></select>',
            '<div role="slider" tabindex="0" aria-valuenow="1">x</div>',
        ),
        (lambda page: faults(page, "article"), '<img src="data:," alt="two words">', '<img src="data:,">'),
        (
            lambda page: faults(page, "article"),
            '<p style="color:#222;background:#fff">dark</p>',
            '<div style="background:#fff"><p style="color:#fff;background:#1113">faint on what is below</p></div>',
        ),
    ],
    ids=["overflow", "wider", "scrolls", "focus", "name", "alt", "contrast"],
)
def test_what_a_check_is_for_is_noticed(made_up, check, good, bad):
    assert not check(made_up(good).page)
    assert check(made_up(bad).page)


def test_dead_controls_are_noticed(made_up):
    dot = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    page = made_up(
        f'<div class="widget-subarea"><img width="50" height="50" src="{dot}" alt="a dot">'
        '<select aria-label="Model"><option>a</option><option>b</option></select></div>'
    ).page
    wrong = try_controls(page, page.locator(".widget-subarea"))
    assert wrong == ["Model: the picture stays", "Model: the alt text stays"]


def test_a_widget_that_does_not_come_says_so(context, tmp_path):
    fixes = (ROOT / "book" / "_static" / "widget-fixes.js").read_text(encoding="utf8")
    view = f'<div><script type="{VIEW}">{{"model_id": "m"}}</script></div>'
    (tmp_path / "page.html").write_text(f"<!doctype html><script>{fixes}</script><article>{view}</article>")
    page = context.new_page()
    page.clock.install()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("p.no-widget").count() == 0
    page.clock.run_for(6000)
    assert "did not load" in page.locator("p.no-widget").inner_text()
    page.locator("article > div").evaluate("late => late.innerHTML += '<p class=widget-subarea><b>Here.</b></p>'")
    assert page.locator("p.no-widget").count() == 0
    page.close()
