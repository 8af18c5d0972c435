"""Opens pages in Chromium with the network cut off, and asks them what a reader would notice."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebook.reach import find_chromium

TESTS = Path(__file__).resolve().parent
AXE = TESTS.parent / "book" / "_vendor" / "vendor" / ".tests" / "axe.min.js"
OWN = ("file:", "data:", "blob:", "about:")
HARMLESS = ("strict mode: use allowUnionTypes",)  # a remark of the html-manager about its own schema


def js(name: str) -> str:
    """Return a function in JavaScript, to be run in a page or by node."""
    return (TESTS / "js" / f"{name}.js").read_text(encoding="utf8").strip()


@contextlib.contextmanager
def chromium(**options) -> Iterator:
    """Yield a browser context: headless, offline, with an empty profile."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
            offline=True,
            **{"viewport": {"width": 1280, "height": 1000}} | options,
        )
        try:
            yield context
        finally:
            context.close()


class Visit:
    """An open page and what went wrong on it: requests that tried to leave, loads that failed, errors."""

    def __init__(self, context, path: Path, *, settle: int = 300):
        self.foreign, self.failed, self.errors = [], [], []
        self.page = context.new_page()
        self.page.route(lambda url: not url.startswith(OWN), self._refuse)
        self.page.on("websocket", lambda socket: self.foreign.append(socket.url))
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.goto(path.resolve().as_uri(), wait_until="load")
        self.page.wait_for_function(WIDGETS_READY)
        self.page.wait_for_timeout(settle)

    def _refuse(self, route):
        self.foreign.append(route.request.url)
        route.abort()

    def _console(self, message):
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.errors.append(message.text)

    def dress(self, scheme: str) -> None:
        """Turn a page of the book light or dark, and wait until its colours have faded over."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        self.page.wait_for_timeout(400)

    def complaints(self) -> list[str]:
        """Return everything that went wrong so far, in words."""
        return (
            [f"asked for {url}" for url in self.foreign]
            + [f"could not load {url}" for url in self.failed if url not in self.foreign]
            + [f"said {text}" for text in self.errors if "ERR_FAILED" not in text]
        )


@contextlib.contextmanager
def visits(context, *, quiet: bool = True) -> Iterator:
    """Yield what opens pages, which are closed at the end; with ``quiet`` nothing may have gone wrong on any."""
    opened = []

    def go(path: Path, **options) -> Visit:
        opened.append(Visit(context, path, **options))
        return opened[-1]

    yield go
    for one in opened:
        assert not quiet or one.complaints() == []
        one.page.close()


# A widget stands right before the script that describes it, once MathJax and the html-manager have done their work.
WIDGETS_READY = js("widgets_ready")

# [{src, alt}] of the pictures that can be seen in a widget
PICTURES = js("pictures")

# Roles and accessible names of the controls in a widget, in the order of the page
CONTROLS = "select, input:not([type=hidden]), [role=slider]"

# How many pixels the page is wider than the window
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

# What axe-core finds that is serious or critical, as ["rule: element"]
FAULTS = js("faults")


def faults(page, where: str = "html") -> list[str]:
    """Return what axe-core finds serious or critical in a page: faint letters, pictures and controls without a name."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: run tools/vendor_assets.py")
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=AXE.read_text(encoding="utf8"))
    return page.evaluate(FAULTS, where)


# The controls and links that look the same with the keyboard's focus on them as without it
UNMARKED = js("unmarked")


def unmarked(page) -> list[str]:
    """Return what does not show that the keyboard's focus is on it."""
    page.keyboard.press("Tab")  # so that the browser takes the reader for one who uses the keyboard
    return page.evaluate(UNMARKED)


# Boxes of the text, and what in them reaches over their right edge; what scrolls in its own box does not
WIDER = js("wider")
