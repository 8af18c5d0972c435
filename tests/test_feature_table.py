"""The book's page on LLM-Microscope: every line of code in its table runs, in the order of the page."""

import re

import pytest
from conftest import ROOT

PAGE = (ROOT / "book" / "llm-microscope.md").read_text(encoding="utf-8")


def lines(page):
    """The code in the last column of the page's table."""
    rows = [row.strip().strip("|").split("|") for row in page.splitlines() if row.startswith("|")]
    cells = [row[-1] for row in rows[2:]]
    return [line for cell in cells for line in re.findall(r"(?<!\})`([^`]+)`", cell)]  # a role has its name before it


@pytest.mark.slow
def test_every_line_of_the_table_runs_and_gives_something():
    (setup,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(setup, names)  # the page's own code, as a reader types it
    found = lines(PAGE)
    assert len(found) >= 14
    for line in found:
        if re.match(r"import |\w+ = ", line):
            exec(line, names)
        else:
            assert eval(line, names) is not None, line
    assert set(names["moments"]) == set(range(1, 9))
