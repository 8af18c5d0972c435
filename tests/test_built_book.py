"""The built book as files: links, widgets and their state, sizes. No browser, no network."""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
NAVIGATION = {"canonical", "index", "search", "next", "prev", "author", "copyright"}  # links a browser does not load
MEGABYTE = 1_000_000


class Page(HTMLParser):
    """What a built page links to, loads and holds."""

    def __init__(self, text: str):
        super().__init__()
        self.ids, self.links, self.loads, self.views, self.state_bytes = set(), [], [], 0, 0
        self._kind = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "object", "embed"):
            self.loads += [found[key] for key in ("src", "data") if found.get(key)]
        if tag == "link" and found.get("href") and not NAVIGATION & set((found.get("rel") or "").split()):
            self.loads.append(found["href"])
        if tag == "script":
            self._kind = found.get("type")

    def handle_data(self, data):
        self.views += self._kind == VIEW
        self.state_bytes += len(data.encode()) * (self._kind == STATE)

    def handle_endtag(self, tag):
        if tag == "script":
            self._kind = None


def read_pages(folder: Path) -> dict[str, Page]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    names = [name for name in names if not name.startswith("_static/")]
    return {name: Page((folder / name).read_text(encoding="utf8")) for name in names}


def broken(name: str, pages: dict[str, Page], folder: Path) -> list[str]:
    """Return the addresses on a page that lead nowhere inside the book."""
    wrong = []
    for url in pages[name].links + pages[name].loads:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        path, anchor = unquote(parts.path), unquote(parts.fragment)
        target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if not (folder / target).exists() or (anchor and target in pages and anchor not in pages[target].ids):
            wrong.append(url)
    return wrong


PAGES = read_pages(HTML)
CHAPTERS = [name for name in PAGES if name.startswith(("book/", "notebooks/"))]


in_the_book = pytest.mark.book


def without_data(text: str) -> list[str]:
    """Return the beginnings of the figures on a page, in its choosers too, below which no table can be had."""
    page = BeautifulSoup(text, "html.parser")
    alone = [
        one.find_parent("figure") or one.parent for one in page.select(".cell_output svg[role=img], .cell_output img")
    ]
    states = page.select(f'script[type="{STATE}"]')
    models = [model["state"] for state in states for model in json.loads(state.string)["state"].values()]
    shown = [BeautifulSoup(m["value"], "html.parser") for m in models if "<figure" in str(m.get("value"))]
    return [str(one)[:100] for one in [*alone, *shown] if not one.select(".linstudy-data a[download]")]


@in_the_book
@pytest.mark.parametrize("name", PAGES or ["-"])
def test_links_lead_somewhere_figures_have_their_numbers_and_widgets_their_note_and_little_state(name):
    text = (HTML / name).read_text(encoding="utf8")
    assert broken(name, PAGES, HTML) == []
    assert without_data(text) == []
    assert PAGES[name].state_bytes <= 2 * MEGABYTE
    assert not re.search(r"<pre>[^<]*(HBox|VBox|Stack|IntSlider|Dropdown)\(children=", text)  # a widget as text
    assert text.count('<noscript><p class="no-widget">') == PAGES[name].views


@in_the_book
def test_every_notebook_has_a_colab_button():
    for name in CHAPTERS:
        colab = [url for url in PAGES[name].links if url.startswith("https://colab.research.google.com/github/")]
        targets = [url.partition("/blob/main/")[2] for url in colab]
        assert targets == ([name.removesuffix(".html") + ".ipynb"] if name.startswith("notebooks/") else [])
        assert all((ROOT / target).is_file() for target in targets)


@in_the_book
def test_site_is_at_most_forty_megabytes():
    # The whole book on one page lies there while a test beside this one prints it.
    files = [path for path in HTML.rglob("*") if path.name != "whole-book.html" and path.is_file()]
    sizes = {path: path.stat().st_size for path in files}
    largest = sorted(sizes, key=sizes.get)[-5:]
    assert sum(sizes.values()) <= 40 * MEGABYTE, [path.name for path in largest]


# The checks on pages made to fail them.


@pytest.mark.parametrize(
    ("link", "whole"),
    [("b.html", True), ("b.html#here", True), ("#top", True), ("c.html", False), ("b.html#gone", False)],
)
def test_broken_links_are_noticed(tmp_path, link, whole):
    (tmp_path / "a.html").write_text(f'<p id="top"><a href="{link}">x</a></p>')
    (tmp_path / "b.html").write_text('<p id="here">b</p>')
    assert (broken("a.html", read_pages(tmp_path), tmp_path) == []) is whole


def test_widgets_and_their_state_are_read():
    page = Page(f'<script type="{VIEW}">{{"model_id": "m"}}</script><script type="{STATE}">{{"state": {{}}}}</script>')
    assert (page.views, page.state_bytes) == (1, 13)


def test_figures_without_their_numbers_are_noticed():
    data = '<details class="linstudy-data"><a download="a.csv">CSV</a></details>'
    for held, count in ((data, 0), ("", 1)):
        figure = f'<svg role="img"></svg>{held}'
        assert len(without_data(f'<div class="cell_output"><div>{figure}</div></div>')) == count
        state = json.dumps({"state": {"m": {"state": {"value": f"<figure>{figure}</figure>"}}}})
        assert len(without_data(f'<script type="{STATE}">{state}</script>')) == count
