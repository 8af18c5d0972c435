"""Run the notebooks side by side before Sphinx reads them one after another: then their outputs are in the cache."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from jupyter_cache import get_cache
from myst_nb.core.execute import create_client
from myst_nb.core.read import create_nb_reader

AT_ONCE = min(max(os.cpu_count() or 1, 2), 4)  # every kernel holds a model


class Silent(logging.LoggerAdapter):
    """Take whatever Sphinx's loggers take, and say nothing."""

    def log(self, *_, **__):
        """Say nothing."""


def run_all(app, env, docnames):
    """Run what is to be read and is not in the cache, several at once, each in a process of its own."""
    cache = get_cache(env.mystnb_config.execution_cache_path or ".jupyter_cache")
    cache.list_cache_records()  # makes its database, which several at once would make several times
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(partial(run, env), sorted(docnames, reverse=True)))  # notebooks before the pages of the book


def run(env, docname):
    """Run one page; whatever goes wrong, nothing is said or kept, for Sphinx runs it again when it reads it."""
    path = env.doc2path(docname)
    text = Path(path).read_text()
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    if reader is not None:
        notebook, silent = reader.read(text), Silent(logging.getLogger(__name__))
        client = create_client(notebook, path, env.mystnb_config, silent, reader.read_fmt)
        with suppress(Exception), client:
            pass


def setup(app):
    """Register with Sphinx."""
    app.connect("env-before-read-docs", run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
