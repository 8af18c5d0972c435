"""``linstudy doctor``: what this machine has."""

import argparse
from typing import Any

from .common import add_verb


def add_to(subparsers: Any) -> None:
    """Add the verb."""
    add_verb(subparsers, run, help="look at this machine and the installation")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Say what of this machine can be used, and what to do about the rest."""
    from casebook.reach import besides

    from ..study.doctor import doctor

    report, whole = doctor(besides())
    print(report)
    return 0 if whole else 1
