"""Give the controls of the theme the names that readers who hear a page need, and leave out names that hide the text.

axe-core finds these in every page (tests/test_browser.py), and they stand in the theme's own templates and in HTML that
other extensions write; so they are mended in the finished files.
"""

import re

# What a page holds, and what takes its place.
MENDED = (
    # The text inside says what a click does; the label said something else.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1"),
    # The parameters of a long signature: a list of definitions without anything defined.
    (
        r'<dl>\s*((?:<dd><em class="sig-param">.*?</dd>\s*)+)</dl>',
        lambda m: f'<span class="sig-list">{_items(m[1])}</span>',
    ),
    # Entries of the bibliography: a role that lists no longer take.
    (r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r'\1 role="listitem"'),
    # A button that opens a part of the table of contents.
    (
        r'(<a [^>]*>)([^<]*)(</a><details[^>]*><summary)(><span class="toctree-toggle")',
        lambda m: f'{m[1]}{m[2]}{m[3]} aria-label="Pages below: {_quoted(m[2])}"{m[4]}',
    ),
)


def named(html: str) -> str:
    """Return a page with its names mended; one that is mended already stays as it is."""
    for pattern, new in MENDED:
        html = re.sub(pattern, new, html, flags=re.DOTALL)
    return html


def _items(items: str) -> str:
    return items.replace("<dd>", '<span class="sig-item">').replace("</dd>", "</span>")


def _quoted(title: str) -> str:
    return title.strip().replace('"', "&quot;")


def mend(app, exception):
    """Mend every page that was written."""
    if exception is None and app.builder.format == "html":
        for path in app.outdir.rglob("*.html"):
            before = path.read_text(encoding="utf8")
            if (after := named(before)) != before:
                path.write_text(after, encoding="utf8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
