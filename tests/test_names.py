"""Names that readers who hear a page need: what the theme leaves out is added, and nothing else changes."""

import pytest
from conftest import script

names = script("book/_ext/names.py")

TOGGLE = '<a class="x" href="a.html">1. Title &amp; more</a><details><summary><span class="toctree-toggle">'
PARAMETER = '<dd><em class="sig-param">x</em>,</dd>'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TOGGLE, TOGGLE.replace("<summary>", '<summary aria-label="Pages below: 1. Title &amp; more">')),
        ('<summary aria-label="Toggle hidden content">\n<p>Show</p>', "<summary>\n<p>Show</p>"),
        (
            '<button class="btn search-button-field b" aria-label="Search" c>',
            '<button class="btn search-button-field b" c>',
        ),
        (
            '<button class="btn search-button" aria-label="Search">',
            '<button class="btn search-button" aria-label="Search">',
        ),
        (
            f"(<dl>\n{PARAMETER}{PARAMETER}\n</dl>\n)",
            '(<span class="sig-list">'
            + 2 * '<span class="sig-item"><em class="sig-param">x</em>,</span>'
            + "\n</span>\n)",
        ),
        ("<dl>\n<dt>a</dt><dd>b</dd></dl>", "<dl>\n<dt>a</dt><dd>b</dd></dl>"),
        ("<details><summary>More</summary></details>", "<details><summary>More</summary></details>"),
    ],
)
def test_names(before, after):
    assert names.named(before) == after
    assert names.named(after) == after
