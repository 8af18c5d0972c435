"""Make slides of the built chapters: a deck a chapter, in _build/html/slides/, of the same words and figures.

python tools/slides.py    # after `make book`; `make slides` does both

A deck has the chapter's title and finding, a slide for every section that says something in bold (its first sentence,
its first figure or formula), what was found, and the chapter's quiz. It needs reveal.js, which the site serves itself.
"""

import re
import sys
from html import escape
from pathlib import Path
from urllib.parse import urljoin

import built
import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
DECK = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="stylesheet" href="../_static/vendor/reveal/reset.css">
<link rel="stylesheet" href="../_static/vendor/reveal/reveal.css">
<style>
.reveal {{ background: #fff; color: #1f2328; font: 32px/1.4 system-ui, sans-serif; }}
.reveal h1, .reveal h2 {{ font-size: 1.5em; line-height: 1.2; margin: 0 0 0.6em; }}
.reveal section {{ text-align: left; }}
.reveal p, .reveal li, .reveal details {{ font-size: 0.85em; margin: 0 0 0.6em; }}
.reveal ol, .reveal ul {{ padding-left: 1.2em; }}
.reveal svg, .reveal img {{ display: block; height: auto; margin: auto; max-height: 460px; max-width: 100%; }}
.reveal details {{ border: 1px solid #818b98; border-radius: 6px; padding: 0.2em 0.6em; }}
.reveal summary p, .reveal li p {{ display: inline; font-size: 1em; }}
.reveal strong {{ font-weight: bold; }}
.reveal em {{ font-style: italic; }}
.reveal a {{ color: #0a5cc2; }}
</style>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<noscript><p>These slides need JavaScript; <a href="../{page}.html">the chapter</a> does not.</p></noscript>
<script src="../_static/vendor/reveal/reveal.js"></script>
<script>
Reveal.initialize({{
  hash: true,
  width: 1100,
  height: 700,
  transition: matchMedia("(prefers-reduced-motion: reduce)").matches ? "none" : "slide",
  keyboardCondition: (event) => !(event.key === " " && event.target.closest("summary, button")), // it presses these
}});
</script>
{mathjax}
</body>
</html>
"""
MATHJAX = '<script src="../_static/vendor/mathjax/tex-mml-chtml.js"></script>'
SEEN = "What to see."
ROOM = 3  # findings on a slide
FIRST = re.compile(r"(?<=[.?!])\s+(?=[A-Z*<])")  # the end of a sentence


def main(arguments: list[str] | None = None) -> int:
    if not built.is_built(HTML, __doc__, arguments):
        return 1
    (HTML / "slides").mkdir(exist_ok=True)
    for page, quiz in chapters():
        texts = [(name, (HTML / f"{name}.html").read_text(encoding="utf8")) for name in (page, quiz) if name]
        made = HTML / "slides" / f"{Path(page).name}.html"
        made.write_text(deck(*texts), encoding="utf8")
        print(made.as_uri())
    return 0


def chapters() -> list[tuple[str, str | None]]:
    """Return the pages of the book's chapters, each with its quiz if it has one."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf8"))
    found = []
    for chapter in (one for part in toc["parts"] if part["caption"] == "Chapters" for one in part["chapters"]):
        below = [page["file"] for page in chapter.get("sections", [])]
        quiz = next((page for page in below if page.startswith("book/quiz/")), None)
        found.append((chapter["file"], quiz))
        found += [(page, None) for page in below if Path(page).parent == Path(chapter["file"]).parent]
    return found


def deck(page: tuple[str, str], quiz: tuple[str, str] = ("", "")) -> str:
    """Return the slides of a built page, and of its quiz's questions; of each the name and the text are given."""
    chapter = BeautifulSoup(at_home(*page), "html.parser").select_one("article h1").find_parent("section")
    for laboratory in chapter.select(".lab"):  # its parts are sections, too, and it needs its scripts
        laboratory.decompose()
    title = escape(heading(chapter))
    slides = [f"<h1>{title}</h1>{verdict(chapter)}{shown(chapter)}"]
    for section in chapter.find_all("section"):
        name = f"<h2>{escape(heading(section))}</h2>"
        slides += [name + some for some in lists(section)]
        if said := verdict(section):
            slides.append(name + said + shown(section))
    for question in BeautifulSoup(at_home(*quiz), "html.parser").select(".quiz"):
        slides.append(f"<h2>Quiz</h2>{question}")
    body = "\n".join(f"<section>{slide}</section>" for slide in slides)
    return DECK.format(title=title, slides=body, page=page[0], mathjax=MATHJAX if 'class="math' in body else "")


def heading(section: Tag) -> str:
    """Return a section's title, without its number and its link."""
    title = section.find(re.compile(r"^h\d$"), recursive=False)
    return "".join(part.get_text() for part in title.children if not (isinstance(part, Tag) and part.get("class")))


def verdict(section: Tag) -> str:
    """Return what a section says in bold at the head of a paragraph; after "What to see." the sentence that follows."""
    for paragraph in section.find_all("p", recursive=False):
        bold = next(paragraph.children, None)
        if isinstance(bold, Tag) and bold.name == "strong":
            if bold.get_text() != SEEN:
                return f"<p><strong>{bold.decode_contents()}</strong></p>"
            rest = paragraph.decode_contents().partition("</strong>")[2].strip()
            return f"<p>{FIRST.split(rest)[0]}</p>"
    return ""


def lists(section: Tag) -> list[str]:
    """Return what was found, as many findings at once as a slide has room for; nothing for any other section."""
    if heading(section) != "What was found":
        return []
    found = section.select("ol > li")
    starts = range(0, len(found), ROOM)
    return [f'<ol start="{at + 1}">{"".join(map(str, found[at : at + ROOM]))}</ol>' for at in starts]


def shown(section: Tag) -> str:
    """Return a section's first figure, or its first formula."""
    parts = [str(part) for part in section.find_all(True, recursive=False) if part.name != "section"]
    own = BeautifulSoup("".join(parts), "html.parser")
    return str(own.select_one(".cell_output svg[role=img], .cell_output img") or own.select_one("div.math") or "")


def at_home(name: str, text: str) -> str:
    """Return a page's text with links that lead from slides/ to where they lead from the page."""

    def led(link: re.Match) -> str:
        return link[1] + urljoin(f"file:///{name}.html", link[2]).replace("file:///", "../", 1)

    return re.sub(r'(<(?:a|img)\b[^>]*?\b(?:href|src)=")([^"]*)', led, text)


if __name__ == "__main__":
    sys.exit(main())
