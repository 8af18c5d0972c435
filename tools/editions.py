"""Make the editions of the exercises from their one source, the notebooks in notebooks/exercises/.

python tools/editions.py stubs            # names the stubs that differ from their solutions, exit status 1
python tools/editions.py stubs --write    # makes them again

A source notebook holds everything. A cell tagged `solution` has the lines that a learner is to write between two marks;
the cell tagged `stub` before it is the same cell with what the first mark says in their place.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"^( *)# BEGIN SOLUTION: *(.*)\n(?:.*\n)*? *# END SOLUTION *$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stubs",))
    parser.add_argument("--write", action="store_true", help="of stubs: make them again")
    chosen = parser.parse_args(arguments)
    return stubs(write=chosen.write)


def stubs(*, write: bool) -> int:
    """Name the notebooks whose stubs are not what their solutions say, and return 1; with `write`, make them so."""
    drifted = [path for path in sources() if renew(path, write=write)]
    for path in drifted:
        state = "stubs renewed" if write else "a stub differs; run: python tools/editions.py stubs --write"
        print(f"{path.relative_to(ROOT)}: {state}")
    return 1 if drifted and not write else 0


def sources() -> list[Path]:
    """Return the notebooks with exercises."""
    return sorted((ROOT / "notebooks" / "exercises").glob("*.ipynb"))


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


if __name__ == "__main__":
    sys.exit(main())
