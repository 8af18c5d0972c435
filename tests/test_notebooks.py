"""Every notebook from a cold kernel on a model and a text that its runner names (the book runs it as it is)."""

import re

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

from linstudy import corpus, load
from linstudy.models import small_model

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FEWER = {"STEPS": 8, "TUNED": 4}  # of what two chapters train on the way, which takes the book half a minute each


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A model of another family and shape, and a text of another kind: what a runner may name."""
    tmp_path = tmp_path_factory.mktemp("mine")
    _, tokenizer = load("stories-1m")
    model = small_model("gpt2", seed=5, vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=4)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "text.txt").write_text("\n\n".join(corpus("pydocs", seed=3)), encoding="utf-8")
    return tmp_path / "model", tmp_path / "text.txt"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_takes_another_model_and_text(path, mine, monkeypatch):
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")
    monkeypatch.delenv("MPLBACKEND")  # the kernel's own, which puts figures into the notebook
    notebook = nbformat.read(path, 4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in zip(("MODEL", "CORPUS"), mine, strict=True):
        cell.source, count = re.subn(rf"^{name} = .*$", f"{name} = {str(value)!r}", cell.source, flags=re.MULTILINE)
        assert count == 1
    for name, value in FEWER.items():
        cell.source = re.sub(rf"^{name} = None", f"{name} = {value}", cell.source, flags=re.MULTILINE)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "size tiny" in said
    controls = any("chooser(" in cell.source for cell in notebook.cells)
    assert ("widgets" in notebook.metadata) == controls
    if path.stem == "01-linearity":
        folder, text = mine
        assert f"{folder} on {text}: 7." in said or f"{folder} on {text}: 8." in said  # nats of one that knows nothing


def test_what_is_said_of_the_usual_model_is_asserted_on_the_usual_text_alone():
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        code = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
        assert not re.findall(r"\bMODEL [!=]= .*", code), path.name
