"""What a page says it costs is what was measured: the tool's figures, and every chapter's row in the table."""

import nbformat
import pytest
from conftest import ROOT, script

tool, page = script("tools/costs.py"), script("book/_ext/costs.py")


def cost(tmp_path, *cells):
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    row = tool.costs(path, "tiny")
    return {name: float(row[name]) for name in tool.MEASURED[2:]}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_memory_and_downloads_are_those_of_the_kernel(tmp_path):
    idle = cost(tmp_path, "1")
    keep = "import os, pathlib; pathlib.Path(os.environ['HF_HOME'], 'weights').write_bytes(bytes(3_000_000))"
    busy = cost(tmp_path, "full = b'1' * 2**30; del full", keep)
    assert busy["memory_gib"] - idle["memory_gib"] == pytest.approx(1, abs=0.05)
    assert (idle["download_mb"], busy["download_mb"]) == (0, 3)
    assert busy["minutes"] > 0 < busy["processor_minutes"]


ROW = dict.fromkeys(tool.COLUMNS, "x") | {"page": "notebooks/b", "size": "tiny", "minutes": "1.23"}
ROW |= {"processor_minutes": "0.81", "memory_gib": "0.94", "gpu_gib": "0.00", "download_mb": "0.00"}


def test_a_row_takes_the_place_of_the_last_one_of_its_page_and_size(tmp_path):
    table = tmp_path / "costs.csv"
    others = [ROW | {"size": "t4"}, ROW | {"page": "notebooks/a"}]
    for one in [ROW, *others, ROW | {"minutes": "2.00"}]:
        tool.write(one, table)
    found = [(one["page"], one["size"], one["minutes"]) for one in tool.read(table)]
    assert found == [("notebooks/a", "tiny", "1.23"), ("notebooks/b", "tiny", "2.00"), ("notebooks/b", "t4", "1.23")]
    assert [one["size"] for one in page.rows_of("notebooks/b", table)] == ["tiny", "t4"]
    assert page.rows_of("notebooks/c", table) == []
    assert ("1.2" in page.said(ROW), "0.9 GiB" in page.said(ROW), "card of" in page.said(ROW)) == (True, True, False)
    card = page.said(ROW | {"size": "t4", "gpu_gib": "3.00", "download_mb": "538.2"})
    assert all(part in card for part in ("0.8", "card of 16 GB", "3.0 GiB on the card", "538 MB to download"))


def test_every_chapter_was_measured_at_the_smallest_size():
    measured = {row["page"] for row in tool.read(tool.TABLE) if row["size"] == "tiny"}
    assert measured == {f"notebooks/{path.stem}" for path in tool.NOTEBOOKS.glob("*.ipynb")}


@pytest.mark.book
def test_every_chapter_says_what_it_cost():
    for row in tool.read(tool.TABLE):
        text = (ROOT / "_build" / "html" / f"{row['page']}.html").read_text(encoding="utf8")
        assert page.said(row) in text
