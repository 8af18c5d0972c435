"""Where a row of a table comes from: command, commit, date, versions, hardware, minutes."""

import platform
import shlex
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PureWindowsPath

from .machine import hardware
from .tables import Provenance

ROOT = Path(__file__).resolve().parents[2]  # the checkout, when there is one
DECIDING = ("torch", "transformers")  # packages whose version can move a number


def provenance(*, command: str | list[str], minutes: float) -> Provenance:
    """Return the columns that say how a row was made; none of them names a user or a folder of the machine."""
    return {
        "command": shown(command),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": ", ".join([*map(versioned, DECIDING), f"python {platform.python_version()}"]),
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
    """Return 12 digits of the checkout's commit, "+changes" where more than tables differ; "unknown" without one."""

    def git(*words: str) -> str:
        command = ["git", "-C", root, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    if not (root / ".git").exists():  # an installed package may lie inside somebody else's repository
        return "unknown"
    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+changes" if git("status", "--porcelain", "--", ".", ":(exclude)linstudy/results") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def versioned(package: str) -> str:
    """Return a package with its version, as "torch 2.13.0"."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} absent"
