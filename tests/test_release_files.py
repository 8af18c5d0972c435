"""What a release holds: the whole book on paper, with its figures and its own links, and a zip with sums."""

import ctypes
import hashlib
import zipfile

import pytest
import yaml
from browser import find_chromium
from conftest import ROOT, script

make_pdf, make_zip = script("tools/make_pdf.py"), script("tools/make_zip.py")
TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
HEAD = '<html><head><link rel="stylesheet" href="../_static/a.css?v=1"></head><article><section id="s">'
ONE = f"""{HEAD}<h1>One<a class="headerlink" href="#s">#</a></h1><p id="here">
<a href="#here">a</a> <a href="two.html">b</a> <a href="../book/three.html#x">c</a> <a href="https://d.org">d</a>
<a href="../_downloads/e.csv">e</a></p><script>boom()</script>
<noscript><p class="no-widget">note</p></noscript><div><noscript><svg role="img" id="own"></svg></noscript></div>
<details class="hide"><summary>code</summary>code</details><details><summary>Answer</summary><p>Yes.</p></details>
<details><summary>Rows</summary><table></table></details>
<details><summary>Numbers</summary><div class="scroll"><table></table></div></details>
<img src="../_images/f.png"></section></article></html>"""


def test_pages_stand_in_the_order_of_the_table_of_contents():
    first = [{"file": "b", "sections": [{"file": "c"}, {"file": "d"}]}, {"file": "e"}]
    toc = {"root": "book/a", "parts": [{"chapters": first}, {"chapters": [{"file": "f"}]}]}
    assert list(make_pdf.pages_of(toc)) == [("book/a", 0), ("b", 0), ("c", 1), ("d", 1), ("e", 0), ("f", 0)]


def test_what_moves_on_a_page_stands_still_on_paper_and_links_lead_inside_the_book():
    section = make_pdf.page("notebooks/one", ONE, {"notebooks/one", "notebooks/two", "book/three"})
    assert not section.select("script, noscript, .no-widget, .headerlink, details.hide")
    assert section.select_one("svg[role=img]")["id"] == "own"
    assert [one.has_attr("open") for one in section.select("details")] == [True, False]  # no figure's
    links = ["#notebooks-one--here", "#notebooks-two", "#book-three--x", "https://d.org", None]
    assert [link.get("href") for link in section.select("a")] == links
    assert (section["id"], section.select_one("p")["id"]) == ("notebooks-one", "notebooks-one--here")
    assert section.select_one("img")["src"] == "_images/f.png"
    assert make_pdf.styles_of("notebooks/one", ONE) == ["_static/a.css"]


def test_the_same_pages_give_the_same_zip_and_its_sum_is_beside_it(tmp_path):
    (tmp_path / "html" / "a").mkdir(parents=True)
    (tmp_path / "html" / "a" / "b.html").write_text("b")
    (tmp_path / "html" / "index.html").write_text("i")
    first, second = (make_zip.packed(tmp_path / "html", tmp_path / name / "x-1.zip") for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == ["x-1/a/b.html", "x-1/index.html"]
    (tmp_path / "one" / "notes.txt").write_text("not released")
    assert make_zip.sums(first.parent) == f"{hashlib.sha256(first.read_bytes()).hexdigest()}  x-1.zip\n"


@pytest.mark.parametrize("made", [make_pdf, make_zip, script("tools/slides.py")], ids=lambda made: made.__name__)
def test_without_a_book_it_says_what_to_do(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(made, "HTML", tmp_path)
    assert made.main([]) == 1
    assert "run: make book" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.book
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH")
def test_the_pdf_has_every_page_of_the_book_its_figures_an_outline_and_contents_that_lead_to_them(tmp_path):
    reader = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    import pypdfium2.raw as pdf

    pages, source = list(make_pdf.pages_of(TOC)), make_pdf.HTML / "whole-book.html"
    try:
        source.write_text(make_pdf.whole(pages, make_pdf.HTML, CONFIG), encoding="utf8")
        make_pdf.printed(source, tmp_path / "book.pdf")
    finally:
        source.unlink(missing_ok=True)
    with reader.PdfDocument(tmp_path / "book.pdf") as printed:
        entries = list(printed.get_toc())
        for title in (entry.get_title() for entry in entries):
            assert title[: len(title) // 2] != title[len(title) // 2 :]  # every title once
        first = [entry for entry in entries if entry.level == 0][2:]  # after the title page and the contents
        starts = [entry.get_dest().get_index() for entry in first]
        for (name, _), entry, start, end in zip(pages, first, starts, [*starts[1:], len(printed)], strict=True):
            section = make_pdf.page(name, (make_pdf.HTML / f"{name}.html").read_text(encoding="utf8"), set())
            title = section.h1.get_text()
            assert "".join(title.split()) == "".join(entry.get_title().split())
            figures = section.select(".cell_output svg[role=img], .cell_output img, .exhibit svg")
            kinds = (pdf.FPDF_PAGEOBJ_PATH, pdf.FPDF_PAGEOBJ_IMAGE)
            drawn = sum(len(list(printed[at].get_objects(filter=kinds))) for at in range(start, end))
            assert drawn >= 20 * len(figures), name
        for at in (2, len(printed) // 2, len(printed) - 1):
            assert printed[at].get_textpage().get_text_bounded().split()[-1] == str(at + 1)
        contents, targets, position, link = printed[1], [], ctypes.c_int(0), pdf.FPDF_LINK()
        while pdf.FPDFLink_Enumerate(contents.raw, ctypes.byref(position), ctypes.byref(link)):
            targets.append(pdf.FPDFDest_GetDestPageIndex(printed.raw, pdf.FPDFLink_GetDest(printed.raw, link)))
        assert len(targets) >= len(pages)
        assert set(starts) <= set(targets)
