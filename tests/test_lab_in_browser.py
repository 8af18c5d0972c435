"""The laboratory in a real browser, from disk, with the network off: by hand, by keyboard, on a phone, on paper."""

# ruff: noqa: F811 (fixtures of test_lab are imported by name)

import json

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
from browser import OVERFLOW, Visit, chromium, faults, find_chromium, visits
from test_lab import NAME, OPTIONS, ROOT, TEXT, folder, in_torch, lab, moments, packed, small  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH")]

# What the book's theme gives, and its letters on their ground.
THEMES = {
    "light": "--pst-color-primary:#0a5cc2; --pst-color-background:#fff; --pst-color-surface:#f3f4f5;"
    "--pst-color-text-base:#222832; --pst-color-text-muted:#48566b; --pst-color-border:#d1d5da",
    "dark": "--pst-color-primary:#7fb2ff; --pst-color-background:#14181e; --pst-color-surface:#29313d;"
    "--pst-color-text-base:#ced6dd; --pst-color-text-muted:#9ca4af; --pst-color-border:#48566b",
}


@pytest.fixture(scope="module")
def page_file(folder):
    """A page with the laboratory, as the directive makes it."""

    def write(theme="light", **options):
        options = OPTIONS | {"text": TEXT} | options
        scripts = "".join(f'<script defer src="{name}"></script>' for name in lab.SCRIPTS)
        facts = f'data-model="{options["model"]}" data-preset="{options["preset"]}"'
        ground = "background: var(--pst-color-background); margin: 8px"
        path = folder / "page.html"
        path.write_text(
            f"""<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8"><title>t</title>
            <meta name="viewport" content="width=device-width"><link rel="stylesheet" href="lab.css">
            <style>:root {{{THEMES[theme]}}} body {{{ground}}} * {{box-sizing: border-box}}</style>{scripts}
            <article><div class="lab" id="x" {facts}>{lab.drawn(json.dumps(options), folder)}</div></article></html>""",
            encoding="utf8",
        )
        return path

    return write


