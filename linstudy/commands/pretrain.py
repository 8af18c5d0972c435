"""``linstudy pretrain``: a small model in a folder, from a text."""

import argparse
import json
from typing import Any

from ..files import check_writable, written_whole
from .common import add_verb

TEXT = ("text", "distinct")
RECIPE = (
    "tokens",
    "steps",
    "batch",
    "accumulation",
    "peak_rate",
    "weight_decay",
    "linear",
    "compile",
    "snapshots",
    "seed",
)


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="pretrain a small model")
    verb.add_argument("--out", required=True, metavar="FOLDER", help="gets model, tokenizer and the table of the run")
    verb.add_argument(
        "--preset", default="pocket", metavar="NAME", help="nano, pocket, mini, 150m or 650m: the size (%(default)s)"
    )
    verb.add_argument("--layers", type=int, metavar="N", help="how many the model has (the preset's)")
    verb.add_argument(
        "--text", metavar="CORPUS", help="a corpus by name, a text file, or several joined by + (stories)"
    )
    verb.add_argument("--tokens", type=int, metavar="N", help="how many to see (the preset's; pocket: 10 million)")
    verb.add_argument("--steps", type=int, metavar="N", help="so many updates of the weights, whatever --tokens says")
    verb.add_argument("--distinct", type=int, metavar="N", help="of so many tokens, seen again and again")
    verb.add_argument("--batch", type=int, metavar="N", help="blocks a step (the preset's)")
    verb.add_argument("--peak-rate", type=float, metavar="R", help="largest learning rate (the preset's)")
    verb.add_argument("--weight-decay", type=float, metavar="W", help="of matrices (0.1)")
    verb.add_argument(
        "--penalty", metavar="KIND=WEIGHT", help="cosine=0.5 or mse=0.5: pull neighbouring states together"
    )
    verb.add_argument("--scaling", metavar="WHERE", help="branches or norms: smaller updates by other means")
    verb.add_argument("--accumulation", type=int, metavar="N", help="compute the share of a batch in so many parts")
    verb.add_argument("--linear", choices=("auto", "torch", "onednn"), help="who multiplies matrices (auto)")
    verb.add_argument("--compile", action="store_true", help="compile the blocks first, for long runs on a GPU")
    verb.add_argument("--snapshots", action="store_true", help="keep the weights of steps 0, 1, 2, 4, 8 and so on")
    verb.add_argument("--seed", type=int, default=0, help="draws text and first weights (%(default)s)")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Pretrain a small model; the same command again goes on where it was stopped."""
    check_writable("--out", options.out)

    from ..study.provenance import provenance
    from ..train import Penalty, Scaling, from_word, preset_named, pretrain_to

    given = {name: value for name, value in vars(options).items() if value is not None}
    changes = {name: given[name] for name in RECIPE if name in given}
    changes |= {
        name: from_word(kind, given[name])
        for name, kind in (("penalty", Penalty), ("scaling", Scaling))
        if name in given
    }
    preset = preset_named(options.preset, layers=options.layers)
    texts = {name: given[name] for name in TEXT if name in given}
    folder = pretrain_to(options.out, preset, preset.recipe(**changes), **texts)
    path = folder / "provenance.json"
    made = json.loads(path.read_text())
    with written_whole(path) as temporary:  # what the loop knows of itself, and where it ran
        made = provenance(command=command, minutes=made["minutes"]) | made
        temporary.write_text(json.dumps(made, indent=2) + "\n")
    print(f"model: {folder}")
    return 0
