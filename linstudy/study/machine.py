"""This machine, asked without importing torch: its processor and GPU, and how much suits it: tiny, t4 or full."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..lookup import named

VARIABLE = "LINSTUDY_SIZE"
T4_GIB = 20  # a T4 has 15 GiB; the next larger card in common use has 24


@dataclass(frozen=True)
class Size:
    """How much one notebook does on a kind of machine.

    ``tokens`` of text are measured, ``batch`` tokens to a forward pass; ``minutes`` is how long a notebook may take.
    """

    name: str
    tokens: int
    batch: int
    minutes: int
    description: str


SIZES = {
    "tiny": Size("tiny", tokens=50_000, batch=2048, minutes=3, description="a CPU"),
    "t4": Size("t4", tokens=250_000, batch=4096, minutes=15, description="a GPU of 16 GB, as Colab lends"),
    "full": Size("full", tokens=1_000_000, batch=16_384, minutes=120, description="a GPU of 20 GB or more"),
}
NAMES = tuple(SIZES)  # the smallest first


def size(name: str | None = None) -> Size:
    """Return the size called ``name``, else the one in the variable LINSTUDY_SIZE, else the one for this machine.

    Raises ValueError for a name that is none.
    """
    return choice(name)[0]


def choice(name: str | None = None) -> tuple[Size, str]:
    """Return what :func:`size` returns, and why it was chosen, in a few words."""
    wanted, why = (name, "by name") if name is not None else (os.environ.get(VARIABLE) or None, f"by {VARIABLE}")
    if wanted is not None:
        return named(SIZES, wanted, "size", known=f"the sizes are {', '.join(NAMES)} (asked for {why})."), why
    gpu = graphics()
    if gpu is None:
        return SIZES["tiny"], "no GPU that torch can use"
    return SIZES["t4" if gpu[1] < T4_GIB else "full"], f"{gpu[0]}, {gpu[1]:.0f} GiB"


def out_of_memory(error: BaseException, size: Size) -> str:
    """Say in one sentence what to do after ``error``: which size is the next smaller one."""
    cause = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    place = NAMES.index(size.name)
    remedy = f"set {VARIABLE}={NAMES[place - 1]}" if place else "ask for fewer tokens or a smaller model"
    return f"out of memory at size {size.name} ({cause}); {remedy} and run it again."


@cache
def graphics() -> tuple[str, float] | None:
    """Return name and memory in GiB of the first GPU that torch can use; None without one."""
    if "torch" in sys.modules:
        cuda = sys.modules["torch"].cuda
        if not cuda.is_available():
            return None
        found = cuda.get_device_properties(0)
        return found.name, found.total_memory / 2**30
    try:
        if version("torch").endswith("+cpu") or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
            return None
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        name, mebibytes = answer.splitlines()[0].rsplit(",", 1)
        return name.strip(), float(mebibytes) / 1024
    except (PackageNotFoundError, OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def processor() -> str:
    """Return the processor's name and how many cores there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    known = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{[*known, platform.processor() or platform.machine()][0]}, {os.cpu_count()} cores"


@cache
def hardware() -> str:
    """Return the GPU, where torch can use one, and the processor with its cores."""
    gpu = graphics()
    return f"{gpu[0]} ({gpu[1]:.0f} GiB); {processor()}" if gpu else processor()
