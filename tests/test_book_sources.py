"""The sources of the book: its table of contents, its notebooks' cells, its settings, and that a build can fail."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from conftest import ROOT, script
from jupyter_cache import get_cache

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Each needs a kernel behind the page, or fails in one: a reader of the published book would press a dead button.
DEAD = (r"\binteract(ive|_manual)?\(", r"\.observe\(", r"\bPlay\(", r"\bHTMLMath\(", r"\btqdm\.notebook\b")

CELL, CODE = 15, 350  # lines of code that a cell and a notebook may have
MADE = r"^ *def (?!ls\()\w+\(|\bMarkdown\("  # least squares is chapter 1's lesson


def in_toc(toc: dict) -> list[str]:
    """Return every document that a table of contents names."""
    found = [toc[key] for key in ("root", "file") if key in toc]
    for key in ("parts", "chapters", "sections"):
        for entry in toc.get(key, []):
            found += in_toc(entry)
    return found


def documents(root: Path) -> set[str]:
    """Return every page and notebook that is meant for the book."""
    folders = {"book": "*.md", "book/quiz": "*.md", "notebooks": "**/*.ipynb"}
    pages = [path for folder, names in folders.items() for path in (root / folder).glob(names)]
    return {path.relative_to(root).with_suffix("").as_posix() for path in pages}


def test_every_page_is_in_the_table_of_contents(tmp_path):
    named = in_toc(yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf8")))
    assert len(named) == len(set(named))
    assert set(named) == documents(ROOT)
    for name in ("book/a.md", "book/b.md", "notebooks/c.ipynb"):  # the control: one page is forgotten
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    toc = {"root": "book/a", "parts": [{"caption": "x", "chapters": [{"file": "notebooks/c"}]}]}
    assert documents(tmp_path) - set(in_toc(toc)) == {"book/b"}


def dead_calls(cells: list[str]) -> list[str]:
    """Return what in a notebook's cells would be dead in a page without a kernel."""
    return [match[0] for cell in cells for pattern in DEAD for match in re.finditer(pattern, cell)]


def computing(cells: list[str]) -> list[str]:
    """Return where a notebook computes or writes sentences that the package or the author should."""
    long = [cell.splitlines()[0] for cell in cells if len(cell.splitlines()) > CELL]
    if sum(len(cell.splitlines()) for cell in cells) > CODE:
        long.append("the whole notebook")
    return long + [match[0] for cell in cells for match in re.finditer(MADE, cell, re.MULTILINE)]


