"""The package keeps its shape: imports point one way, tables need no torch, public names are documented."""

import ast
import doctest
import importlib
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import linstudy

PACKAGE = Path(linstudy.__file__).parent
WORLD = PACKAGE.parent / "storyworld"
CASES = PACKAGE.parent / "casebook"
MODULES = sorted(p for package in (PACKAGE, WORLD, CASES) for p in package.rglob("*.py"))

TOOLS = {"files", "lookup", "hub"}  # what all rooms may use; they know no room
# room: the rooms it may import from; `storyworld` and `casebook` are packages of their own, beside this one
ROOMS = {
    "storyworld": set(),
    "text": {"storyworld"},
    "fetched": set(),
    "models": {"fetched"},
    "show": set(),
    "measure": {"text", "models"},
    "evaluate": {"text", "models"},
    "train": {"text", "models", "measure", "evaluate"},
    "prune": {"text", "models", "measure", "evaluate", "train"},  # what a change costs, and healing it
    "study": {"fetched"},
    "casebook": {"storyworld", "fetched", "text", "models", "show", "measure", "evaluate", "train", "prune", "study"},
    "casebook.exercises": {"models", "measure", "evaluate"},
    "commands": {"fetched", "text", "models", "show", "measure", "evaluate", "train", "prune", "study", "casebook"},
    "cli": {"study", "commands"},
    "__main__": {"cli"},
}
WITHOUT_TORCH = ("storyworld", "linstudy", "linstudy.show", "linstudy.study.results", "linstudy.study.machine")
WITHOUT_TORCH += ("casebook.registry", "casebook.runs", "casebook.claims.paper", "casebook.figures")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent).with_suffix("")).replace("/", ".").removesuffix(".__init__")


def room_of(path: Path) -> str:
    return room_named(name_of(path))


def room_named(module: str) -> str:
    """Return the room of a module: a folder or file of linstudy, the story world, the casebook or its exercises."""
    package, room, *_ = *module.split("."), ""
    if package == "linstudy":
        return linstudy._HOME.get(room, room).split(".")[0] or package  # a public name stands for its home
    return "casebook.exercises" if (package, room) == ("casebook", "exercises") else package


def imports(source: str, package: str, *, at_import: bool = False) -> list[str]:
    """Return the absolute names of all that a module of `package` imports, in functions too or at its own import."""
    found = []
    tree = ast.parse(source)
    for node in tree.body if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            home = ".".join([*base, *filter(None, [node.module])])
            found += [f"{home}.{alias.name}" for alias in node.names]
    return found


def package_of(path: Path) -> str:
    return name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]


def rooms_entered(source: str, package: str) -> set[str]:
    ours = ("linstudy", "storyworld", "casebook")
    names = {name for name in imports(source, package) if name.split(".")[0] in ours}
    return {room_named(name) for name in names - {"linstudy.__version__"}}


def test_imports_are_read_right():
    source = (
        "import torch\ndef f():\n  from ..text.pack import a\n  from .. import models, __version__\nfrom .x import b\n"
    )
    assert rooms_entered(source, "linstudy.measure") == {"text", "models", "measure"}
    assert "torch" in imports(source, "linstudy.measure")
    assert rooms_entered("from .. import load, pretrain", "linstudy.measure") == {"models", "train"}
    assert rooms_entered("import linstudy", "linstudy.measure") == {"linstudy"}
    assert rooms_entered("from storyworld.grade import a", "linstudy.text") == {"storyworld"}
    assert rooms_entered("from .grade import a\nfrom linstudy.text import b", "storyworld") == {"storyworld", "text"}
    source = "from linstudy import load\nfrom casebook.rows import a"
    assert rooms_entered(source, "linstudy.study") == {"models", "casebook"}
    source = "from ..runs import a\nfrom .asking import b"
    assert rooms_entered(source, "casebook.exercises") == {"casebook", "casebook.exercises"}


def test_imports_point_one_way_and_the_story_world_needs_numpy_and_nothing_else():
    wrong = {}
    for path in MODULES:
        room, source = room_of(path), path.read_text()
        assert room in ROOMS or room in TOOLS or path == PACKAGE / "__init__.py", f"{room} is a new room: give it a row"
        may_enter = TOOLS if room in TOOLS else ROOMS.get(room, set(ROOMS)) | TOOLS | {room}
        wrong[name_of(path)] = rooms_entered(source, package_of(path)) - may_enter
        if room == "storyworld":
            needed = {name.split(".")[0] for name in imports(source, package_of(path))}
            wrong[name_of(path)] |= needed - {"storyworld", "numpy", *sys.stdlib_module_names}
    assert {name: rooms for name, rooms in wrong.items() if rooms} == {}


