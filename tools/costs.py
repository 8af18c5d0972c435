"""Measure what each notebook costs, from a cold kernel, and write it to benchmarks/results/costs.csv.

Usage: python tools/costs.py [--size tiny] [NAME ...], with names such as 01-linearity; without any, all chapters

A row is a notebook at a size: minutes by the clock, minutes of all processors together, the kernel's peak memory (and
the graphics card's), and what it fetched from the hub into an empty cache. A row takes the place of the last one of its
notebook and size, and is written as soon as it is there. The pages show these rows.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from linstudy.files import written_whole
from linstudy.study.machine import NAMES, VARIABLE, size
from linstudy.study.provenance import provenance

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TABLE = ROOT / "benchmarks" / "results" / "costs.csv"
MEASURED = ("page", "size", "minutes", "processor_minutes", "memory_gib", "gpu_gib", "download_mb")
BUSY = 0.5  # the load of a quiet machine is below
COLUMNS = (*MEASURED, "date", "commit", "versions", "hardware")
# The kernel's own account, as the last thing it does. On Linux getrusage's peak begins with that of the process it was
# started from; the one in /proc does not.
ASK = """
import json, pathlib, re, resource, sys
used, status = resource.getrusage(resource.RUSAGE_SELF), pathlib.Path("/proc/self/status")
peak = 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1]) if status.is_file() else used.ru_maxrss
cuda = getattr(sys.modules.get("torch"), "cuda", None)
print(json.dumps({
    "processor_minutes": (used.ru_utime + used.ru_stime) / 60,
    "memory_gib": peak / 2**30,
    "gpu_gib": cuda.max_memory_allocated() / 2**30 if cuda and cuda.is_available() else 0,
}))
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--size", choices=NAMES, help="by default the one for this machine")
    options = parser.parse_args(arguments)
    chapters = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    if unknown := sorted({*options.names} - {*chapters}):
        parser.error(f"there is no notebook {', '.join(unknown)}; there are {', '.join(chapters)}")
    said = provenance(command="", minutes=0)  # before the first row makes the checkout differ from its commit
    origin = {name: said[name] for name in ("date", "commit", "versions", "hardware")}
    if (load := os.getloadavg()[0]) > BUSY:
        print(f"This machine is busy (load {load:.1f}): minutes by the clock will be too many.", file=sys.stderr)
    for name in options.names or chapters:
        row = costs(NOTEBOOKS / f"{name}.ipynb", size(options.size).name) | origin
        write(row, TABLE)
        print(f"{row['page']}: {row['minutes']} minutes, {row['memory_gib']} GiB, {row['download_mb']} MB")
    return 0


def costs(path: Path, size: str) -> dict[str, str]:
    """Run a notebook in a kernel of its own, with an empty cache of the hub, and return what it cost."""
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    with tempfile.TemporaryDirectory() as cache:
        settings = f"import os; os.environ.update({VARIABLE}={size!r}, HF_HOME={cache!r})"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(settings))
        start = time.perf_counter()
        resources = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=None, resources=resources).execute()
        minutes = (time.perf_counter() - start) / 60
        held = [path for path in Path(cache).rglob("*") if path.is_file() and not path.is_symlink()]
        fetched = sum(path.stat().st_size for path in held)
    found = json.loads(notebook.cells[-1].outputs[0].text)
    numbers = {"minutes": minutes, **found, "download_mb": fetched / 1e6}
    return {"page": f"notebooks/{path.stem}", "size": size} | {name: f"{of:.2f}" for name, of in numbers.items()}


def write(row: dict[str, str], table: Path) -> None:
    """Put a row into the table, in the place of the last one of its page and size."""
    kept = [old for old in read(table) if (old["page"], old["size"]) != (row["page"], row["size"])]
    rows = sorted([*kept, row], key=lambda one: (one["page"], NAMES.index(one["size"])))
    with written_whole(table) as file, file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(table: Path) -> Iterable[dict[str, str]]:
    """Return the rows of the table, none where there is no table yet."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main())
