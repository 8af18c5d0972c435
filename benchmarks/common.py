"""What several benchmarks share: states to measure, the peer to be measured against, a clock."""

import importlib.util
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))  # for the references that tests have
WIDTH, TOKENS, LAYERS = 768, 14_000, 12


def gpt2_like_states() -> list[torch.Tensor]:
    """Return 13 states that grow as a residual stream does; the seconds do not depend on the values."""
    draw = torch.Generator().manual_seed(0)
    stream = [torch.randn(TOKENS, WIDTH, generator=draw)]
    for _ in range(LAYERS):
        mixed = stream[-1] @ (torch.randn(WIDTH, WIDTH, generator=draw) / WIDTH**0.5)
        stream.append(stream[-1] + 0.3 * torch.tanh(mixed))
    return stream


def microscope() -> ModuleType:
    """Load LLM-Microscope's functions by path, out of its wheel: the package itself does not import."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "llm-microscope==0.0.7"]
        subprocess.run(wheel, check=True, stderr=subprocess.DEVNULL)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
            path = archive.extract("llm_microscope/functions.py", folder)
        spec = importlib.util.spec_from_file_location("functions", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def timed(function: Callable, *arguments: object) -> float:
    """Return the seconds a call takes."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def met(condition: bool) -> str:
    """Say whether a bar was met, as the table does."""
    return "yes" if condition else "no"
