"""Real English on every machine: the documentation inside the installed Python's standard library."""

import ast
import functools
import inspect
import random
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

# Programs, old grammars and generated tables that ship beside the library: little English in them.
SKIPPED = {"__pycache__", "encodings", "ensurepip", "idlelib", "idle_test", "lib2to3", "test", "tests", "turtledemo"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def pydocs(seed: int | None = 0) -> Iterator[str]:
    """Yield the docstrings of each standard module and each topic of Python's help, one document each.

    The seed shuffles the documents, so that a short sample is not only the modules that begin with "a"; every seed
    gives the same documents, and `None` leaves them in alphabetical order. Modules are read, never imported. The text
    depends on the Python version. Raises OSError if this Python has no source files of its library.
    """
    sources = [*_topics(), *_module_files()]
    if seed is not None:
        random.Random(seed).shuffle(sources)
    for source in sources:
        document = _docstrings(source) if isinstance(source, Path) else source
        if document:
            yield document


def _topics() -> list[str]:
    from pydoc_data.topics import topics

    return [topics[name].strip() for name in sorted(topics)]


def _module_files() -> list[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    files = []
    for name in sorted(sys.stdlib_module_names - SKIPPED):  # not what the folder holds: site-packages lie in it too
        files += [library / f"{name}.py"] if (library / f"{name}.py").is_file() else []
        files += sorted((library / name).rglob("*.py"))
    files = [file for file in files if SKIPPED.isdisjoint(file.relative_to(library).parts)]
    if not files:
        raise OSError(
            f"'pydocs' needs the source files of Python's standard library, and {library} holds none: "
            "use the corpus 'stories' or a text file of your own, or a full installation of Python."
        )
    return files


@functools.cache
def _docstrings(file: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stray backslash in the library is not the reader's business
        tree = ast.parse(file.read_bytes(), filename=str(file))
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node, clean=False)):
            found.append(inspect.cleandoc(text))
        # In the order of the file. Expressions, most of a tree, hold no docstring.
        todo += [child for child in reversed([*ast.iter_child_nodes(node)]) if isinstance(child, STATEMENTS)]
    return "\n\n".join(found).strip()
