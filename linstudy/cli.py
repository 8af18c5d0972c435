"""The command ``linstudy``: the door to the verbs in ``commands``."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from . import __version__
from .commands import doctor, fetch, pretrain, profile, prune, results


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 some runs failed, 2 a user's error, told in a line."""
    argv = sys.argv[1:] if argv is None else list(argv)
    options = parser().parse_args(argv)
    command = ["linstudy", *argv]
    try:
        status = options.run(options, command)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `linstudy ... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, Exception) as error:
        from .study.errors import sentence

        stopped = isinstance(error, KeyboardInterrupt)
        told = f"stopped; resume with `{shlex.join(command)}`." if stopped else sentence(error)
        if os.environ.get("LINSTUDY_DEBUG") or not told:
            raise
        print(f"linstudy: {told}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    whole = argparse.ArgumentParser(prog="linstudy", description="How linear are the layers of transformers?")
    whole.add_argument("--version", action="version", version=f"linstudy {__version__}")
    subparsers = whole.add_subparsers(required=True, metavar="COMMAND")
    for verb in (profile, pretrain, prune, fetch, results, doctor):
        verb.add_to(subparsers)
    return whole
