"""What of this machine linstudy can use, and what to do about the rest; imports only what it is looking at."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

from ..fetched import HOME, home, pocket_folders
from .errors import one_line
from .machine import choice, processor
from .reach import hub_away

WAIT = 6  # seconds for torch
Look = tuple[str, Callable[[], str]]  # a name, and what returns what it found or raises LookupError with the remedy
ASKED = """
import torch
if torch.cuda.is_available():
    gpu = torch.cuda.get_device_properties(0)
    print(f"{gpu.name}, {gpu.total_memory / 2**30:.1f} GiB, compute capability {gpu.major}.{gpu.minor}")
"""


def doctor(besides: Iterable[Look] = ()) -> tuple[str, bool]:
    """Return the report, a line for everything looked at and ``besides``, and whether all that is needed is there.

    A line says "ok", or "missing" with a remedy; needed are the packages that linstudy names.
    """
    seen, needed = list(findings(besides)), _needs()
    lines = [f"{state:<8} {name:<18} {text}" for state, name, text in seen]
    return "\n".join(lines), not any(state == "missing" and name in needed for state, name, _ in seen)


def findings(besides: Iterable[Look] = ()) -> Iterator[tuple[str, str, str]]:
    """Look at one thing after the other; yield "ok" or "missing", its name, and what was found or the remedy."""
    for name, look in _looks(besides):
        try:
            state, text = "ok", look()
        except metadata.PackageNotFoundError:
            state, text = "missing", f"`pip install {name}`."
        except (LookupError, ValueError) as error:
            state, text = "missing", str(error.args[0])
        except Exception as error:  # a broken installation is what this is for
            state, text = "missing", f"{type(error).__name__}: {one_line(error)}; reinstall linstudy."
        yield state, name, text


def missing(remedy: str) -> str:
    """Raise the LookupError that says what to do about something that is not there."""
    raise LookupError(remedy)


def reached(away: Callable[[], str], without: str) -> str:
    """Say that something is there; where ``away`` says why not, the remedy is how to do ``without``."""
    why = away()
    return missing(f"{why}: {without}.") if why else "there"


def short(path: str | Path) -> str:
    """Return a path with ~ for the user's folder."""
    own = Path.home()
    return str(Path("~") / Path(path).relative_to(own)) if Path(path).is_relative_to(own) else str(path)


def _looks(besides: Iterable[Look]) -> Iterator[Look]:
    yield "python", platform.python_version
    for name, need in _needs().items():
        yield name, partial(_met, need)
    yield "processor", processor
    yield "memory", _memory
    yield "GPU", _gpu
    yield "size", _size
    yield "cache of the hub", lambda: _room(*_cache("hub", "HF_HUB_CACHE"))
    yield "cache of datasets", lambda: _room(*_cache("datasets", "HF_DATASETS_CACHE"))
    yield "fetched models", lambda: _room(home(), HOME)
    yield "pocket models", lambda: ", ".join(pocket_folders()) or missing("none came with linstudy: reinstall it.")
    yield "hub", partial(reached, hub_away, "pocket models, folders, 'stories' and 'pydocs' do without it")
    yield from besides


def _needs() -> dict[str, str]:
    """Return what has to be installed, and in which versions, by its name."""
    try:
        needs = metadata.requires("linstudy") or []
    except metadata.PackageNotFoundError:
        needs = ["torch", "transformers", "datasets", "pandas"]
    needs = ["linstudy", *(need for need in needs if "extra ==" not in need)]
    return {re.match(r"[\w.-]+", need)[0]: need for need in needs}


def _met(need: str) -> str:
    from packaging.requirements import Requirement  # comes with transformers

    wanted = Requirement(need)
    found = metadata.version(wanted.name)
    met = wanted.specifier.contains(found, prereleases=True)
    return found if met else missing(f"{found} does not do: `pip install '{wanted.name}{wanted.specifier}'`.")


def _memory() -> str:
    import psutil

    memory = psutil.virtual_memory()
    return f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} GiB free"


def _gpu() -> str:
    # Another process: a broken torch may crash, and on a busy machine its import may take longer than anybody waits.
    try:
        done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=WAIT, check=False)
    except subprocess.TimeoutExpired:
        return missing(f"torch was not imported within {WAIT} s: look again on a less busy machine.")
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        missing(f"torch cannot be imported ({told}): `pip install --force-reinstall torch`.")
    found = done.stdout.strip()
    return found or missing("none that torch can use: size tiny does without; Colab lends one (Runtime, Change type).")


def _size() -> str:
    size, why = choice()
    tokens = f"{size.tokens:,} tokens, at most {size.minutes} minutes a notebook"
    return f"{size.name}, for {size.description} ({why}): {tokens}; LINSTUDY_SIZE changes it"


def _cache(folder: str, variable: str) -> tuple[str | Path, str]:
    """Return where a cache lies and the variable that put it there: its own, or that of all of them."""
    from huggingface_hub import constants  # what its variables, old ones too, come to

    usual = Path(constants.HF_HOME) / folder
    moved = constants.HF_HUB_CACHE if folder == "hub" else os.environ.get(variable) or usual
    return moved, "HF_HOME" if Path(moved) == usual else variable


def _room(path: str | Path, variable: str) -> str:
    """Say how much room there is in a folder that a variable moves, which may not be there yet."""
    folder = Path(path).expanduser()
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        missing(f"{short(folder)} cannot be written: set {variable} to a folder that can.")
    free = f"{shutil.disk_usage(parent).free / 2**30:.0f} GiB free"
    return f"{short(folder)}, {free}" + ("" if folder.exists() else ", made when first needed")
