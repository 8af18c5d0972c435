"""The package keeps its shape: imports point one way, tables need no torch, public names are documented."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import linstudy

PACKAGE = Path(linstudy.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py"))

# room: the rooms it may import from. `files` (whole files or none) is a tool for all.
ROOMS = {
    "files": set(),
    "text": {"files"},
    "models": {"files"},
    "show": {"files"},
    "measure": {"files", "text", "models"},
    "evaluate": {"files", "text", "models"},
    "train": {"files", "text", "models", "measure"},
    "prune": {"files", "text", "models", "measure", "evaluate", "train"},  # what a change costs, and healing it
    "study": {"files", "text", "models", "show", "measure", "evaluate", "train", "prune"},
    "prune_command": {"files", "text", "models", "show", "prune", "study"},  # a page of the command line
    "cli": {"files", "text", "models", "show", "measure", "evaluate", "train", "prune", "study", "prune_command"},
    "__main__": {"cli"},
}
WITHOUT_TORCH = ("linstudy", "linstudy.show", "linstudy.study.results", "linstudy.study.sizes")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent).with_suffix("")).replace("/", ".").removesuffix(".__init__")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(source: str, package: str) -> list[str]:
    """Return the absolute names of all that a module of `package` imports, in functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            home = ".".join([*base, *filter(None, [node.module])])
            found += [home] if node.module else [f"{home}.{alias.name}" for alias in node.names]
    return found


def package_of(path: Path) -> str:
    return name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]


def rooms_entered(source: str, package: str) -> set[str]:
    ours = [name.split(".") for name in imports(source, package) if name.split(".")[0] == "linstudy"]
    names = {parts[1] if len(parts) > 1 else "linstudy" for parts in ours} - {"__version__"}
    return {linstudy._HOME.get(name, name).split(".")[0] for name in names}  # a public name stands for its home


def test_imports_are_read_right():
    source = (
        "import torch\ndef f():\n  from ..text.pack import a\n  from .. import models, __version__\nfrom .x import b\n"
    )
    assert rooms_entered(source, "linstudy.measure") == {"text", "models", "measure"}
    assert "torch" in imports(source, "linstudy.measure")
    assert rooms_entered("from .. import load, pretrain", "linstudy.measure") == {"models", "train"}
    assert rooms_entered("import linstudy", "linstudy.measure") == {"linstudy"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent != PACKAGE or p.stem != "__init__"], ids=name_of)
def test_imports_point_one_way(path):
    room = room_of(path)
    assert room in ROOMS, f"{room} is a new room: give it a row in ROOMS"
    assert rooms_entered(path.read_text(), package_of(path)) <= ROOMS[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_our_own_modules_are_imported_relatively(path):
    absolute = [n for n in imports(path.read_text(), "") if n.split(".")[0] == "linstudy"]
    assert not absolute


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_tables_and_figures_come_without_torch(name):
    code = f"import sys, {name}; print(*{{'torch', 'transformers', 'datasets'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_torch_is_seen_where_it_is():
    code = "import sys, linstudy; linstudy.capture; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_one_idea(path):
    source = path.read_text()
    module = ast.parse(source)
    assert ast.get_docstring(module), "a module opens with one sentence saying what it is for"
    # Tables of words are data: they may be long.
    tables = [
        n for n in module.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Dict | ast.Tuple | ast.Constant)
    ]
    assert len(source.splitlines()) - sum(n.end_lineno - n.lineno for n in tables) <= 300


@pytest.mark.parametrize("name", linstudy.__all__)
def test_public_names_are_documented(name, root):
    assert getattr(linstudy, name).__doc__, f"linstudy.{name} has no docstring"
    page = (root / "book" / "api.md").read_text()
    assert f"linstudy.{name}\n" in page or f"`linstudy.{name}`" in page, f"book/api.md does not show linstudy.{name}"


def test_an_unknown_public_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'lode'.*\bload\b"):
        _ = linstudy.lode


def examples() -> list[doctest.DocTest]:
    """Return the docstrings with examples, found in the sources: shape checks wrap the functions themselves."""
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
            text = ast.get_docstring(node, clean=True) if isinstance(node, kinds) else None
            if text and ">>>" in text:
                name = f"{name_of(path)}.{getattr(node, 'name', '')}".rstrip(".")
                found.append(doctest.DocTestParser().get_doctest(text, {}, name, str(path), 0))
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_docstring_examples_run(example):
    path = Path(example.filename)
    example.globs.update(vars(importlib.import_module(name_of(path))))
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.DocTestRunner(optionflags=flags).run(example, out=said.append)
    assert not result.failed, "".join(said)
    assert result.attempted, "no line of this example runs: take away its skips or the example"
