"""Words of the glossary are links where a page first uses them, and nowhere else."""

import pytest
from conftest import ROOT, script
from docutils.core import publish_doctree
from sphinx.addnodes import pending_xref

terms = script("book/_ext/terms.py")


def linked(text, *words):
    doctree = publish_doctree(text, settings_overrides={"report_level": 5})
    assert terms.link(doctree, sorted(words, key=len, reverse=True)) == {
        reference["reftarget"] for reference in doctree.findall(pending_xref)
    }
    return [(one["reftarget"], one.astext()) for one in doctree.findall(pending_xref)], doctree


def test_the_first_use_is_linked_and_the_longest_term_and_the_words_stay():
    text = "Outliers own it. One outlier, a token block, a token.\n\nAn outlier again: LS, not ls; Kendall\u2019s tau."
    found, doctree = linked(text, "outlier", "token", "token block", "LS", "Kendall's tau")
    words = [("outlier", "Outliers"), ("token block", "token block"), ("token", "token"), ("LS", "LS")]
    assert found == [*words, ("Kendall's tau", "Kendall\u2019s tau")]
    assert doctree.astext() == text


@pytest.mark.parametrize(
    "text",
    [
        "An outlier\n==========\n\n``outlier`` `outlier <https://example.org>`_ outliers2 my_outlier",
        ".. container:: guess\n\n   An outlier?",
        "outlier\n   no term of a list is prose",
        "===  =======\nno   outlier\n===  =======",
    ],
)
def test_what_is_no_prose_stays(text):
    assert linked(text, "outlier")[0] == []


def test_the_glossary_of_the_book_is_read():
    found = terms.terms_in((ROOT / "book" / "glossary.md").read_text(encoding="utf8"))
    assert {"outlier", "token block", "LS_res"} <= set(found)
    assert len(found) == len(set(found)) > 40
