"""What the tools that read the built book share: their command line, and what is said where it was not built."""

import argparse
import sys
from pathlib import Path


def is_built(folder: Path, does: str, arguments: list[str] | None = None) -> bool:
    """Take the command line of a tool without options, whose help says what it ``does``; say if ``folder`` has a book.

    Where there is none, standard error says how to make one.
    """
    parser = argparse.ArgumentParser(description=does, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(arguments)
    if not (folder / "index.html").is_file():
        print(f"there is no book in {folder}; run: make book", file=sys.stderr)
        return False
    return True
