"""What makes the rows of the tables of long runs, a module a kind, imported when it runs."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from linstudy.study import tables

from ..table import MadeTable

MAKERS = {
    "profiles": "profiles.profiles",
    "outliers": "profiles.outliers",
    "boundaries": "profiles.boundaries",
    "protocol": "protocol.runs",
    "pruning": "pruning.pruning",
    "layer_costs": "pruning.layer_costs",
    "healing": "healing.healing",
    "losses": "losses.losses",
    "derivatives": "derivatives.runs",
    "families": "profiles.families",
    "widths": "profiles.widths",
    "pretraining": "pretraining.pretraining",
    "continued": "continued.continued",
    "dynamics": "pretraining.dynamics",
    "finetuning": "finetuning.finetuning",
    "harmed": "harmed.harmed",
    "evaluations": "evaluation.runs",
    "matched": "matched.matched",
}


def by(name: str) -> Callable[..., None]:
    """Return the maker called so in a module of this folder; the module, and torch with it, is imported at its call."""
    module, _, function = name.partition(".")

    def maker(*arguments: Any, **options: Any) -> None:
        getattr(import_module(f".{module}", __package__), function)(*arguments, **options)

    return maker


TABLES = {name: MadeTable(name, table.key, by(MAKERS[name])) for name, table in tables.TABLES.items()}