def test_the_casebook_is_entered_when_a_verb_runs_and_not_before():
    """`linstudy --help`, and every verb for a model of one's own, does without it."""
    entered = {name_of(path): path for path in MODULES if "casebook" in rooms_entered(path.read_text(), "linstudy")}
    commands = {name: path for name, path in entered.items() if name.startswith("linstudy.")}
    assert set(commands) == {f"linstudy.commands.{verb}" for verb in ("doctor", "report", "results")}
    for path in commands.values():
        assert not [n for n in imports(path.read_text(), package_of(path), at_import=True) if n.startswith("casebook")]


def private_of_others(source: str) -> set[str]:
    """Return the private names (`_x`) that a module takes from another one, by import or by attribute."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    names = {alias.asname or alias.name for node in statements if node.level for alias in node.names}
    attributes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    taken = {one.attr for one in attributes if isinstance(one.value, ast.Name) and one.value.id in names} | names
    return {name for name in taken if name.startswith("_") and not name.startswith("__")}


def test_nothing_private_is_taken_from_another_module():
    assert private_of_others("from . import a, __version__\nfrom .b import _c\na._d\nself._e") == {"_c", "_d"}
    found = {name_of(path): private_of_others(path.read_text()) for path in MODULES}
    assert {name: private for name, private in found.items() if private} == {}


def graph_of(sources: dict[str, tuple[str, str]]) -> dict[str, set[str]]:
    """Return of every module, name: (source, package), those that it imports when it is imported itself."""
    graph = {}
    for name, (source, package) in sources.items():
        wanted = [found.split(".") for found in imports(source, package, at_import=True)]
        parts = [[".".join(words[:end]) for end in range(len(words), 0, -1)] for words in wanted]
        graph[name] = {next((part for part in some if part in sources), name) for some in parts} - {name}
    return graph


def test_no_modules_import_each_other():
    circle = {"p.a": ("from .b import f", "p"), "p.b": ("from . import a", "p")}
    with pytest.raises(CycleError):
        TopologicalSorter(graph_of(circle)).prepare()
    circle["p.b"] = ("def f():\n  from . import a", "p")  # the control: when both are there already
    TopologicalSorter(graph_of(circle)).prepare()
    TopologicalSorter(graph_of({name_of(p): (p.read_text(), package_of(p)) for p in MODULES})).prepare()
    benchmarks = (PACKAGE.parent / "benchmarks").glob("*.py")
    TopologicalSorter(graph_of({p.stem: (p.read_text(), "") for p in benchmarks})).prepare()


def test_tables_and_figures_come_without_torch():
    told = "print(n, *{'torch', 'transformers', 'datasets'} & {*sys.modules})"
    code = f"import sys, importlib as i\nfor n in sys.argv[1:]: i.import_module(n); {told}"
    names = [*WITHOUT_TORCH, "linstudy.measure"]  # the last one is the control
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    *light, control = done.stdout.splitlines()
    assert light == list(WITHOUT_TORCH)
    assert "torch" in control.split()


def test_a_module_is_one_idea():
    for path in MODULES:
        module = ast.parse(source := path.read_text())
        assert ast.get_docstring(module), f"{path} does not open with a sentence saying what it is for"
        data = [n for n in module.body if isinstance(n, ast.Assign)]  # tables of words: they may be long
        tables = [n for n in data if isinstance(n.value, ast.Dict | ast.Tuple | ast.Constant)]
        assert len(source.splitlines()) - sum(n.end_lineno - n.lineno for n in tables) <= 250, path


# What is asked for by name in notebooks and on the command line; each of its choices stands alone.
DOORS = {"linstudy.measure.profile.linearity_profile", "casebook.figures.spread.spread_plot"}


def arguments_of(source: str) -> Iterator[tuple[str, int]]:
    """Yield each function with how many arguments it takes, the model or table itself included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            yield node.name, len(names) - (names[:1] in (["self"], ["cls"]))


def test_a_function_takes_seven_arguments_at_most():
    assert dict(arguments_of("class A:\n  def f(self, a, /, b, *c, d): ...\ndef g(): ...")) == {"f": 3, "g": 0}
    found = [(f"{name_of(path)}.{name}", n) for path in MODULES for name, n in arguments_of(path.read_text())]
    assert {name for name, count in found if count > 7} == DOORS


def test_public_names_are_documented_and_an_unknown_one_says_what_there_is(root):
    page = (root / "book" / "api.md").read_text()
    for name in linstudy.__all__:
        assert getattr(linstudy, name).__doc__, f"linstudy.{name} has no docstring"
        assert f"linstudy.{name}\n" in page or f"`linstudy.{name}`" in page, f"book/api.md does not show {name}"
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
