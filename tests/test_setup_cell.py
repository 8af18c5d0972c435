"""Every notebook's first code cell: nothing happens here, and in Colab only what Colab lacks is installed."""

import json
import re
import sys
import types
from importlib.metadata import requires, version
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, script
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

colab_cell = script("tools/colab_cell.py")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_starts_with_the_cell(path):
    first = next(cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
    assert first.source == colab_cell.setup_cell()
    assert first.metadata.get("tags") == ["remove-cell"]


@pytest.mark.parametrize("in_colab", [True, False])
def test_the_cell_installs_our_names_in_colab_and_does_nothing_elsewhere(in_colab, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    if in_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    asked: list[list[str]] = []
    exec(re.sub("%pip (.*)", r"asked.append('\1'.split())", colab_cell.setup_cell()), {"asked": asked})
    where = colab_cell.yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    words = ["install", "-q", "--no-deps", f"git+{where['url']}@{where['branch']}", *colab_cell.MISSING]
    assert asked == [words] * in_colab
    said = capsys.readouterr().out.splitlines()
    assert len(said) == in_colab
    assert all(f"{name} {version(name)}" in line for line in said for name in ("linstudy", "torch"))


def test_colab_meets_every_need_that_the_cell_does_not_install():
    pins = dict(
        line.split("==")
        for line in (ROOT / ".github" / "colab-constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    has = {canonicalize_name(name): pin for name, pin in pins.items()}
    needs = [r for r in map(Requirement, requires("linstudy")) if "extra" not in str(r.marker)]
    assert needs
    for name in colab_cell.MISSING:
        needs += [
            r for r in map(Requirement, requires(name) or []) if r.marker is None or r.marker.evaluate({"extra": ""})
        ]
    for need in needs:
        name = canonicalize_name(need.name)
        if name in colab_cell.MISSING:
            assert name not in has, f"Colab has {name}: installing it there would replace it"
        else:
            assert name in has, f"Colab lacks {name}: add it to MISSING in tools/colab_cell.py"
            assert need.specifier.contains(has[name]), (
                f"{need} is not met by Colab's {has[name]}, so it would be replaced"
            )


def notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def code_of(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").write_text("repository: {url: https://github.com/someone/else, branch: dev}\n")
    monkeypatch.setattr(colab_cell, "ROOT", tmp_path)
    return tmp_path / "notebooks"


def test_the_cell_follows_the_address(elsewhere):
    assert "git+https://github.com/someone/else@dev " in colab_cell.setup_cell()


def test_writing_puts_the_cell_first_and_keeps_the_rest(elsewhere, capsys):
    new, old, empty = (
        notebook(elsewhere / "new.ipynb", "1 + 1"),
        notebook(elsewhere / "old.ipynb", colab_cell.OPENING + "\nimport os", "2 + 2"),
        notebook(elsewhere / "empty.ipynb"),
    )
    assert colab_cell.main(["--check"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "notebooks/empty.ipynb",
        "notebooks/new.ipynb",
        "notebooks/old.ipynb",
    ]
    assert colab_cell.main(["--write"]) == 0
    assert code_of(new) == [colab_cell.setup_cell(), "1 + 1"]
    assert code_of(old) == [colab_cell.setup_cell(), "2 + 2"]
    assert code_of(empty) == [colab_cell.setup_cell()]
    before = new.read_bytes()
    assert colab_cell.main(["--check"]) == 0
    assert colab_cell.main(["--write"]) == 0
    assert new.read_bytes() == before
    json.loads(before)
