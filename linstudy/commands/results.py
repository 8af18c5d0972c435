"""``linstudy results``: the tables of long runs."""

import argparse
from typing import Any

from .common import add_verb


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="redo the long results that are missing", resume=True)
    one = verb.add_mutually_exclusive_group()
    one.add_argument("--list", action="store_true", help="only list the runs and their state")
    one.add_argument("--only", metavar="NAME", help="this run alone")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Do the long runs whose rows are missing, or list them all with their state."""
    from casebook.registry import registry
    from casebook.runs import plan, run_missing

    if options.list:
        for one, state in plan(registry()):
            print(f"{one.name:<52} {one.table.name:<10} {one.size:<5} {state}")
        return 0
    return run_missing(registry(), only=options.only)
