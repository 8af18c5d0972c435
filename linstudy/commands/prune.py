"""``linstudy prune``: a smaller model in a folder, with the table and the figure of what it cost."""

import argparse
import math
import time
from typing import Any

from ..files import check_new, check_writable, locked, new_folder
from ..lookup import named
from .common import add_shared, add_verb, count, draw, load_named, seed, size_of, text_blocks

HELDOUT = 0.2  # share of the text, its end, on which perplexity is measured: nothing is fitted to it
SHOWN = ("action", "layers", "which", "perplexity", "parameters", "prefill_ms", "decode_ms", "decode_share")


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="take layers out of a model, or replace them")
    add = verb.add_argument
    add_shared(verb, "model")
    add("--layers", required=True, type=count, metavar="N", help="how many go")
    add("--out", required=True, metavar="FOLDER", help="a new folder: gets model, table and figure")
    add("--order", default="block_influence", metavar="NAME", help="which go: linearity, greedy, ... (%(default)s)")
    add("--action", default="affine", metavar="NAME", help="remove, affine, sequential, run or merge (%(default)s)")
    add("--text", default="stories", metavar="CORPUS", help="to choose and to fit by: a name or a file (%(default)s)")
    add("--tokens", type=count, metavar="N", help="of the text, the last fifth to measure on (by machine)")
    add_shared(verb, "--length")
    add("--seed", type=seed, default=0, help="draws the text and the random order (%(default)s)")
    add_shared(verb, "--revision", "--device", "--dtype")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Choose layers, remove or replace them, and write the model with what that cost, beside removing them."""
    size_of(options)  # a size that nobody knows is told first
    check_writable("--out", options.out, folder=True)
    check_new(options.out)  # this and the names are told before a model is downloaded
    with locked(options.out, wait=False):
        return _prune(options, command)


def _prune(options: argparse.Namespace, command: list[str]) -> int:
    started = time.monotonic()

    import pandas as pd

    from ..evaluate import check_causal
    from ..models import blocks as blocks_of
    from ..prune import ACTIONS, ORDERS, change, choices, export, fit, pruning_table, save_pruned, stand_ins
    from ..show import budget_plot
    from ..study.provenance import bare, provenance

    named(ORDERS, options.order, "order")
    named(ACTIONS, options.action, "action")
    model, tokenizer = load_named(options)
    check_causal(model)
    depth = len(blocks_of(model))
    if not 0 < options.layers < depth:
        raise ValueError(f"--layers {options.layers}: of {depth} layers, 1 to {depth - 1} can go.")
    blocks = text_blocks(options, tokenizer)
    cut = len(blocks) - round(HELDOUT * len(blocks))
    if cut == len(blocks):
        raise ValueError(f"{len(blocks)} blocks leave none to measure on: ask for more --tokens or a shorter --length.")

    text = bare(options.text)
    what = {"orders": (options.order,), "actions": tuple(dict.fromkeys((options.action, "remove")))}
    chosen = choices(**what, budgets=budgets(options.layers), seeds=(options.seed,))
    table = pd.DataFrame(pruning_table(model, blocks[:cut], {text: blocks[cut:]}, chosen))
    done = table[(table["action"] == options.action) & (table["layers"] == options.layers)].iloc[0]
    layers = [int(layer) for layer in done["which"].split()]
    change(model, fit(model, layers, options.action, blocks=blocks[:cut]))
    replaced = any(True for _ in stand_ins(model))
    made = provenance(command=command, minutes=(time.monotonic() - started) / 60)
    whole = table[table["action"] == "whole"]["perplexity"].iloc[0]
    with new_folder(options.out) as folder:
        (save_pruned if replaced else export)(model, folder, tokenizer=tokenizer)
        told = table.assign(corpus=text, tokens=cut * options.length, **made)
        told.to_csv(folder / "pruning.csv", index=False, lineterminator="\n")
        rows = table[table["action"] != "whole"]
        draw(budget_plot, rows, hue="action", whole=whole, path=folder / "pruning.svg")
    print(f"{bare(options.model)}, {ACTIONS[options.action].says}: layers {', '.join(map(str, layers))}")
    print(table[[*SHOWN]].to_string(index=False, float_format="%.2f"))
    alone = "transformers alone cannot" if replaced else "and so does transformers alone"
    print(f"model, pruning.csv, pruning.svg: {options.out} (linstudy.load reads it, {alone})")
    return 0


def budgets(most: int) -> list[int]:
    """Return up to six numbers of layers, the last of them all that go."""
    return sorted({math.ceil(most * part / 6) for part in range(1, 7)})
