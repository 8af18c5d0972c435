"""Link the words of the glossary where a page first uses them: in a notebook on Colab a role would be noise."""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

GLOSSARY = Path(__file__).resolve().parents[1] / "glossary.md"
# Where a word is a name, a formula or a choice to press, and no prose.
ELSEWHERE = (nodes.title, nodes.term, nodes.literal, nodes.math, nodes.reference, nodes.footnote, nodes.citation)
ELSEWHERE += (addnodes.pending_xref, addnodes.desc, nodes.table, nodes.caption)
BOXES = {"guess", "quiz", "cell", "sd-card", "costs", "toctree-wrapper"}


def terms_in(glossary: str) -> list[str]:
    """Return the terms of a glossary's Markdown, the longest first: its lines that begin at the margin."""
    body = glossary.partition(":::{glossary}\n")[2].partition("\n:::")[0]
    return sorted((line for line in body.splitlines() if line and not line[0].isspace()), key=len, reverse=True)


def link(doctree: nodes.Node, terms: list[str], page: str = "") -> set[str]:
    """Make a reference of each term where it first stands in the prose of a page, and return those that were found.

    A plural is the same term; a term with a capital letter is found only as it is written.
    """
    pattern, found = re.compile(rf"\b(?:{'|'.join(map(_spelt, terms))})\b"), set()
    for text in [one for one in doctree.findall(nodes.Text) if _is_prose(one)]:
        pieces, end = [], 0
        for hit in pattern.finditer(text):
            term = terms[hit.lastindex - 1]
            if term not in found:
                found.add(term)
                to = {"refdoc": page, "refdomain": "std", "reftype": "term", "reftarget": term, "refexplicit": True}
                word = nodes.inline(hit[0], hit[0], classes=["xref", "std", "std-term"])
                pieces += [nodes.Text(text[end : hit.start()]), addnodes.pending_xref("", word, refwarn=True, **to)]
                end = hit.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])
    return found


def _spelt(term: str) -> str:
    word = re.escape(term).replace("'", "['\N{RIGHT SINGLE QUOTATION MARK}]") + "(?:s|es)?"
    return f"((?i:{word}))" if term == term.lower() else f"({word})"


def _is_prose(text: nodes.Text) -> bool:
    above = [text.parent]
    while above[-1].parent is not None:
        above.append(above[-1].parent)
    inside = any(isinstance(node, nodes.paragraph) for node in above)
    return inside and not any(isinstance(node, ELSEWHERE) or BOXES & {*node.get("classes", ())} for node in above)


def tell(app, doctree):
    """Link a page's words, the glossary's own aside; a book of a few pages may have no glossary."""
    page = app.env.docname
    if page != "book/glossary" and "book/glossary" in app.env.found_docs:
        app.env.note_dependency(str(GLOSSARY))
        link(doctree, terms_in(GLOSSARY.read_text(encoding="utf8")), page)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
