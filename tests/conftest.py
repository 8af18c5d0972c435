"""The ground all tests stand on: no network, no window, fixed seeds, one thread, no figure left open."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

# Before torch, matplotlib or the hub's library are imported, here or in a child process.
os.environ.update(
    MPLBACKEND="Agg",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_DATASETS_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",  # its threads and a fork make a warning, and a warning is an error here
)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # `make test` runs a process a processor
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait give the processor to others, kernels' too

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def script(path: str) -> ModuleType:
    """Load a file of Python that belongs to no package, by its path from the root; it finds those beside it."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    beside = str((ROOT / path).parent)
    sys.path.insert(0, beside)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(beside)
    return module


def elsewhere(code: str, *arguments: str) -> Any:
    """Return the JSON that code prints in a process of its own: another hash seed, and no slow checks of types."""
    environment = os.environ | {"PYTHONHASHSEED": "4321"}
    return json.loads(subprocess.check_output([sys.executable, "-c", code, *arguments], env=environment))


def pytest_collection_modifyitems(items):
    if (ROOT / "_build" / "html" / "index.html").is_file():
        return
    for item in items:
        if item.get_closest_marker("book"):
            item.add_marker(pytest.mark.skip(reason="there is no built book in _build/html; run: make book"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder beside the checkout with other people's models and texts, or skip."""
    folder = ROOT.parent / "shared"
    if not (folder / "models").is_dir() or not (folder / "data").is_dir():
        pytest.skip("there are no models and texts beside the checkout (../shared/models, ../shared/data)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_network():
    """Make every name but this machine's own unknown, so that the suite does the same with a network and without."""
    real = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name in (None, "", "localhost", "::1", socket.gethostname()) or name.startswith("127."):
            return real(host, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, f"a test asked for {name}, and tests run without network")

    socket.getaddrinfo = getaddrinfo
    yield
    socket.getaddrinfo = real


@pytest.fixture(autouse=True)
def same_start():
    """Seed what draws without a generator of its own, and close the figures a test opened."""
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def book_style():
    """Draw as the book does; what else is drawn with stays as it was."""
    import matplotlib.pyplot as plt

    from linstudy import show

    with plt.rc_context():
        show.style()
        yield
