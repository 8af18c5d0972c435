"""Drawings to take in hand and questions to guess at: what they compute, by hand, by keyboard and without a script."""

import re

import numpy as np
import pytest
from browser import OVERFLOW, Visit, chromium, faults, find_chromium, visits
from conftest import ROOT, script
from docutils.core import publish_doctree
from docutils.parsers.rst import directives
from docutils.utils import SystemMessage

exhibit = script("book/_ext/exhibit.py")

STATIC = ROOT / "book" / "_static"
NAMES = sorted(path.stem for path in exhibit.FOLDER.glob("*.html"))


def in_browser(test):
    """Mark a test that needs a browser."""
    return pytest.mark.slow(pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH")(test))


GUESS = """<div class="guess"><p>Which?</p><ul><li><p>One</p></li><li><p>Two</p></li></ul>
<details><summary>The answer</summary><p>Two.</p></details></div>"""


@pytest.fixture(scope="module")
def context():
    with chromium(reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def show(context, tmp_path):
    def write(body, *scripts):
        path = tmp_path / "page.html"
        loads = "".join(f'<script defer src="{STATIC / "exhibits" / name}.js"></script>' for name in scripts)
        path.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>t</title><link rel="stylesheet" href="{STATIC / "exhibits.css"}"><style>:root '
            f"{{--pst-color-link:#0a5cc2;--pst-color-text-base:#222}}</style>{loads}<main><h1>t</h1>{body}</main>",
            encoding="utf8",
        )
        return path

    with visits(context) as go:
        yield lambda body, *scripts: go(write(body, *scripts), settle=50).page


def drawing(name):
    html = (exhibit.FOLDER / f"{name}.html").read_text(encoding="utf8")
    return f'<figure class="exhibit" data-exhibit="{name}">{html}</figure>'


def score(points):
    x, y = np.array(points, dtype=float).T
    return np.corrcoef(x, y)[0, 1] ** 2


def places(page):
    return page.locator("circle").evaluate_all("dots => dots.map(d => [+d.getAttribute('cx'), +d.getAttribute('cy')])")


@in_browser
@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_has_words_fits_a_phone_and_stands_without_a_script_as_the_script_draws_it(show, name):
    still = show(drawing(name))
    moves = (exhibit.FOLDER / f"{name}.js").is_file()
    before = still.locator("svg").evaluate("svg => svg.outerHTML"), still.locator("output").all_inner_texts()
    assert still.locator("label:visible, .hint:visible, [role=slider]").count() == 0
    page = show(drawing(name), *[name] * moves)
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate(OVERFLOW) <= 0
    assert page.locator("svg").get_attribute("aria-label").strip()
    assert faults(page) == []
    page.evaluate(
        "() => {const first = document.querySelector('input, circle');"
        "first?.dispatchEvent(new Event('input', {bubbles: true}));"
        "for (const key of ['ArrowUp', 'ArrowDown']) first?.dispatchEvent(new KeyboardEvent('keydown', {key}));"
        "document.querySelector('svg').setAttribute('role', 'img'); const more = /^(aria-.*|role|style|tabindex)$/;"
        "for (const dot of document.querySelectorAll('circle'))"
        "for (const {name} of [...dot.attributes]) if (more.test(name)) dot.removeAttribute(name)}"
    )
    assert (page.locator("svg").evaluate("svg => svg.outerHTML"), page.locator("output").all_inner_texts()) == before
    assert page.locator(".hint:visible").count() == moves


@in_browser
def test_the_line_is_that_of_least_squares_by_hand_and_by_keyboard(show):
    page = show(drawing("least-squares"), "least-squares")
    first = places(page)
    assert numbers(page)[-1] == pytest.approx(score(first), abs=0.006)
    page.keyboard.press("Tab")
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    moved = places(page)
    assert np.subtract(moved, first).tolist() == [[10, -20]] + 6 * [[0, 0]]
    box = page.locator("circle").nth(6).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 250, box["y"] + 300)
    page.mouse.up()
    dragged = places(page)
    assert dragged[:6] == moved[:6]
    assert dragged[6] != moved[6]
    assert numbers(page)[-1] == pytest.approx(score(dragged), abs=0.006)
    assert numbers(page)[-1] < score(first) - 0.2


def numbers(page, **values):
    """Move sliders, and return what is said beside the drawing then."""
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(str(value))
    return [float(one) for one in re.findall(r"\d\.\d\d", page.locator("output").inner_text())]


@in_browser
def test_the_floor_and_the_scores_are_those_of_the_chapter(show):
    page = show(drawing("floor"), "floor")
    assert page.get_by_role("slider", name="tokens n", exact=True).count() == 1
    truth, floor, raw, adjusted = numbers(page, tokens=400, dimensions=100, noise=1)
    assert (truth, floor) == (0.5, 0.25)
    assert raw == pytest.approx(0.5 + 0.5 * 100 / 399, abs=0.04)
    assert adjusted == pytest.approx(0.5, abs=0.05)
    assert numbers(page, noise=4)[2] < raw  # less to explain
    assert numbers(page, tokens=100)[2] == 1  # any data, with too few tokens
    assert "whatever the data" in page.locator("output").inner_text()
    assert not page.locator("circle.adjusted").is_visible()


@in_browser
def test_a_choice_opens_the_answer_and_without_a_script_a_click_does(show):
    page = show(GUESS)
    assert not page.get_by_text("Two.").is_visible()
    page.get_by_text("The answer").click()
    assert page.get_by_text("Two.").is_visible()
    page = show(GUESS, "guess")
    assert not page.get_by_text("Two.").is_visible()
    page.get_by_role("button", name="One").press("Enter")
    assert page.get_by_text("Two.").is_visible()
    pressed = page.get_by_role("button").evaluate_all("all => all.map(one => one.ariaPressed)")
    assert pressed == ["true", "false"]


def built(text):
    for name, directive in (("exhibit", exhibit.Exhibit), ("guess", exhibit.Guess)):
        directives.register_directive(name, directive)
    return publish_doctree(text, settings_overrides={"halt_level": 3, "report_level": 5})


@in_browser
@pytest.mark.book
def test_exhibits_move_in_the_book(context):
    visit = Visit(context, ROOT / "_build" / "html" / "notebooks" / "01-linearity.html")
    page = visit.page
    assert page.locator(".exhibit .hint").count() == page.locator(".exhibit .hint:visible").count() == 2
    before = page.locator("output.found").inner_text()
    page.get_by_label("tokens n").fill("400")
    assert page.locator("output.found").inner_text() != before
    guess = page.locator(".guess").first
    guess.get_by_role("button").first.click()
    assert guess.locator("details[open]").count() == 1
    assert visit.complaints() == []
    page.close()


def test_a_page_loads_the_scripts_of_what_it_holds():
    guess = ".. guess:: Which?\n\n   - one\n   - two\n\n   Two."
    assert exhibit.scripts(built("Nothing.")) == exhibit.scripts(built(".. exhibit:: residual-block")) == set()
    assert exhibit.scripts(built(f".. exhibit:: floor\n\n{guess}")) == {"floor", "guess"}


@pytest.mark.parametrize(
    "text",
    [
        ".. exhibit:: nothing",
        ".. guess:: Which?\n\n   - one\n   - two",
        ".. guess:: Which?\n\n   - one\n\n   One.",
        ".. guess:: Which?\n\n   Two.",
        ".. guess:: Which?",
    ],
)
def test_what_cannot_be_shown_fails_the_build(text):
    with pytest.raises(SystemMessage):
        built(text)
