"""``linstudy pretrain``: a small model in a folder, from a text."""

import argparse
import json
from typing import Any

from ..files import check_writable, written_whole
from .common import add_verb, count, seed

TEXT = ("text", "distinct")
RECIPE = ("tokens", "steps", "batch", "accumulation", "peak_rate", "warmup", "weight_decay", "penalty", "scaling")
RECIPE += ("linear", "compile", "snapshots", "seed")


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="pretrain a small model", resume=True)
    add = verb.add_argument
    add("--out", required=True, metavar="FOLDER", help="gets model, tokenizer and the table of the run")
    add("--preset", default="pocket", metavar="NAME", help="nano, pocket, mini, 150m or 650m: the size (%(default)s)")
    add("--layers", type=count, metavar="N", help="how many the model has (the preset's)")
    add("--text", metavar="CORPUS", help="a corpus by name, a text file, or several joined by + (stories)")
    add("--tokens", type=count, metavar="N", help="how many to see (the preset's; pocket: 10 million)")
    add("--steps", type=count, metavar="N", help="so many updates of the weights, whatever --tokens says")
    add("--distinct", type=count, metavar="N", help="of so many tokens, seen again and again")
    add("--batch", type=count, metavar="N", help="blocks a step (the preset's)")
    add("--peak-rate", type=float, metavar="R", help="largest learning rate (the preset's)")
    add("--warmup", type=int, metavar="N", help="steps in which the rate rises (a tenth, at most 200)")
    add("--weight-decay", type=float, metavar="W", help="of matrices (0.1)")
    add("--penalty", metavar="KIND=WEIGHT", help="cosine=0.5 or mse=0.5: pull neighbouring states together")
    add("--scaling", metavar="WHERE", help="branches, norms or rates: smaller updates by other means")
    add("--accumulation", type=count, metavar="N", help="compute the share of a batch in so many parts")
    add("--linear", choices=("auto", "torch", "onednn"), help="who multiplies matrices (auto)")
    add("--compile", action="store_true", help="compile the blocks first, for long runs on a GPU")
    add("--snapshots", action="store_true", help="keep the weights of steps 0, 1, 2, 4, 8 and so on")
    add("--seed", type=seed, default=0, help="draws text and first weights (%(default)s)")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Pretrain a small model; the same command again goes on where it was stopped."""
    check_writable("--out", options.out, folder=True)

    from ..study.provenance import provenance
    from ..train import Penalty, Scaling, from_word, preset_named, pretrain_to
    from ..train.processes import processes

    given = {name: value for name, value in vars(options).items() if value is not None}
    words = {"penalty": Penalty, "scaling": Scaling}
    given |= {name: from_word(kind, given[name]) for name, kind in words.items() if name in given}
    changes, texts = ({name: given[name] for name in names if name in given} for names in (RECIPE, TEXT))
    preset = preset_named(options.preset, layers=options.layers)
    folder = pretrain_to(options.out, preset, preset.recipe(**changes), **texts)
    if not processes().is_main_process:
        return 0
    path = folder / "provenance.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    with written_whole(path) as temporary:  # what the loop knows of itself, and where it ran
        made = provenance(command=command, minutes=made["minutes"]) | made
        temporary.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(f"model: {folder}")
    return 0
