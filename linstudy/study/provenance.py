"""Where a row of a table comes from: command, commit, date, versions, hardware, minutes."""

import os
import platform
import shlex
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PureWindowsPath

from .sizes import graphics
from .table import Provenance

ROOT = Path(__file__).resolve().parents[2]  # the checkout, when there is one
DECIDING = ("torch", "transformers")  # packages whose version can move a number


def provenance(*, command: str | list[str], minutes: float) -> Provenance:
    """Return the columns that say how a row was made; none of them names a user or a folder of the machine."""
    return {
        "command": shown(command),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "hardware": hardware(),
        "minutes": round(float(minutes), 3),
    }


def shown(command: str | list[str]) -> str:
    """Return ``command`` as somebody would type it, with the bare name in place of a path outside this folder."""
    words = shlex.split(command) if isinstance(command, str) else list(command)
    if words and Path(words[0]).name in ("__main__.py", "linstudy"):
        words[0] = "linstudy"
    return shlex.join(bare(word) for word in words)


def bare(word: str) -> str:
    """Return a word of a command; of a path outside this folder, as in ``--text=/home/ann/a.txt``, only its name."""
    option, mark, path = word.rpartition("=")
    path = path.removeprefix("file://")
    outside = path.startswith(("/", "~", "..")) or PureWindowsPath(path).drive
    return option + mark + (PureWindowsPath(path).name if outside else path)  # a Windows path ends folders at / too


def commit(root: Path = ROOT) -> str:
    """Return 12 digits of the checkout's commit, with "+changes" when files differ from it; "unknown" without one.

    The tables themselves do not count as changes: a run that writes its rows must not taint the next run.
    """
    if not (root / ".git").exists():  # an installed package may lie inside somebody else's repository
        return "unknown"
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changes = _git(root, "status", "--porcelain", "--", ".", ":(exclude)linstudy/results")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{head}+changes" if changes else head


def versions() -> str:
    """Return the versions that decide a number, as "torch 2.13.0, transformers 5.23.0, python 3.11.7"."""
    found = []
    for name in DECIDING:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join([*found, f"python {platform.python_version()}"])


@cache
def hardware() -> str:
    """Return the GPU, where torch can use one, and the processor with its cores."""
    gpu = graphics()
    return f"{gpu[0]} ({gpu[1]:.0f} GiB); {processor()}" if gpu else processor()


def processor() -> str:
    """Return the processor's name and how many cores there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = named[0] if named else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
