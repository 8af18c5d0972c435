"""Say under the title of every page that runs what it cost, as benchmarks/results/costs.csv has it (tools/costs.py)."""

import csv
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "costs.csv"
KINDS = {"tiny": "without a graphics card", "t4": "on a graphics card of 16 GB", "full": "on a large graphics card"}


def rows_of(page: str, table: Path) -> list[dict[str, str]]:
    """Return what was measured of a page, a row a size; a size that nobody ran has none."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["page"] == page]


def said(row: dict[str, str]) -> str:
    """Return a row in words, with the time of one core first: others may have had the machine."""
    clock, core, memory = (float(row[name]) for name in ("minutes", "processor_minutes", "memory_gib"))
    time = f"{core:.1f} minutes of one core {KINDS[row['size']]} ({clock:.1f} by the clock where it was measured)"
    parts = [time, f"{memory:.1f} GiB of memory"]
    if float(row["gpu_gib"]):
        parts.append(f"{float(row['gpu_gib']):.1f} GiB on the card")
    fetched = float(row["download_mb"])
    return ", ".join([*parts, f"{fetched:.0f} MB to download" if fetched else "nothing to download"])


def tell(app, doctree):
    """Put the costs after the first title of a page."""
    rows = rows_of(app.env.docname, TABLE)
    title = next(iter(doctree.findall(nodes.title)), None)
    if not rows or title is None:
        return
    app.env.note_dependency(str(TABLE))
    to = {"refdomain": "std", "reftype": "doc", "reftarget": "/book/costs", "refexplicit": True, "refwarn": True}
    link = addnodes.pending_xref("", refdoc=app.env.docname, **to)
    link += nodes.inline("", "how this was measured")
    text = nodes.paragraph(classes=["costs"])
    text += [nodes.Text(f"To run it: {'; '.join(map(said, rows))} ("), link, nodes.Text(").")]
    title.parent.insert(title.parent.index(title) + 1, text)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
