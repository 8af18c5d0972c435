"""Print the lowest versions of direct dependencies that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"
PROJECT = tomllib.loads(FILE.read_text(encoding="utf-8"))["project"]

if __name__ == "__main__":  # with the standard library alone: it runs before anything is installed
    for need in PROJECT["dependencies"]:
        name, version = re.fullmatch(r"([\w.-]+)>=([\w.]+)", need).groups()
        print(f"{name}=={version}")
