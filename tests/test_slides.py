"""Slides are the built chapters' own words and figures, and need nothing from elsewhere."""

import re

import pytest
from bs4 import BeautifulSoup
from conftest import script

slides, assets = script("tools/slides.py"), script("tools/vendor_assets.py")

PAGE = """<article><section id="a"><h1><span class="section-number">1. </span>Title<a class="headerlink">#</a></h1>
<p>Opening.</p><p><strong>The finding.</strong> And more of it.</p>
<section id="b"><h2>Shown</h2><p>Before.</p>
<div class="cell"><div class="cell_output"><svg role="img" id="first"></svg>
<svg role="img" id="second"></svg></div></div>
<p><strong>What to see.</strong> It rises, e.g. here. Then it falls.</p>
<section id="c"><h3>Inside</h3><p><strong>Its own.</strong></p><div class="math">\\[x\\]</div></section></section>
<section id="d"><h2>Silent</h2><p>Nothing in <strong>bold</strong> at the head.</p></section>
<section id="e"><h2>What was found</h2><ol><li>One, see <a href="02.html">there</a>, <a href="#b">here</a>,
<a href="../book/a.html#x">a</a> and <a href="https://b.org">b</a>.</li></ol></section>
</section></article>"""
QUIZ = '<article><div class="quiz"><p>Which?</p></div><div class="quiz"><p>And which?</p></div></article>'


def deck(page, *quiz):
    return slides.deck(("notebooks/01", page), *(("book/quiz/01", one) for one in quiz))


def slides_of(*pages):
    return BeautifulSoup(deck(*pages), "html.parser").select(".slides > section")


def test_a_deck_says_what_the_page_says_in_bold():
    said = [" ".join(slide.get_text(" ").split()) for slide in slides_of(PAGE, QUIZ)]
    assert said == [
        "Title The finding.",
        "Shown It rises, e.g. here.",
        r"Inside Its own. \[x\]",
        "What was found One, see there , here , a and b .",
        "Quiz Which?",
        "Quiz And which?",
    ]
    found = [link["href"] for slide in slides_of(PAGE) for link in slide.select("a")]
    assert found == ["../notebooks/02.html", "../notebooks/01.html#b", "../book/a.html#x", "https://b.org"]
    assert "<h2>A &lt;b&gt;</h2>" in deck(PAGE.replace("<h2>Shown", "<h2>A &lt;b&gt;"))
    laboratory = '<div class="lab"><section><p class="lab-title">A</p><p><strong>Keep.</strong></p></section></div>'
    assert len(slides_of(PAGE.replace("<p>Before.</p>", laboratory))) == len(slides_of(PAGE))  # it is no slide


def test_a_slide_has_the_first_figure_of_its_own_section():
    title, shown, inside, *_ = slides_of(PAGE)
    assert [one["id"] for one in shown.select("svg")] == ["first"]
    assert not title.select("svg") + inside.select("svg")
    assert inside.select("div.math")


def test_long_lists_go_on_the_next_slide():
    items = "".join(f"<li>{n}</li>" for n in range(1, 6))
    many = re.sub(r"<ol>.*</ol>", f"<ol>{items}</ol>", PAGE, flags=re.DOTALL)
    lists = [slide.ol for slide in slides_of(many) if slide.ol]
    assert [(one["start"], one.get_text()) for one in lists] == [("1", "123"), ("4", "45")]


def test_a_deck_loads_only_what_the_site_has():
    held = {where + pattern.rpartition("/")[2] for p in assets.listed() for pattern, where in p.files.items()}
    loaded = set(re.findall(r'(?:href|src)="\.\./_static/vendor/([^"]+)"', deck(PAGE)))
    assert loaded
    assert loaded <= held
    assert not re.findall(r'(?:src|<link[^>]*href)="https?:', deck(PAGE))


@pytest.mark.book
def test_every_chapter_of_the_book_makes_a_deck():
    for page, quiz in slides.chapters():
        pages = [(slides.HTML / f"{name}.html").read_text(encoding="utf8") for name in (page, quiz) if name]
        made = slides_of(*pages)
        assert len(made) >= (8 if quiz else 3), page
        assert any(slide.select("svg[role=img], img") for slide in made) or not quiz, page
