"""The command ``linstudy``: profile a model, pretrain one, prune one, redo the long results, look at this machine."""

import argparse
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import __version__, prune_command
from .files import check_writable, written_whole

# What a user can cause; anything else is a mistake of ours and keeps its traceback.
USER_ERRORS = (ValueError, IndexError, OSError, ImportError, MemoryError)
SHOWN = ("layer", "linearity", "update_linearity", "linearity_heldout", "update_linearity_heldout")
SHOWN += ("update_ratio", "norm_ratio", "cosine", "anisotropy", "feature_linearity", "linearity_raw", "floor")

PICTURES = (".png", ".svg", ".pdf")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 some runs failed, 2 a user's error, told in a line."""
    argv = sys.argv[1:] if argv is None else list(argv)
    options = _parser().parse_args(argv)
    try:
        status = options.function(options, ["linstudy", *argv])
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `linstudy ... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, Exception) as error:
        if os.environ.get("LINSTUDY_DEBUG") or not (sentence := _sentence(error, ["linstudy", *argv])):
            raise
        print(f"linstudy: {sentence}", file=sys.stderr)
        return 2


def profile(options: argparse.Namespace, command: list[str]) -> int:
    """Measure one model on one text: a table on stdout, a CSV file and a figure where asked for."""
    from .study.provenance import bare, provenance
    from .study.sizes import size

    here = size()
    layers = None if options.layers is None else layer_numbers(options.layers)
    for name, path in (("--csv", options.csv), ("--plot", options.plot)):
        check_writable(name, path)
        if path is not None and Path(path).is_dir():
            raise IsADirectoryError(f"{name} {path}: this is a folder; name a file in it.")
    if options.plot is not None and Path(options.plot).suffix not in PICTURES:
        raise ValueError(f"--plot {options.plot}: the name has to end in {', '.join(PICTURES)}, which says the format.")
    started = time.monotonic()

    from . import corpus, linearity_profile, load, token_blocks, untrained

    corpus(options.text)  # a name that nobody knows is told before a model is downloaded
    model, tokenizer = load(options.model, revision=options.revision, device=options.device, dtype=options.dtype)
    if options.untrained:
        model = untrained(model, seed=options.seed)
    tokens = here.tokens if options.tokens is None else options.tokens
    blocks = token_blocks(options.text, tokenizer, tokens=tokens, length=options.length, seed=options.seed)
    measured = {"part": options.part, "drop_first": options.drop_first, "heldout": options.heldout, "layers": layers}
    table = linearity_profile(model, blocks, batch_size=max(1, here.batch // options.length), **measured)

    weights = "random" if options.untrained else "trained"
    name, text = bare(options.model), bare(options.text)
    table = table.assign(model=name, corpus=text, weights=weights, seed=options.seed, drop_first=options.drop_first)
    table = table.assign(length=options.length, heldout=options.heldout, dtype=str(model.dtype).removeprefix("torch."))
    print(f"{name} ({weights} weights) on {blocks.numel():,} tokens of {text}, part: {options.part}")
    columns = [column for column in SHOWN if column in table and table[column].notna().any()]
    print(table[columns].to_string(index=False, float_format="%.4f"))
    if options.csv:
        made = provenance(command=command, minutes=(time.monotonic() - started) / 60)
        with written_whole(options.csv) as temporary:
            table.assign(**made).to_csv(temporary, index=False, lineterminator="\n")
        print(f"table: {options.csv}")
    if options.plot:
        _plot(table, Path(options.plot))
        print(f"figure: {options.plot}")
    return 0


def pretrain(options: argparse.Namespace, command: list[str]) -> int:
    """Pretrain a small model; the same command again goes on where it was stopped."""
    check_writable("--out", options.out)

    from .study.provenance import provenance
    from .train import pretrain_to

    names = ("preset", "text", "tokens", "steps", "distinct", "batch", "accumulation", "peak_rate", "weight_decay")
    names += ("layers", "penalty", "scaling", "linear", "compile")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    folder = pretrain_to(options.out, **given, seed=options.seed, snapshots=options.snapshots)
    path = folder / "provenance.json"
    made = json.loads(path.read_text())
    with written_whole(path) as temporary:  # what the loop knows of itself, and where it ran
        made = provenance(command=command, minutes=made["minutes"]) | made
        temporary.write_text(json.dumps(made, indent=2) + "\n")
    print(f"model: {folder}")
    return 0


def results(options: argparse.Namespace, command: list[str]) -> int:
    """Do the long runs whose rows are missing, or list them all with their state."""
    from .study.runs import plan, run_missing

    if options.list:
        for run, state in plan():
            print(f"{run.name:<52} {run.table:<10} {run.size:<5} {state}")
        return 0
    return run_missing(only=options.only)


def doctor(options: argparse.Namespace, command: list[str]) -> int:
    """Say what of this machine can be used, and what to do about the rest."""
    from .study.doctor import doctor as report

    print(report())
    return 0


def layer_numbers(text: str) -> list[int]:
    """Return the layers, numbered from 1, that a text such as "1,3-5" names."""
    numbers = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        span = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
        if not span or span[0] < 1:
            raise ValueError(f"--layers {text!r}: {part.strip()!r} is no layer; write numbers from 1 on, as 1,3-5.")
        numbers.update(span)
    return sorted(numbers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="linstudy", description="How linear are the layers of transformers?")
    parser.add_argument("--version", action="version", version=f"linstudy {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser(
        "profile", help="measure how linear the layers of a model are", description=profile.__doc__
    )
    one.set_defaults(function=profile)
    one.add_argument("model", metavar="MODEL", help="a pocket model, an id of the hub, or a folder")
    one.add_argument(
        "--text", default="stories", metavar="CORPUS", help="a corpus by name, or a text file (%(default)s)"
    )
    one.add_argument("--tokens", type=int, metavar="N", help="how many to measure (what suits this machine)")
    one.add_argument("--length", type=int, default=256, metavar="N", help="tokens a block (%(default)s)")
    one.add_argument("--part", default="block", choices=("block", "attention", "mlp"), help="(%(default)s)")
    one.add_argument("--drop-first", type=int, default=0, metavar="K", help="leave out the first K tokens of a block")
    one.add_argument("--heldout", type=float, default=0.0, metavar="F", help="score also on this share, not fitted")
    one.add_argument("--layers", metavar="LIST", help="numbered from 1, as 1,3-5 (all)")
    one.add_argument("--seed", type=int, default=0, help="draws the text and the random weights (%(default)s)")
    one.add_argument("--revision", help="of a model on the hub: a commit, tag or branch")
    one.add_argument("--device", help="cpu, cuda, ... (the best there is)")
    one.add_argument("--dtype", help="float32, bfloat16, ...")
    one.add_argument("--untrained", action="store_true", help="the control: the same model with random weights")
    one.add_argument("--csv", metavar="FILE", help="write the table, with its provenance")
    one.add_argument("--plot", metavar="FILE", help=f"draw the profile, as {', '.join(PICTURES)}")

    train = commands.add_parser("pretrain", help="pretrain a small model", description=pretrain.__doc__)
    train.set_defaults(function=pretrain)
    train.add_argument("--out", required=True, metavar="FOLDER", help="gets model, tokenizer and the table of the run")
    train.add_argument("--preset", metavar="NAME", help="nano, pocket, mini, 150m or 650m: the size (pocket)")
    train.add_argument("--layers", type=int, metavar="N", help="how many the model has (the preset's)")
    train.add_argument(
        "--text", metavar="CORPUS", help="a corpus by name, a text file, or several joined by + (stories)"
    )
    train.add_argument("--tokens", type=int, metavar="N", help="how many to see (the preset's; pocket: 10 million)")
    train.add_argument("--steps", type=int, metavar="N", help="so many updates of the weights, whatever --tokens says")
    train.add_argument("--distinct", type=int, metavar="N", help="of so many tokens, seen again and again")
    train.add_argument("--batch", type=int, metavar="N", help="blocks a step (the preset's)")
    train.add_argument("--peak-rate", type=float, metavar="R", help="largest learning rate (the preset's)")
    train.add_argument("--weight-decay", type=float, metavar="W", help="of matrices (0.1)")
    train.add_argument(
        "--penalty", metavar="KIND=WEIGHT", help="cosine=0.5 or mse=0.5: pull neighbouring states together"
    )
    train.add_argument("--scaling", metavar="WHERE", help="branches or norms: smaller updates by other means")
    train.add_argument("--accumulation", type=int, metavar="N", help="compute the share of a batch in so many parts")
    train.add_argument("--linear", choices=("auto", "torch", "onednn"), help="who multiplies matrices (auto)")
    train.add_argument("--compile", action="store_true", help="compile the blocks first, for long runs on a GPU")
    train.add_argument("--snapshots", action="store_true", help="keep the weights of steps 0, 1, 2, 4, 8 and so on")
    train.add_argument("--seed", type=int, default=0, help="draws text and first weights (%(default)s)")

    prune_command.add_to(commands)

    long = commands.add_parser("results", help="redo the long results that are missing", description=results.__doc__)
    long.set_defaults(function=results)
    long.add_argument("--list", action="store_true", help="only list the runs and their state")
    long.add_argument("--only", metavar="NAME", help="this run alone")

    look = commands.add_parser("doctor", help="look at this machine and the installation", description=doctor.__doc__)
    look.set_defaults(function=doctor)
    return parser


def _plot(table: object, path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")  # no screen is needed to write a file
    from .show import profile_plot, style

    style()
    figure = profile_plot(table).figure
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix("."))


def _sentence(error: BaseException, command: list[str]) -> str:
    """Return what to tell the user; nothing for an error that is ours."""
    if isinstance(error, KeyboardInterrupt):
        return f"stopped; resume with `{shlex.join(command)}`."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        from .study.sizes import out_of_memory, size

        return out_of_memory(error, size())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__ if isinstance(error, USER_ERRORS) else ""
