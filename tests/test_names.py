"""Names that readers who hear a page need: what the theme leaves out is added, and nothing else changes."""

import pytest
from conftest import script

names = script("book/_ext/names.py")

TOGGLE = '<a class="x" href="a.html">1. Title &amp; more</a><details><summary><span class="toctree-toggle">'
PARAMETER = '<dd><em class="sig-param">x</em>,</dd>'


SEARCH, MORE = 'aria-label="Search"', "<details><summary>More</summary></details>"
ITEM = '<span class="sig-item"><em class="sig-param">x</em>,</span>'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TOGGLE, TOGGLE.replace("<summary>", '<summary aria-label="Pages below: 1. Title &amp; more">')),
        ('<summary aria-label="Toggle hidden content">\n<p>Show</p>', "<summary>\n<p>Show</p>"),
        (f'<button class="btn search-button-field b" {SEARCH} c>', '<button class="btn search-button-field b" c>'),
        (f"(<dl>\n{PARAMETER}{PARAMETER}\n</dl>\n)", f'(<span class="sig-list">{ITEM}{ITEM}\n</span>\n)'),
        *((kept, kept) for kept in (f'<button class="btn search-button" {SEARCH}>', "<dl>\n<dt>a</dt></dl>", MORE)),
    ],
)
def test_names(before, after):
    assert names.named(before) == after
    assert names.named(after) == after
