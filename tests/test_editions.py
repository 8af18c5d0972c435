"""Editions of the exercises: a student's holds no solution anywhere, a teacher's holds all."""

import re
import shutil
import zlib

import nbformat
import pytest
import yaml
from conftest import ROOT, script

editions = script("tools/editions.py")

CANARIES = {"solution": "goldhaehnchen", "instructor": "zaunkoenig"}  # words that are in no page and in no dictionary


def kinds(notebook):
    return [kind for cell in notebook.cells for kind in CANARIES if kind in editions.tags_of(cell)]


def cell(kind, source, *tags):
    return {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}[kind](
        source, metadata={"tags": list(tags)}
    )


@pytest.fixture
def notebook():
    cells = [
        cell("code", "x = ...", "stub"),
        cell("code", "x = 1", "solution", "hide-input"),
        cell("markdown", ":::{admonition} Why\n:class: dropdown\nbecause\n:::", "solution"),
        cell("markdown", "a note", "instructor", "remove-cell"),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_students_get_stubs_alone(notebook):
    assert [cell.source for cell in editions.edited(notebook, "student").cells] == ["x = ..."]


def test_teachers_get_everything_open(notebook):
    cells = editions.edited(notebook, "instructor").cells
    assert [sorted(editions.tags_of(cell)) for cell in cells] == [["stub"], ["solution"], ["solution"], ["instructor"]]
    assert "dropdown" not in cells[2].source


def test_readers_get_the_source(notebook):
    before = notebook.copy()
    assert editions.edited(notebook, "reader") == before


def test_a_students_book_leads_to_no_source(tmp_path):
    buttons = {}
    for edition in editions.EDITIONS:
        editions.write_tree(edition, tmp_path / edition)
        config = yaml.safe_load((tmp_path / edition / "_config.yml").read_text())
        html = config["html"]
        buttons[edition] = bool(config["launch_buttons"]), html["use_repository_button"], html["use_issues_button"]
    assert buttons == {"reader": (True,) * 3, "student": (False,) * 3, "instructor": (True,) * 3}


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


def test_what_a_page_shows_of_other_folders_is_in_the_tree_of_an_edition(tmp_path):
    editions.write_tree("student", tmp_path / "student")
    shown = [
        page.parent / path
        for page in (tmp_path / "student" / "book").rglob("*.md")
        for path in re.findall(r"^:file: (\S+)$", page.read_text(encoding="utf8"), re.MULTILINE)
    ]
    assert len(shown) > 3
    assert all(path.is_file() for path in shown)


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
        assert holding(html["student"], word) == []
        assert holding(tmp_path / "student" / "notebooks", word) == []
        # the control: the search that finds nothing there finds all of them here
        assert len([path for path in holding(html["instructor"], word) if path.suffix == ".html"]) == pages
        assert len([path for path in holding(html["instructor"], word) if path.suffix == ".ipynb"]) == pages
        assert "searchindex.js" in {path.name for path in holding(html["instructor"], word)}
    for path in editions.sources():
        assert (html["student"] / "notebooks" / "exercises" / f"{path.stem}.html").is_file()
