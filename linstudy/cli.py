"""The command ``linstudy``: the door to the verbs in ``commands``."""

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from . import __version__
from .commands import doctor, fetch, pretrain, profile, prune, report, results
from .study.errors import sentence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 something failed, 2 a user's error, told in a line."""
    argv = sys.argv[1:] if argv is None else list(argv)
    command = ["linstudy", *argv]
    options = argparse.Namespace()
    with _interruptions() as seen:
        try:
            parser().parse_args(argv, options)
            status = options.run(options, command)
            sys.stdout.flush()
            return status
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, OSError):
                _let_go_of_output()
            if isinstance(error, BrokenPipeError):  # `linstudy ... | head` has seen enough
                return 0
            stopped = seen or isinstance(error, KeyboardInterrupt)
            told = _stopped(command, options) if stopped else sentence(error)
            if "--debug" in argv or not told:
                raise
            print(f"linstudy: {told}", file=sys.stderr)
            return 2


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong with a command as everything else is told, in a sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise ValueError for words that make no command."""
        raise ValueError(f"{message}; see `{self.prog} --help`")


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    whole = Parser(prog="linstudy", description="How linear are the layers of transformers?")
    whole.add_argument("--version", action="version", version=f"linstudy {__version__}")
    subparsers = whole.add_subparsers(required=True, metavar="COMMAND")
    for verb in (profile, report, pretrain, prune, fetch, results, doctor):
        verb.add_to(subparsers)
    return whole


def _stopped(command: list[str], options: argparse.Namespace) -> str:
    """Say what to do after Ctrl-C; ``resume`` is a verb's option, or its way."""
    again = f"`{shlex.join(command)}`"
    if getattr(options, "resume", None):
        return f"stopped; resume with {again}."
    return f"stopped; {again} starts over{', and with --resume FILE it could go on' if 'resume' in options else ''}."


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Yield a list that fills when Ctrl-C is pressed: a library that is cut while it is imported raises anything."""
    seen: list[int] = []

    def interrupt(number: int, _: object) -> NoReturn:
        seen.append(number)
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # it is another's, or ignored
        yield seen
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _let_go_of_output() -> None:
    """Keep Python from writing at its end what could not be written now."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
