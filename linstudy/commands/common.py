"""What several verbs share: options that name a model, loading it, a text for it, and drawing to a file."""

import argparse
import os
import re
from pathlib import Path
from typing import Any

from ..files import written_whole
from ..study.machine import VARIABLE, Size, size


def count(word: str) -> int:
    """Read a number of things, 1 or more; 0 is no way to ask for the usual number."""
    return _whole(word, 1, 10**12)


def seed(word: str) -> int:
    """Read a seed, as torch and numpy both take it."""
    return _whole(word, 0, 2**63 - 1)


def _whole(word: str, least: int, most: int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,30}", word) or not least <= int(word) <= most:
        raise argparse.ArgumentTypeError(f"{word!r} should be a whole number from {least} to {most}")
    return int(word)


SHARED: dict[str, dict[str, Any]] = {
    "model": {"metavar": "MODEL", "help": "a pocket or fetched model, an id of the hub, a folder or a GGUF file"},
    "--length": {"type": count, "default": 256, "metavar": "N", "help": "tokens a block (%(default)s)"},
    "--stack": {"choices": ("encoder", "decoder"), "help": "of a model that has both (decoder)"},
    "--revision": {"help": "of a model on the hub: a commit, tag or branch"},
    "--device": {"help": "cpu, cuda, ... (the best there is)"},
    "--dtype": {"help": "float32, bfloat16, ..."},
}


def add_verb(subparsers: Any, run: Any, *, help: str, **known: Any) -> argparse.ArgumentParser:
    """Add the verb that the module of ``run`` is called after; what is ``known`` of it stands beside its options."""
    name = run.__module__.rpartition(".")[2]
    verb = subparsers.add_parser(name, help=help, description=run.__doc__)
    verb.add_argument("--debug", action="store_true", help="show where an error comes from")
    verb.set_defaults(run=run, **known)
    return verb


def add_shared(verb: argparse.ArgumentParser, *names: str) -> None:
    """Add options that are the same in several verbs."""
    for name in names:
        verb.add_argument(name, **SHARED[name])


def load_named(options: argparse.Namespace) -> tuple[Any, Any]:
    """Load the model that the options name."""
    from .. import corpus, load

    corpus(options.text)  # a name that nobody knows is told before a model is downloaded
    return load(options.model, revision=options.revision, device=options.device, dtype=options.dtype)


def named_stack(options: argparse.Namespace, model: Any) -> str | None:
    """Return the stack of layers that the options name, the decoder where they name none; None where there is one."""
    from ..models import stacks_of

    stacks = stacks_of(model)
    if options.stack not in (None, *stacks):
        raise ValueError(f"--stack {options.stack}: {options.model} has one stack of layers; leave the option out.")
    return options.stack or (stacks[-1] if stacks else None)


def size_of(options: argparse.Namespace) -> Size:
    """Return the size for what the options and the machine are; a variable that names one has the last word."""
    return size("tiny" if options.device == "cpu" and not os.environ.get(VARIABLE) else None)


def text_blocks(options: argparse.Namespace, tokenizer: Any) -> Any:
    """Return blocks of the text that the options name, as many as suit this machine where they do not say."""
    from .. import token_blocks

    tokens = size_of(options).tokens if options.tokens is None else options.tokens
    return token_blocks(options.text, tokenizer, tokens=tokens, length=options.length, seed=options.seed)


def draw(plot: Any, *arguments: Any, path: str | Path, **options: Any) -> None:
    """Write what a plot of ``show`` draws; the end of the path's name says the format."""
    import matplotlib

    matplotlib.use("agg")  # no screen is needed to write a file
    from ..show import style

    style()
    figure = plot(*arguments, **options).figure
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix.removeprefix("."))
