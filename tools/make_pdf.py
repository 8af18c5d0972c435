"""Print the built book: every page of it, in the order of its table of contents, as one PDF in _build/release/.

python tools/make_pdf.py    # after `make book`; `make pdf` does both

The pages' own HTML is put into one file, links between pages lead inside it, and a headless Chromium prints it. What
moves on a page stands still: a chooser shows its first picture, the laboratory the sentence that it was built with.
"""

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import built
import yaml
from bs4 import BeautifulSoup, Tag

from casebook.reach import NO_CHROMIUM, find_chromium

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "release" / "secretly-linear.pdf"
# Code that a page folds away, what only a click can use, and the longest tables, which are files beside the book.
LEFT_OUT = ".headerlink, script, p.no-widget, details.hide, .linstudy-data, .exhibit label, .exhibit .hint, .lab-note"
LEFT_OUT += ", details:has(> .scroll)"
MINUTES = 10
PAGE = """<!doctype html>
<html lang="en" data-theme="light" data-mode="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
{styles}
<link rel="stylesheet" href="_static/print.css">
<script>window.MathJax = {{options: {{processHtmlClass: "tex2jax_process|mathjax_process|math|output_area"}}}}</script>
<script defer src="_static/vendor/mathjax/tex-mml-chtml.js"></script>
</head>
<body>
<section class="title-page"><h1>{title}</h1><p>{author}, {copyright}</p><p><a href="{url}">{url}</a></p>
<p>Text and figures: CC BY 4.0. Code: MIT.</p></section>
<nav><h1>Contents</h1>{contents}</nav>
<main class="bd-content"><article class="bd-article">
{pages}
</article></main>
</body>
</html>
"""
MARGIN = 20  # mm, left and right
ACROSS = int((210 - 2 * MARGIN) / 25.4 * 96)  # px, what is left of A4
FOOT = '<p style="font: 8px sans-serif; margin: 0 auto"><span class="pageNumber"></span></p>'


def main(arguments: list[str] | None = None) -> int:
    if not built.is_built(HTML, __doc__, arguments):
        return 1
    if find_chromium() is None:
        print(f"there is no Chromium to print the book with; run: {NO_CHROMIUM}", file=sys.stderr)
        return 1
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf8"))
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf8"))
    together = HTML / "whole-book.html"  # beside what it links to
    try:
        together.write_text(whole(list(pages_of(toc)), HTML, config), encoding="utf8")
        printed(together, TARGET)
    finally:
        together.unlink(missing_ok=True)
    print(TARGET.as_uri())
    return 0


def pages_of(entry: dict) -> Iterator[tuple[str, int]]:
    """Return the names of all pages below an entry of the table of contents, each with its depth, in their order."""
    if "root" in entry:
        yield entry["root"], 0
    for part in entry.get("parts", [entry]):
        for page in [*part.get("chapters", []), *part.get("sections", [])]:
            yield page["file"], 0
            yield from ((name, depth + 1) for name, depth in pages_of({"sections": page.get("sections", [])}))


def whole(names: list[tuple[str, int]], folder: Path, config: dict) -> str:
    """Return the HTML of all pages together, for a file at the top of their folder."""
    texts = {name: (folder / f"{name}.html").read_text(encoding="utf8") for name, _ in names}
    made = [page(name, text, set(texts)) for name, text in texts.items()]
    entries = [
        f'<p style="margin-left:{depth}rem"><a href="#{anchor(name)}">{escape(section.h1.get_text())}</a></p>'
        for (name, depth), section in zip(names, made, strict=True)
    ]
    styles = dict.fromkeys(style for name, text in texts.items() for style in styles_of(name, text))
    return PAGE.format(
        title=escape(config["title"]),
        author=escape(config["author"]),
        copyright=config["copyright"],
        url=config["repository"]["url"],
        contents="\n".join(entries),
        styles="\n".join(f'<link rel="stylesheet" href="{style}">' for style in styles),
        pages="\n".join(map(str, made)),
    )


def anchor(name: str, fragment: str = "") -> str:
    """Return the id of a page in the whole book, or of a place on it."""
    return f"{name.replace('/', '-')}{'--' if fragment else ''}{fragment}"


def styles_of(name: str, text: str) -> list[str]:
    """Return the style sheets of a page, as the top of the folder sees them."""
    found = BeautifulSoup(text.partition("</head>")[0], "html.parser").select("link[rel=stylesheet]")
    return [normpath(join(dirname(name), urlsplit(link["href"]).path)) for link in found]


def page(name: str, text: str, names: set[str]) -> Tag:
    """Return a page's section as it is printed: what moves stands still, and links to `names` lead inside the book."""
    section = BeautifulSoup(text, "html.parser").select_one("article h1").find_parent("section")
    for tag in section.select(LEFT_OUT):
        tag.decompose()
    for tag in section.select("noscript"):  # what readers without scripts see is what paper can show
        tag.unwrap()
    for tag in section.select("details:not(:has(table))"):
        tag["open"] = ""
    for tag in section.select("[id]:not(svg, svg *)"):  # a drawing's own names stay, for its own links
        tag["id"] = anchor(name, tag["id"])
    for tag in section.select("a[href]:not(svg *)"):
        if link := led(name, tag["href"], names):
            tag["href"] = link
        else:
            del tag["href"]  # a file of the site: from paper it would lead to the disk that this was printed on
    for tag in section.select("img[src]"):
        if not urlsplit(tag["src"]).scheme:
            tag["src"] = normpath(join(dirname(name), tag["src"]))
    section["id"] = anchor(name)
    return section


def led(name: str, link: str, names: set[str]) -> str | None:
    """Return where a link on a page leads in the whole book: to a page of `names`, or elsewhere; else None."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return link
    path = normpath(join(dirname(name), unquote(parts.path))) if parts.path else f"{name}.html"
    target = path.removesuffix(".html")
    return f"#{anchor(target, parts.fragment)}" if target in names else None


def printed(source: Path, target: Path) -> None:
    """Print a file with Chromium, with the numbers of its pages and its headings as an outline."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import OVERFLOW, Visit, chromium

    from linstudy.files import written_whole

    with chromium() as context, written_whole(target) as made:
        context.set_default_timeout(MINUTES * 60_000)
        visit = Visit(context, source)
        visit.page.evaluate("() => window.MathJax.startup.promise")
        visit.page.emulate_media(media="print")
        visit.page.set_viewport_size({"width": ACROSS, "height": 900})
        if (wide := visit.page.evaluate(OVERFLOW)) > 0:  # Chromium would print the whole book that much smaller
            raise SystemExit(f"the book was not printed: something in it is {wide} px wider than the paper")
        visit.page.pdf(
            path=made,
            format="A4",
            margin={"top": "18mm", "bottom": "18mm", "left": f"{MARGIN}mm", "right": f"{MARGIN}mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOT,
            print_background=True,
            tagged=True,
            outline=True,
        )
        if complaints := visit.complaints():
            raise SystemExit(f"the book was not printed: {'; '.join(complaints[:5])}")


if __name__ == "__main__":
    sys.exit(main())
