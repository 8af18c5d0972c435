"""The registry of long runs, which of them are done, and doing the rest: each run's rows go into a table."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import pandas as pd

from .provenance import provenance
from .reach import BESIDE, SHARED_MODEL, Needs, away, digest, pocket_folders
from .results import append, have
from .sizes import SIZES, VARIABLE, out_of_memory, size

LENGTH = 256  # tokens a block
DTYPE = "float32"  # on every machine, or rows made on a GPU would differ from the others by bfloat16's rounding
HELDOUT = 0.2  # of the blocks: scored, not fitted


@dataclass(frozen=True)
class Run:
    """A long result for ``size`` or larger: ``function`` makes the rows of ``table`` whose key columns are ``key``."""

    name: str
    table: str
    size: str
    needs: Needs
    key: Mapping[str, object]
    function: Callable[[], pd.DataFrame]


def _say(line: str) -> None:
    print(line, flush=True)  # a long command is often read from a log


def plan(runs: Iterable[Run] | None = None, *, folder: str | os.PathLike | None = None) -> list[tuple[Run, str]]:
    """Return every run with its state: "there", "missing" or "cannot run here: why"."""
    absent = {}
    states = []
    for run in registry() if runs is None else runs:
        if have(run.table, folder=folder, **run.key):
            states.append((run, "there"))
            continue
        if run.needs not in absent:
            absent[run.needs] = away(run.needs)
        why = absent[run.needs] or _too_large(run)
        states.append((run, f"cannot run here: {why}" if why else "missing"))
    return states


def run_missing(
    runs: Iterable[Run] | None = None,
    *,
    only: str | None = None,
    folder: str | os.PathLike | None = None,
    echo: Callable[[str], None] = _say,
) -> int:
    """Do the runs whose rows are missing, append the rows of each as it ends; return the exit status, 1 after an error.

    A row that is there is never computed again, so a stopped command goes on where it was.
    ``only`` names one run. What happens is told to ``echo``, a line at a time.
    """
    runs = list(registry() if runs is None else runs)
    if only is not None:
        runs = [_by_name(only, runs)]
    failed = 0
    states = plan(runs, folder=folder)
    for place, (run, state) in enumerate(states, start=1):
        head = f"[{place}/{len(states)}] {run.name}"
        if state != "missing":
            echo(f"{head}: {state}")
            continue
        echo(f"{head}: running")
        started = time.monotonic()
        try:
            rows = run.function()
            minutes = (time.monotonic() - started) / 60
            made = provenance(command=["linstudy", "results", "--only", run.name], minutes=minutes)
            append(run.table, rows.assign(**made), folder=folder)
        except Exception as error:
            failed += 1
            out = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            told = out_of_memory(error, size()) if out else f"{type(error).__name__}: {' '.join(str(error).split())}"
            echo(f"{head}: failed: {told}")
        else:
            echo(f"{head}: {len(rows)} rows in {minutes:.1f} min")
    if failed:
        echo(f"{failed} of {len(states)} runs failed; the same command tries them again.")
    return 1 if failed else 0


def registry() -> tuple[Run, ...]:
    """Return today's runs, in the order in which they are done."""

    def pair(model: str, corpus: str, **options: object) -> list[Run]:
        return [_profile(model, corpus, weights, **options) for weights in ("trained", "random")]

    beside = {"source": SHARED_MODEL, "needs": "shared model", "revision": digest(SHARED_MODEL), "tokens": 320 * LENGTH}
    runs = []
    for text in ("tinystories-train-sample", "wikitext-2-valid"):
        runs += pair("stories260K", text, text=BESIDE / "data" / f"{text}.txt", **beside)
    for name, folder in pocket_folders().items():
        for text in ("stories", "pydocs"):
            runs += pair(name, text, revision=digest(folder))
    for name, commit in HUB.items():
        runs += pair(name, "wikitext-test", needs="hub", size="t4", revision=commit)
    return tuple(runs)


# Revisions are commits: a name alone would be another model the day somebody uploads one.
HUB = {
    "gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "EleutherAI/pythia-70m": "a39f36b100fe8a5377810d56c3f4789b9c53ac42",
    "EleutherAI/pythia-160m": "50f5173d932e8e61f858120bcb800b97af589f46",
}


def _profile(
    model: str,
    corpus: str,
    weights: str,
    *,
    revision: str,
    tokens: int = 200 * LENGTH,
    source: Path | None = None,
    text: Path | None = None,
    needs: Needs = "nothing",
    size: str = "tiny",
) -> Run:
    key = {"model": model, "step": None, "seed": 0, "part": "block", "corpus": corpus, "tokens": tokens}
    key |= {"drop_first": 0, "weights": weights}
    if revision:  # else the model is not here, and rows of any revision will do
        key["revision"] = revision[:12]
    pinned = revision if needs == "hub" else None
    rows = partial(profile_rows, key, source=source or model, text=text or corpus, pinned=pinned)
    return Run(f"{model}-{corpus}-{weights}", "profiles", size, needs, key, rows)


def profile_rows(key: Mapping, *, source: str | Path, text: str | Path, pinned: str | None) -> pd.DataFrame:
    """Measure one model on one text and return rows for profiles.csv, a row a layer, without their provenance."""
    from .. import linearity_profile, load, token_blocks, untrained

    model, tokenizer = load(source, revision=pinned, dtype=DTYPE)
    if key["weights"] == "random":
        model = untrained(model, seed=key["seed"])
    blocks = token_blocks(text, tokenizer, tokens=key["tokens"], length=LENGTH, seed=key["seed"])
    profile = linearity_profile(model, blocks, part=key["part"], drop_first=key["drop_first"], heldout=HELDOUT)
    text_hash = hashlib.sha256(blocks.cpu().numpy().astype("<i8").tobytes()).hexdigest()[:12]
    if (measured := int(profile["tokens"].iloc[0])) != key["tokens"]:
        raise ValueError(f"{measured:,} tokens were measured, the run is for {key['tokens']:,}: its text is too short")
    return profile.assign(**key, length=LENGTH, heldout=HELDOUT, dtype=DTYPE, text_hash=text_hash)


def _too_large(run: Run) -> str:
    names = [one.name for one in SIZES]
    here = size().name
    if names.index(run.size) <= names.index(here):
        return ""
    return f"needs size {run.size}, this machine is {here}; {VARIABLE}={run.size} runs it all the same"


def _by_name(name: str, runs: list[Run]) -> Run:
    named = {run.name: run for run in runs}
    if name not in named:
        near = get_close_matches(name, named, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"no run is called {name!r}: {hint}`linstudy results --list` shows them all.")
    return named[name]
