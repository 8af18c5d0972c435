"""Make the three editions of the book from their one source, and keep the stubs equal to their solutions.

python tools/editions.py student       # stubs only: no solution in a page, in _sources/ or in the search index
python tools/editions.py instructor    # everything open, with the notes for the teacher
python tools/editions.py reader        # as `make book` has it: stubs, and solutions folded away
python tools/editions.py stubs         # names the stubs that differ from their solutions, exit status 1
python tools/editions.py stubs --write # makes them again

An edition lies in _build/EDITION: the pages in html/, the notebooks to hand out in exercises/.

A source notebook, in notebooks/exercises/, holds everything. A cell tagged `solution` has the lines that a learner is
to write between two marks; the cell tagged `stub` is the same cell with what the first mark says in their place. What
is tagged `solution` or `instructor` does not go to students.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
EDITIONS = ("reader", "student", "instructor")
MARKED = re.compile(r"^( *)# BEGIN SOLUTION: *(.*)\n(?:.*\n)*? *# END SOLUTION *$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=(*EDITIONS, "stubs"))
    parser.add_argument("--write", action="store_true", help="of stubs: make them again")
    chosen = parser.parse_args(arguments)
    if chosen.what == "stubs":
        return stubs(write=chosen.write)
    return make(chosen.what, ROOT / "_build" / chosen.what)


def make(edition: str, folder: Path) -> int:
    """Build an edition into `folder`, which is replaced as a whole, and return the exit status of the build."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{edition}-", dir=folder.parent) as workshop:
        tree = Path(workshop) / "tree"
        write_tree(edition, tree)
        if status := build(tree, "-W", "-n", "--keep-going"):
            return status
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.move(tree / "_build" / "html", folder / "html")
        shutil.move(tree / "notebooks" / "exercises", folder / "exercises")
    print(f"The {edition} edition: {(folder / 'html' / 'index.html').as_uri()}, its notebooks: {folder / 'exercises'}")
    return 0


def write_tree(edition: str, tree: Path) -> None:
    """Write the sources of an edition: all that Jupyter Book reads."""
    tree.mkdir()
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, tree / name)
    for name in ("linstudy", "storyworld", "casebook", "benchmarks", "tools"):  # whose tables stand on a page, too
        (tree / name).symlink_to(ROOT / name)
    for path in sources(tree):
        nbformat.write(edited(nbformat.read(path, 4), edition), path)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf8"))
    config["execute"]["cache"] = str(ROOT / "_build" / ".jupyter_cache")  # chapters are run once for all editions
    if edition != "reader":
        config["title"] += f", {edition} edition"
    if edition == "student":  # these buttons lead to the source, and the source has the solutions
        config["launch_buttons"] = {}
        config["html"] |= {"use_repository_button": False, "use_issues_button": False}
    (tree / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf8")


def edited(notebook: nbformat.NotebookNode, edition: str) -> nbformat.NotebookNode:
    """Return what an edition has of a source notebook."""
    if edition == "student":
        notebook.cells = [cell for cell in notebook.cells if not {"solution", "instructor"} & tags_of(cell)]
    if edition == "instructor":
        for cell in notebook.cells:
            if "solution" in tags_of(cell):
                cell.metadata["tags"] = ["solution"]
                cell.metadata.pop("jupyter", None)
                cell.source = cell.source.replace("\n:class: dropdown\n", "\n", 1)
            elif "instructor" in tags_of(cell):
                cell.metadata["tags"] = ["instructor"]
    return notebook


def build(tree: Path, *options: str) -> int:
    """Run Jupyter Book on a tree and return its exit status."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]
    return subprocess.run([*command, "--toc", "book/_toc.yml", "--all", *options], cwd=tree).returncode


def stubs(*, write: bool) -> int:
    """Name the notebooks whose stubs are not what their solutions say, and return 1; with `write`, make them so."""
    drifted = [path for path in sources() if renew(path, write=write)]
    for path in drifted:
        state = "stubs renewed" if write else "a stub differs; run: python tools/editions.py stubs --write"
        print(f"{path.relative_to(ROOT)}: {state}")
    return 1 if drifted and not write else 0


def sources(root: Path | None = None) -> list[Path]:
    """Return the notebooks with exercises."""
    return sorted(((root or ROOT) / "notebooks" / "exercises").glob("*.ipynb"))


def stub_of(solution: str) -> str:
    """Return what a learner starts from: the solution, with what the first mark says in place of the marked lines."""
    return MARKED.sub(r"\1\2", solution)


def renew(path: Path, *, write: bool) -> bool:
    """Say whether a stub of the notebook is not that of its solution; with `write`, make it so."""
    notebook = nbformat.read(path, 4)
    cells = {cell.id: cell for cell in notebook.cells}
    drifted = False
    for name, solution in cells.items():
        if not name.startswith("solution-"):
            continue
        stub = cells[name.replace("solution", "stub")]
        drifted |= stub.source != stub_of(solution.source)
        stub.source = stub_of(solution.source)
    if drifted and write:
        nbformat.write(notebook, path)
    return drifted


def tags_of(cell: nbformat.NotebookNode) -> set[str]:
    """Return a cell's tags."""
    return set(cell.metadata.get("tags", []))


if __name__ == "__main__":
    sys.exit(main())
