"""Keep every notebook's first code cell equal to the one set-up cell, made from the address in _config.yml.

python tools/colab_cell.py            # prints the cell
python tools/colab_cell.py --check    # names the notebooks that differ, exit status 1
python tools/colab_cell.py --write    # puts it in
"""

import argparse
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent

# What linstudy needs and Colab lacks: pure Python, without needs of its own beyond this list (a test holds that).
MISSING = ("jaxtyping", "wadler-lindig")

# --no-deps, so that Colab's torch, numpy, pandas, IPython and ipywidgets stay: to replace one means a restart.
CELL = """\
# In Google Colab, fetch this book's helper package. Anywhere else, do nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps git+{url}@{branch} {missing}
    from importlib.metadata import version

    import torch

    gpu = "no GPU (Runtime > Change runtime type)"
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_name()
    packages = ("linstudy", "torch", "transformers")
    print(*(f"{{name}} {{version(name)}}" for name in packages), gpu, sep=", ")"""
OPENING = CELL.splitlines()[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="name the notebooks that differ")
    action.add_argument("--write", action="store_true", help="put the cell into every notebook")
    chosen = parser.parse_args(arguments)
    if not (chosen.check or chosen.write):
        print(setup_cell())
        return 0
    changed = [path for path in sorted((ROOT / "notebooks").rglob("*.ipynb")) if renew(path, write=chosen.write)]
    for path in changed:
        state = "renewed" if chosen.write else "the set-up cell differs; run: python tools/colab_cell.py --write"
        print(f"{path.relative_to(ROOT)}: {state}")
    return 1 if chosen.check and changed else 0


def setup_cell() -> str:
    """Return the source of the set-up cell."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return CELL.format(url=repository["url"], branch=repository["branch"], missing=" ".join(MISSING))


def renew(path: Path, *, write: bool) -> bool:
    """Say whether the notebook's first code cell is not the set-up cell; with `write`, make it so."""
    notebook = nbformat.read(path, 4)
    place = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells))
    first = notebook.cells[place] if place < len(notebook.cells) else None
    if first and (first.source, first.metadata.get("tags")) == (setup_cell(), ["remove-cell"]):
        return False
    if write:
        if not (first and first.source.startswith(OPENING)):
            first = nbformat.v4.new_code_cell(id="setup")
            notebook.cells.insert(place, first)
        first.source, first.metadata["tags"] = setup_cell(), ["remove-cell"]
        nbformat.write(notebook, path)
    return True


if __name__ == "__main__":
    sys.exit(main())
