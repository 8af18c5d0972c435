"""Every notebook's first code cell: nothing happens here, and in Colab only what Colab lacks is installed."""

import re
import sys
import types
from importlib.metadata import requires, version

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
    lines = (ROOT / ".github" / "colab-constraints.txt").read_text().splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    has = {canonicalize_name(name): pin for name, pin in pins}
    needs = [Requirement(need) for name in ("linstudy", *colab_cell.MISSING) for need in requires(name) or []]
    needs = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    assert needs
    for need in needs:
        name = canonicalize_name(need.name)
        if name in colab_cell.MISSING:
            assert name not in has, f"Colab has {name}: installing it there would replace it"
        else:
            assert name in has, f"Colab lacks {name}: add it to MISSING in tools/colab_cell.py"
            assert need.specifier.contains(has[name]), f"{need} is not met by Colab's {has[name]}"


def test_writing_puts_the_cell_first_and_keeps_the_rest(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").write_text("repository: {url: https://github.com/someone/else, branch: dev}\n")
    monkeypatch.setattr(colab_cell, "ROOT", tmp_path)
    assert "git+https://github.com/someone/else@dev " in colab_cell.setup_cell()
    paths = {}
    for name, sources in {"empty": [], "new": ["1 + 1"], "old": [colab_cell.OPENING + "\nimport os", "2 + 2"]}.items():
        cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
        paths[name] = tmp_path / "notebooks" / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), paths[name])
    assert colab_cell.main(["--check"]) == 1
    told = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == ["notebooks/empty.ipynb", "notebooks/new.ipynb", "notebooks/old.ipynb"]
    assert colab_cell.main(["--write"]) == 0
    for name, kept in (("empty", []), ("new", ["1 + 1"]), ("old", ["2 + 2"])):
        code = [cell.source for cell in nbformat.read(paths[name], 4).cells if cell.cell_type == "code"]
        assert code == [colab_cell.setup_cell(), *kept]
    before = paths["new"].read_bytes()
    assert colab_cell.main(["--check"]) == colab_cell.main(["--write"]) == 0
    assert paths["new"].read_bytes() == before
