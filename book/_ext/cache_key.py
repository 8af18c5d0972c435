"""Keep one execution cache per state of the code that the notebooks run.

jupyter-cache looks a notebook up by its code cells alone, so after a change in the package, or an upgrade of torch, the
book would still show the old outputs. The cache folder's name therefore carries a hash of every file of our packages
(code, result tables, pocket models, stories), of the versions of what shapes the numbers and figures, and of the
machine's size.
"""

import hashlib
import platform
import shutil
from importlib import metadata
from pathlib import Path

from linstudy.study.machine import size

LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pandas", "matplotlib", "seaborn", "ipywidgets")
PACKAGES = ("linstudy", "storyworld", "casebook")
KEEP = 3  # cache folders kept, the newest first


def cache_key(*packages: Path) -> str:
    """Return twelve hexadecimal digits that change with a file of `packages`, Python, a library or the size."""
    digest = hashlib.sha256()
    for package, path in ((folder, path) for folder in packages for path in sorted(folder.rglob("*"))):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(package.parent).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(platform.python_version().encode())
    digest.update(size().name.encode())  # that the notebooks run at: asked for, or what the hardware makes it
    for library in LIBRARIES:
        digest.update(f"{library}=={_version(library)}\n".encode())
    return digest.hexdigest()[:12]


def choose_cache(app, config):
    """Point MyST-NB at the cache of today's code, and forget the oldest ones."""
    root = Path(app.srcdir)
    base = root / (config.nb_execution_cache_path or "_build/.jupyter_cache")
    folder = base / f"code-{cache_key(*(root / name for name in PACKAGES))}"
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    kept = sorted(base.glob("code-*"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    config.nb_execution_cache_path = str(folder)


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", choose_cache)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
