"""Long runs: which of them are done, and doing the rest; each run's rows go into a table."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ..lookup import named
from .errors import one_line, sentence
from .provenance import provenance
from .reach import Needs, away
from .results import append, have
from .sizes import SIZES, VARIABLE, size


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


def plan(runs: Iterable[Run], *, folder: str | os.PathLike | None = None) -> list[tuple[Run, str]]:
    """Return every run with its state: "there", "missing" or "cannot run here: why"."""
    absent = {}
    states = []
    for run in runs:
        if have(run.table, folder=folder, **run.key):
            states.append((run, "there"))
            continue
        if run.needs not in absent:
            absent[run.needs] = away(run.needs)
        why = absent[run.needs] or _too_large(run)
        states.append((run, f"cannot run here: {why}" if why else "missing"))
    return states


def run_missing(
    runs: Iterable[Run],
    *,
    only: str | None = None,
    folder: str | os.PathLike | None = None,
    echo: Callable[[str], None] = _say,
) -> int:
    """Do the runs whose rows are missing, append the rows of each as it ends; return the exit status, 1 after an error.

    A row that is there is never computed again, so a stopped command goes on where it was.
    ``only`` names one run. What happens is told to ``echo``, a line at a time.
    """
    runs = list(runs)
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
            echo(f"{head}: failed: {sentence(error) or f'{type(error).__name__}: {one_line(error)}'}")
        else:
            echo(f"{head}: {len(rows)} rows in {minutes:.1f} min")
    if failed:
        echo(f"{failed} of {len(states)} runs failed; the same command tries them again.")
    return 1 if failed else 0


def _too_large(run: Run) -> str:
    names = [one.name for one in SIZES]
    here = size().name
    if names.index(run.size) <= names.index(here):
        return ""
    return f"needs size {run.size}, this machine is {here}; {VARIABLE}={run.size} runs it all the same"


def _by_name(name: str, runs: list[Run]) -> Run:
    return named({run.name: run for run in runs}, name, "run", known="`linstudy results --list` shows them all.")