def rebound(cells: list[str]) -> list[str]:
    """Return the names that a notebook imports and then gives to something else: cells below would fail."""
    nodes = [node for cell in cells for node in ast.walk(ast.parse(re.sub(r"^ *%", "#", cell, flags=re.MULTILINE)))]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    known = {(name.asname or name.name).split(".")[0] for node in imports for name in node.names}
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            and node.id in known]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_tells_lives_without_a_kernel_and_asks_before_it_finds(path):
    cells = json.loads(path.read_text(encoding="utf8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert dead_calls(code) == []
    assert computing(code) == []
    assert rebound(code) == []
    assert unasked(["".join(cell["source"]) for cell in cells]) == []


@pytest.mark.parametrize(
    ("check", "source", "found"),
    [
        (dead_calls, "interact(f, x=3)", ["interact("]),
        (dead_calls, "widgets.interactive(f)", ["interactive("]),
        (dead_calls, "slider.observe(f, 'value')", [".observe("]),
        (dead_calls, "from tqdm.notebook import tqdm\nw.Play(max=3)", ["Play(", "tqdm.notebook"]),
        (dead_calls, "chooser(pictures, labels=['Layer'])  # interaction", []),
        (computing, "def summary(table):\n    return table", ["def summary("]),
        (computing, "def ls(X, Y):  # the lesson\n    return X", []),
        (computing, "Markdown(f'LS is {ls}')", ["Markdown("]),
        (computing, "x = 1\n" * 16, ["x = 1"]),
        (computing, "x = 1\n" * 15, []),
        (rebound, "%pip install a\nfrom a import b, c as d\nb, x = d, d(c=1)\nc = 2", ["b"]),
        (computing, "if x:\n    y = 1\n" * 176, ["if x:", "the whole notebook"]),
    ],
)
def test_a_cell_that_is_dead_or_computes_is_noticed(check, source, found):
    assert check([source]) == found


def unasked(cells: list[str]) -> list[str]:
    """Return the sections that find something, bold and asserted, and have not asked the reader first."""
    sections = re.split(r"^(?=#{2,3} )", "\n".join(cells), flags=re.MULTILINE)[1:]
    finds = [part for part in sections if all(re.search(one, part, re.MULTILINE) for one in (r"^\*\*", r"^ *assert "))]
    return [part.splitlines()[0] for part in finds if "```{guess}" not in part]


def test_a_section_that_does_not_ask_is_noticed():
    told = ["# T", "## Told", "**So it is.**", "assert True"]
    asked = ["### Asked", "```{guess} Is it?", "**So it is.**", "assert 1", "## Prepared", "x = 1", "**Not asserted.**"]
    assert unasked(told + asked) == ["## Told"]


def test_every_reference_is_cited():
    entries = re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(encoding="utf8"), re.M)
    texts = [path.read_text(encoding="utf8") for path in [*(ROOT / "book").glob("*.md"), *NOTEBOOKS]]
    cited = {key for one in texts for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", one) for key in keys.split(",")}
    assert len(entries) == len(set(entries))
    assert set(entries) == {key.strip() for key in cited}


cache_key = script("book/_ext/cache_key.py").cache_key  # of the execution cache


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "linstudy"
    (folder / "results").mkdir(parents=True)
    (folder / "__init__.py").write_text("x = 1\n")
    (folder / "results" / "table.csv").write_text("a,b\n")
    return folder


@pytest.mark.parametrize("name", ["__init__.py", "results/table.csv", "results/new.csv", "../storyworld/world.py"])
def test_cache_key_changes_with_any_file_of_the_packages(package, name):
    other = package.parent / "storyworld"
    other.mkdir()
    before = cache_key(package, other)
    with (package / name).open("a") as file:
        file.write("2\n")
    assert cache_key(package, other) != before


def test_cache_key_changes_with_names_libraries_and_the_size_and_with_nothing_else(package, monkeypatch):
    keys = [cache_key(package)]
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"1")
    (package / "__init__.py").touch()
    assert cache_key(package) == keys[0]
    (package / "results" / "table.csv").rename(package / "results" / "other.csv")
    keys.append(cache_key(package))
    monkeypatch.setattr(metadata, "version", lambda library: "0")
    keys.append(cache_key(package))
    monkeypatch.setenv("LINSTUDY_SIZE", "t4")
    assert len({*keys, cache_key(package)}) == 4


# Chapters that run side by side

WAIT = """import pathlib, time
pathlib.Path("{mine}.txt").touch()
until = time.monotonic() + 60
while not pathlib.Path("{other}.txt").exists():
    assert time.monotonic() < until
    time.sleep(0.05)"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_chapters_run_side_by_side_and_one_that_fails_is_left_to_its_page(tmp_path, monkeypatch):
    side_by_side = script("book/_ext/side_by_side.py")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    code = {"a": WAIT.format(mine="a", other="b"), "b": WAIT.format(mine="b", other="a")}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name, source in {**code, "failing": "1 / 0", "out": "1"}.items():
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata={"kernelspec": kernel})
        nbformat.write(book, tmp_path / f"{name}.ipynb")
    config = SimpleNamespace(execution_mode="cache", execution_excludepatterns=["out.*"], execution_timeout=90)
    config.execution_cache_path = tmp_path / "cache"
    env = SimpleNamespace(mystnb_config=config, doc2path=lambda name: str(tmp_path / f"{name}.ipynb"))
    side_by_side.run_chapters(None, env, ["out", "failing", *code])
    kept = [record.uri for record in get_cache(config.execution_cache_path).list_cache_records()]
    assert sorted(kept) == [str(tmp_path / "a.ipynb"), str(tmp_path / "b.ipynb")]
    monkeypatch.setattr(side_by_side, "fill", None)  # what is kept is not run again
    side_by_side.run_chapters(None, env, ["a", "b"])


# A build that must fail


@pytest.mark.slow
def test_a_link_to_nowhere_and_a_warning_in_a_notebook_fail_the_build(tmp_path):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    for folder in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / folder, tmp_path / "book" / folder)
    for folder in ("book/_vendor", "linstudy", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "book" / "references.bib").touch()
    (tmp_path / "book" / "_toc.yml").write_text("format: jb-book\nroot: book/a\nchapters: [{file: notebooks/b}]\n")
    (tmp_path / "book" / "a.md").write_text("# A page\n\n{doc}`nowhere`\n")
    cells = [
        nbformat.v4.new_markdown_cell("# A notebook"),
        nbformat.v4.new_code_cell("import warnings as w; w.warn('x')"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "notebooks/b.ipynb"
    )
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]
    command += ["--toc", "book/_toc.yml", "--all", "-W", "-n", "--keep-going"]
    plain = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True)
    assert done.returncode != 0
    assert "nowhere" in done.stdout + done.stderr
    assert "stderr" in done.stdout + done.stderr
