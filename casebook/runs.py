"""Long runs: which of them are done, and doing the rest; rows are written as they are made."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from linstudy.files import locked
from linstudy.lookup import named
from linstudy.study.errors import one_line, sentence
from linstudy.study.machine import NAMES, VARIABLE, size
from linstudy.study.provenance import ROOT, provenance
from linstudy.study.results import home, results

from .reach import Needs, away
from .table import Keep, MadeTable
from .written import append, as_written, cells_of, have, matching


@dataclass(frozen=True)
class Run:
    """Rows of a table, by the arguments of the table's maker, for machines of ``size`` or larger with ``needs``."""

    name: str
    table: MadeTable
    arguments: Mapping[str, object]
    size: str = "tiny"
    needs: Needs = "nothing"

    @property
    def key(self) -> dict[str, object]:
        """Return the part of the key that its rows have in common."""
        return self.table.key_of(self.arguments)


def say(line: str) -> None:
    """Print a line at once: a long command is often read from a log."""
    print(line, flush=True)


def plan(runs: Iterable[Run], *, folder: str | os.PathLike | None = None) -> list[tuple[Run, str]]:
    """Return every run with its state: "there", "missing" or "cannot run here: why"."""
    absent, there, states = {}, {}, []
    for run in runs:
        names, key = run.key.keys(), tuple(map(as_written, run.key.values()))
        asked = run.table.name, *names
        if asked not in there:  # hundreds of runs ask for the same columns of a table
            there[asked] = set(cells_of(results(run.table.name, folder=folder), names))
        if key in there[asked]:
            states.append((run, "there"))
            continue
        what = run.needs, getattr(run.arguments.get("source"), "text", "")
        if what not in absent:
            absent[what] = away(*what)
        why = absent[what] or too_large(run)
        states.append((run, f"cannot run here: {why}" if why else "missing"))
    return states


def run_missing(
    runs: Iterable[Run],
    *,
    only: str | None = None,
    folder: str | os.PathLike | None = None,
    echo: Callable[[str], None] = say,
) -> int:
    """Do the runs whose rows are missing; return the exit status, 1 after an error.

    What is there is never computed again, so a stopped command goes on where it was, within a run as well.
    ``only`` names one run. What happens is told to ``echo``, a line at a time.
    """
    if only is not None:
        by_name = {run.name: run for run in runs}
        runs = [named(by_name, only, "run", known="`linstudy results --list` shows them all.")]
    if folder is None:
        echo(f"rows go to {tables_of_checkout()}")
    failed = 0
    states = plan(runs, folder=folder)
    for place, (run, state) in enumerate(states, start=1):
        head = f"[{place}/{len(states)}] {run.name}"
        if state != "missing":
            echo(f"{head}: {state}")
            continue
        echo(f"{head}: running")
        try:
            rows = do(run, folder=folder)
        except Exception as error:
            failed += 1
            echo(f"{head}: failed: {sentence(error) or f'{type(error).__name__}: {one_line(error)}'}")
        else:
            echo(f"{head}: {len(rows)} rows in {rows.minutes.max():.1f} min")
    if failed:
        echo(f"{failed} of {len(states)} runs failed; the same command tries them again.")
    return 1 if failed else 0


def tables_of_checkout() -> Path:
    """Return the folder that rows are added to. Raises ValueError where linstudy is installed without its checkout."""
    if not (ROOT / "pyproject.toml").is_file():
        raise ValueError(
            f"rows are added to a checkout, and linstudy is installed in {ROOT}: clone the repository and run it there "
            "(linstudy.results reads the tables that came with it)"
        )
    return home(None)


def do(run: Run, *, folder: str | os.PathLike | None = None) -> pd.DataFrame:
    """Make the rows of a run and add them to its table; return them.

    Until the last is made they are kept in a table of their own, in a folder ``RUN.unfinished`` beside the great one,
    each piece from the moment it is made: a run that was stopped goes on from there. Their minutes are those of the
    whole run, over all its parts. Of two processes that do one run the second waits for the first, and has its rows.
    """
    table, place = run.table.name, home(folder) / f"{run.name.replace('/', '--')}.unfinished"
    with locked(place):
        if not have(table, folder=folder, **run.key):
            there = results(table, folder=place)
            started = time.monotonic() - 60 * (0 if there.empty else there.minutes.max())

            def write(rows: pd.DataFrame) -> None:
                command = ["linstudy", "results", "--only", run.name]
                made = provenance(command=command, minutes=(time.monotonic() - started) / 60)
                append(table, rows.assign(**made), folder=place)

            run.table.maker(Keep(run.key, there, write), **run.arguments)
            rows = results(table, folder=place)
            append(table, rows.assign(minutes=rows.minutes.max()), folder=folder)
        shutil.rmtree(place, ignore_errors=True)
    return matching(results(table, folder=folder), run.key)


def too_large(run: Run) -> str:
    """Say that a run needs a larger machine; nothing ("") when it does not."""
    here = size().name
    if NAMES.index(run.size) <= NAMES.index(here):
        return ""
    return f"needs size {run.size}, this machine is {here}; {VARIABLE}={run.size} runs it all the same"
