"""Editions of the exercises: a student's holds no solution anywhere, a teacher's holds all."""

import re
import shutil
import zlib
from copy import deepcopy

import nbformat
import pytest
import yaml
from conftest import ROOT, script

editions = script("tools/editions.py")

CANARIES = {"solution": "goldhaehnchen", "instructor": "zaunkoenig"}  # words that are in no page and in no dictionary


def cell(kind, source, *tags):
    return {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}[kind](
        source, metadata={"tags": list(tags)}
    )


NOTEBOOK = nbformat.v4.new_notebook(
    cells=[
        cell("code", "x = ...", "stub"),
        cell("code", "x = 1", "solution", "hide-input"),
        cell("markdown", ":::{admonition} Why\n:class: dropdown\nbecause\n:::", "solution"),
        cell("markdown", "a note", "instructor", "remove-cell"),
    ]
)


def test_students_get_stubs_alone_teachers_everything_open_and_readers_the_source():
    assert [cell.source for cell in editions.edited(deepcopy(NOTEBOOK), "student").cells] == ["x = ..."]
    cells = editions.edited(deepcopy(NOTEBOOK), "instructor").cells
    assert [sorted(editions.tags_of(cell)) for cell in cells] == [["stub"], ["solution"], ["solution"], ["instructor"]]
    assert "dropdown" not in cells[2].source
    assert editions.edited(deepcopy(NOTEBOOK), "reader") == NOTEBOOK


def test_a_students_book_leads_to_no_source_and_has_what_its_pages_show_of_other_folders(tmp_path):
    buttons = {}
    for edition in editions.EDITIONS:
        editions.write_tree(edition, tmp_path / edition)
        config = yaml.safe_load((tmp_path / edition / "_config.yml").read_text())
        html = config["html"]
        buttons[edition] = bool(config["launch_buttons"]), html["use_repository_button"], html["use_issues_button"]
    assert buttons == {"reader": (True,) * 3, "student": (False,) * 3, "instructor": (True,) * 3}
    shown = [
        page.parent / path
        for page in (tmp_path / "student" / "book").rglob("*.md")
        for path in re.findall(r"^:file: (\S+)$", page.read_text(encoding="utf8"), re.MULTILINE)
    ]
    assert len(shown) > 3
    assert all(path.is_file() for path in shown)


def with_word(source, word):
    """Put a word into a solution's marked lines, or into the admonition of a reason or a note."""
    if ":::" in source:
        return source.removesuffix(":::") + f"{word}\n:::"
    lines = source.splitlines()
    (last,) = (number for number, line in enumerate(lines) if line.lstrip() == "# END SOLUTION")
    return "\n".join([*lines[:last], lines[last].replace("END SOLUTION", word), *lines[last:]])


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give a repository whose solutions and notes, and nothing else, have a canary in them."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_vendor", "*.md"))
    (root / "book" / "_vendor").mkdir()
    shutil.copytree(ROOT / "notebooks" / "exercises", root / "notebooks" / "exercises")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"]["execute_notebooks"] = "off"
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    for name in ("linstudy", "storyworld", "casebook"):
        (root / name).symlink_to(ROOT / name)
    pages = [f"notebooks/exercises/{path.stem}" for path in editions.sources(root)]
    toc = {"format": "jb-book", "root": pages[0], "chapters": [{"file": page} for page in pages[1:]]}
    (root / "book" / "_toc.yml").write_text(yaml.safe_dump(toc))
    for path in editions.sources(root):
        notebook = nbformat.read(path, 4)
        for one in notebook.cells:
            for kind in CANARIES.keys() & editions.tags_of(one):
                one.source = with_word(one.source, CANARIES[kind])
        nbformat.write(notebook, path)
    return root


def holding(folder, word):
    """Return the files of a folder that hold a word, also in a packed index."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.name == "objects.inv":
                data += zlib.decompress(data.split(b"\n", 4)[4])
            found += [path.relative_to(folder)] if word.encode() in data.lower() else []
    return found


@pytest.mark.slow
def test_no_solution_reaches_a_student(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(editions, "ROOT", planted)
    html = {}
    for edition in ("student", "instructor"):
        editions.write_tree(edition, tmp_path / edition)
        assert editions.build(tmp_path / edition) == 0
        html[edition] = tmp_path / edition / "_build" / "html"
    pages = len(editions.sources())
    for word in CANARIES.values():
        assert holding(html["student"], word) == holding(tmp_path / "student" / "notebooks", word) == []
        # the control: the search that finds nothing there finds all of them here
        found = holding(html["instructor"], word)
        assert [sum(path.suffix == kind for path in found) for kind in (".html", ".ipynb")] == [pages, pages]
        assert "searchindex.js" in {path.name for path in found}
    for path in editions.sources():
        assert (html["student"] / "notebooks" / "exercises" / f"{path.stem}.html").is_file()
