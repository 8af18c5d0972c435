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

from ..fetched import pocket_folders
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


def doctor(besides: Iterable[Look] = ()) -> str:
    """Return the report: a line for everything looked at, and ``besides``, "ok" or "missing" with a remedy."""
    return "\n".join(f"{state:<8} {name:<18} {text}" for state, name, text in findings(besides))


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
    home = Path.home()
    return str(Path("~") / Path(path).relative_to(home)) if Path(path).is_relative_to(home) else str(path)


def _looks(besides: Iterable[Look]) -> Iterator[Look]:
    yield "python", _python
    for need in ("linstudy", *_dependencies()):
        yield need, partial(metadata.version, need)
    yield "processor", processor
    yield "memory", _memory
    yield "GPU", _gpu
    yield "size", _size
    yield "cache of the hub", partial(_cache, "HF_HOME", "")
    yield "cache of datasets", partial(_cache, "HF_DATASETS_CACHE", "datasets")
    yield "pocket models", lambda: ", ".join(pocket_folders()) or missing("none came with linstudy: reinstall it.")
    yield "hub", partial(reached, hub_away, "pocket models, folders, 'stories' and 'pydocs' do without it")
    yield from besides


def _python() -> str:
    if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
        missing(f"Python {platform.python_version()}: install 3.11, 3.12 or 3.13.")
    return platform.python_version()


def _dependencies() -> list[str]:
    try:
        needs = metadata.requires("linstudy") or []
    except metadata.PackageNotFoundError:
        needs = ["torch", "transformers", "datasets", "pandas"]
    return [re.match(r"[\w.-]+", need)[0] for need in needs if "extra ==" not in need]


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


def _cache(variable: str, below: str) -> str:
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    folder = Path(os.environ.get(variable) or Path(home) / below).expanduser()
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        missing(f"{short(folder)} cannot be written: set {variable} to a folder that can.")
    free = f"{shutil.disk_usage(parent).free / 2**30:.0f} GiB free"
    return f"{short(folder)}, {free}" + ("" if folder.exists() else ", made when first needed")
