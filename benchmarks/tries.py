"""A try of a fault: work in a process of its own, that may be killed in the middle, and what came of it."""

import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress


class Run:
    """What came of a process: its status (None where it was killed), what it said and what it complained of."""

    def __init__(self, status: int | None, output: str, errors: str):
        self.status, self.output, self.errors = status, output, errors
        self.killed = status is None


def forked(work: Callable[[], int | None], *, seconds: float | None = None) -> Run:
    """Do the work in a process of its own, and kill it after so many seconds."""
    return _ended(_started(work), seconds)


def together(*works: Callable[[], int | None]) -> list[Run]:
    """Do all works at once, each in a process of its own."""
    return [_ended(started, None) for started in [_started(work) for work in works]]


def _started(work: Callable[[], int | None]) -> tuple:
    pipes = [os.pipe() for _ in range(2)]  # and not files, for a try may have no disk to write to
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            for number, (_, end) in enumerate(pipes, start=1):
                os.dup2(end, number)
            status = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    for _, end in pipes:
        os.close(end)
    return pid, [end for end, _ in pipes]


def _ended(started: tuple, seconds: float | None) -> Run:
    pid, ends = started
    until = time.monotonic() + (600 if seconds is None else seconds)
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    said = [open(end, encoding="utf-8", errors="replace").read() for end in ends]  # noqa: SIM115
    return Run(None if code == -signal.SIGKILL else code, *said)


def count(found: Counter, *runs: Run, strays: Iterable[str] | None = None, where: str = ".", **counts: int) -> None:
    """Add a try's counts: what is given, processes that crashed, and names in a folder that should not be there."""
    found.update({name: int(value) for name, value in counts.items()})
    for run in runs:
        if run.status not in (None, 0, 2):
            print(run.errors[-800:], flush=True)
            found["tracebacks"] += 1
    if strays is not None:
        found["strays"] += len(set(os.listdir(where)) - set(strays))


def refused(found: Counter, run: Run, words: object = "") -> None:
    """Count what is not one sentence with the status of a refusal."""
    lines = run.errors.strip().splitlines()
    told = run.status == 2 and len(lines) == 1 and lines[0].startswith("linstudy: ")
    found["accepted"] += run.status == 0
    found["tracebacks"] += not told and run.status != 0
    if not told:
        print(words, run.status, run.errors[-500:], flush=True)


def failed(work: Callable, *arguments: object) -> bool:
    """Say whether work raises."""
    try:
        work(*arguments)
    except Exception:
        return True
    return False
