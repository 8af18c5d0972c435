"""Run chapters side by side before pages are read: alone, a chapter keeps little more than one processor busy.

What ran waits in MyST-NB's cache. What failed does not: it is run again where its page is read, and told of there.
"""

import asyncio
import os
import time
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from linstudy.study.machine import size

MOST = 4  # at once: a chapter holds about a gigabyte


def run_chapters(app, env, docnames):
    """Fill the cache with what the pages to be read will look up; not on a GPU, which a chapter fills by itself."""
    config, cores = env.mystnb_config, os.cpu_count() or 1
    together = min(MOST, cores)
    if size().name != "tiny" or together == 1 or config.execution_mode != "cache":
        return
    cache = get_cache(config.execution_cache_path)
    paths = [path for name in sorted(docnames) if (path := Path(env.doc2path(name))).suffix == ".ipynb"]
    paths = [path for path in paths if not any(path.match(skipped) for skipped in config.execution_excludepatterns)]
    places = asyncio.Semaphore(together)

    async def run(path):
        notebook = nbformat.read(path, nbformat.NO_CONVERT)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            async with places:
                await fill(cache, path, notebook, config.execution_timeout, threads=cores // together)

    async def run_all():
        await asyncio.gather(*map(run, paths))

    asyncio.run(run_all())


async def fill(cache, path, notebook, timeout, *, threads):
    """Run a notebook in its folder, and keep it where no cell failed."""
    folder = {"metadata": {"path": str(path.parent)}}
    # Times in the cells' metadata would make another notebook of it, which no page looks up.
    client = NotebookClient(notebook, timeout=timeout, resources=folder, record_timing=False)
    begun = time.monotonic()
    try:
        await client.async_execute(env={"OMP_NUM_THREADS": str(threads), **os.environ})
    except (CellExecutionError, CellTimeoutError, RuntimeError):  # the last: a kernel that died or never began
        return
    bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": time.monotonic() - begun})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app):
    """Register with Sphinx."""
    app.connect("env-before-read-docs", run_chapters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
