"""Every notebook from a cold kernel: as it is, and on a model and a text that its runner names."""

import re
import time

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

from linstudy import corpus, load, untrained

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MINUTES = 3  # what a notebook may take at size tiny on two cores

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def run(notebook, path, monkeypatch):
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")
    monkeypatch.delenv("MPLBACKEND")  # the kernel's own, which puts figures into the notebook
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


def printed(notebook):
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_a_cold_kernel(path, monkeypatch):
    started = time.monotonic()
    notebook = run(nbformat.read(path, 4), path, monkeypatch)
    assert time.monotonic() - started < 60 * MINUTES
    assert "size tiny" in printed(notebook)
    assert "widgets" in notebook.metadata  # the page's controls


def test_the_first_notebook_takes_another_model_and_text(tmp_path, monkeypatch):
    model, tokenizer = load("stories-1m")
    folder, text = tmp_path / "mine", tmp_path / "mine.txt"
    untrained(model, seed=5).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    text.write_text("\n\n".join(corpus("pydocs", seed=3)), encoding="utf-8")

    path = NOTEBOOKS[0]
    notebook = nbformat.read(path, 4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in (("MODEL", folder), ("CORPUS", text)):
        cell.source, count = re.subn(rf"^{name} = .*$", f"{name} = {str(value)!r}", cell.source, flags=re.MULTILINE)
        assert count == 1
    said = printed(run(notebook, path, monkeypatch))
    assert f"{folder} on {text}: 7." in said or f"{folder} on {text}: 8." in said  # nats of a model that knows nothing