@pytest.fixture(scope="module")
def context():
    with chromium(reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def visit(context, page_file):
    with visits(context) as go:
        yield lambda **options: go(page_file(**options), settle=50)


def rest(page):
    page.wait_for_function("() => document.querySelector('.lab-panel[aria-busy=false]')")


def choose(page, name):
    """Press one of the prepared changes."""
    page.get_by_role("button", name=name).click()
    rest(page)


def losses(page) -> list[float]:
    return [float(text) for text in page.locator(".lab-loss b").all_inner_texts()]


def panels(page) -> list[str]:
    return page.locator(".lab-panel > div").evaluate_all("all => all.map(one => one.innerHTML)")


def loaded(page) -> list[str]:
    """Return the models that the page has asked for."""
    scripts = page.locator("script").evaluate_all("scripts => scripts.map(script => script.src)")
    return [src.rpartition("/")[2].removesuffix(".js") for src in scripts if "/stories" in src]


def type_text(page, text):
    page.get_by_label("The beginning of a story").fill(text)
    rest(page)


def test_nothing_is_loaded_until_it_is_used_and_nothing_changes_when_it_is(visit):
    page = visit().page
    drawn = panels(page)
    assert loaded(page) == []
    page.locator("textarea").focus()
    rest(page)
    assert loaded(page) == [NAME]
    assert panels(page) == drawn
    assert page.locator("[aria-busy] :is(textarea, input)").count() == 0  # what the reader is in is never busy


def test_a_changed_layer_changes_everything_beside_the_whole_model(visit, small, moments):
    page = visit().page
    first, size = "Remove the first layer", page.get_by_role("slider", name="Size of the update of layer 8")
    choose(page, first)
    wanted = [in_torch(small, moments, TEXT, changes, {})["loss"] for changes in ({}, {1: "remove"})]
    assert losses(page) == pytest.approx(wanted, abs=0.006)
    assert wanted[1] > wanted[0] + 1
    assert page.locator(".lab-panel-next th").all_inner_texts()[1:3] == ["whole model", "changed"]
    whole, changed = page.locator(".lab-panel-story mark").all_inner_texts()
    assert whole != changed
    assert page.get_by_role("button", name=first).get_attribute("aria-pressed") == "true"
    choose(page, "Whole model")
    assert losses(page) == pytest.approx(wanted[:1], abs=0.006)
    size.fill("0")
    rest(page)
    none = losses(page)
    size.fill("1")
    page.locator("[data-layer='8'] [value=remove]").check(force=True)
    rest(page)
    assert losses(page) == none
    assert size.is_disabled()


def test_every_keystroke_counts_and_the_last_one_wins(visit):
    page = visit(text="Once").page
    page.get_by_label("The beginning of a story").press("Control+End")
    page.keyboard.type(" upon a time", delay=5)
    rest(page)
    assert page.locator(".lab-tokens button").all_inner_texts() == ["start", "Once", "·upon", "·a", "·time"]
    typed = losses(page)
    type_text(page, "x")
    type_text(page, "Once upon a time")
    assert losses(page) == typed


def test_it_works_by_keyboard_alone(visit):
    page = visit().page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    rest(page)
    stops = []
    while (stop := page.evaluate("document.activeElement.outerHTML.slice(0, 300)")) not in stops and len(stops) < 60:
        stops.append(stop)
        page.keyboard.press("Tab")
    assert sum("data-token" in stop for stop in stops) == 1
    assert sum("gridcell" in stop for stop in stops) == 1
    assert sum('type="radio"' in stop for stop in stops) == sum('type="range"' in stop for stop in stops) == 8
    page.locator(".lab-tokens [tabindex='0']").focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    focused = page.evaluate("[document.activeElement.dataset.token, document.activeElement.ariaChecked]")
    assert focused == ["2", "true"]
    page.keyboard.press("Control+Home")  # the browser's own
    assert page.evaluate("document.activeElement.dataset.token") == "2"
    assert page.locator(".lab-follows").count() == 1
    before = losses(page)
    page.locator("[data-layer='1'] :checked").focus()
    page.keyboard.press("ArrowRight")
    rest(page)
    assert len(losses(page)) == len(before) + 1
    page.locator("[role=gridcell][tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    where = page.evaluate("document.activeElement.ariaLabel")
    assert where.split(": ")[0].endswith("layer 3")
    assert page.locator(".lab-panel-errors .lab-line").inner_text() == where + "."


def test_a_changed_result_is_said_at_rest_and_words_that_no_story_has_are_named(visit):
    page = visit().page
    status, note = page.locator("[role=status]"), page.locator(".lab-note")
    type_text(page, "Once upon a")
    assert status.inner_text() == ""
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('most likely “time”')")
    type_text(page, "Once upon a time, a girl wrote an algorithm. Her computer")
    assert "“algorithm”" in note.inner_text()
    assert "“girl”" not in note.inner_text()
    assert "“computer”" not in note.inner_text()  # it may become another word
    said = "text => document.querySelector('[role=status]').innerText.includes(text)"
    page.wait_for_function(said, arg="Not a word of the stories")
    page.locator("[data-token='1']").click()
    page.wait_for_function(said, arg="after “Once”")
    assert "Not a word" not in status.inner_text()  # once is enough
    type_text(page, "It's")
    page.wait_for_function(said, arg="after “'s”")  # no &#39;
    type_text(page, "Once upon a time, a girl")
    assert note.inner_text() == ""


def test_any_text_will_do_and_a_sibling_comes_by_the_menu(visit):
    page = visit().page
    for text in ("", " ", "🙂", "<|endoftext|>", "</textarea><img src=x onerror=boom()>", "a " * 500):
        type_text(page, text)
        assert page.locator(".lab-tokens button").count() <= 200
        assert page.locator("article img").count() == 0
        assert ("first 200 tokens" in page.locator(".lab-note").inner_text()) == (len(text) > 900)
    page.get_by_label("Model").select_option("stories-1m-mse")
    rest(page)
    assert loaded(page)[-1] == "stories-1m-mse"


def test_a_change_goes_to_the_model_that_was_asked_for_and_a_token_waits_until_it_is_read(visit):
    page = visit(text="Once upon").page
    page.locator("textarea").focus()
    rest(page)
    page.evaluate(
        "() => {linstudyLab.PRESETS['most-linear'].changes = ({name}) => ({[name.endsWith('mse') ? 2 : 5]: 'remove'});"
        "document.querySelector('select').value = 'stories-1m-mse';"
        "document.querySelector('select').dispatchEvent(new Event('input', {bubbles: true}));"
        "document.querySelector('[data-preset=most-linear]').click()}"
    )
    rest(page)
    assert page.locator("[value=remove]:checked").evaluate_all("all => all.map(one => one.name.at(-1))") == ["2"]
    page.evaluate(  # the second token is pressed when nothing is read but the start
        "() => {const read = linstudyLab.readText; linstudyLab.readText = function* (...given) {"
        "for (const step of read(...given)) {document.querySelector('[data-token=\"1\"]').click(); yield step;}}}"
    )
    type_text(page, "A long time ago")
    assert page.locator("[aria-checked=true]").get_attribute("data-token") == "1"


def test_a_model_that_cannot_be_loaded_is_told(context, page_file, folder):
    path, gone = page_file(), folder / f"{NAME}.js"
    whole = gone.read_text(encoding="utf8")
    try:
        page = Visit(context, path, settle=50).page
        for part in (None, whole[: len(whole) // 2]):  # it is not there, or half of it
            gone.unlink() if part is None else gone.write_text(part, encoding="utf8")
            page.locator("textarea").press("x")
            rest(page)
            assert all("be loaded" in said for said in page.locator(".lab-note, .lab-status").all_text_contents())
    finally:
        gone.write_text(whole, encoding="utf8")
    type_text(page, TEXT)
    assert page.locator(".lab-note").text_content() == ""
    page.close()


def test_a_small_instance_shows_what_was_asked_for(visit):
    page = visit(show=["tokens", "story"], preset="four-maps").page
    drawn = panels(page)
    page.locator("textarea").focus()
    rest(page)
    assert panels(page) == drawn
    assert page.locator(".lab-panel:visible").count() == 2
    assert page.get_by_role("button", name="Whole model").count() == 0
    assert len(losses(page)) == 2


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_its_controls_have_names_and_it_fits(visit, theme):
    page = visit(theme=theme).page
    choose(page, "Replace four layers by maps")
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVERFLOW) <= 0
        assert faults(page, ".lab") == []
        assert page.locator(".lab-wide").evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_without_scripts_and_on_paper_the_results_stand_and_the_controls_do_not(context, page_file, visit):
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(page_file().as_uri())
    assert page.locator(".lab-tokens").is_visible()
    assert page.locator(".lab-panel-errors table").is_visible()
    assert page.locator("textarea, .lab-layer, button:enabled, td[tabindex='0']").filter(visible=True).count() == 0
    page.close()
    page = visit().page
    assert page.locator("textarea").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("textarea").is_visible()
    assert page.locator(".lab-panel-errors table").is_visible()


# ---- in the built book


@pytest.mark.book
def test_the_laboratory_works_in_the_book(context):
    visit = Visit(context, ROOT / "_build" / "html" / "book" / "lab.html")
    page = visit.page
    choose(page, "Remove the first layer")
    whole, changed = losses(page)
    assert changed > whole + 1
    assert visit.complaints() == []
    page.close()
