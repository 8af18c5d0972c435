"""``linstudy profile``: how linear the layers of a model are."""

import argparse
import re
import time
from pathlib import Path
from typing import Any

from ..files import check_writable, written_whole
from .common import add_shared, add_verb, count, draw, load_named, named_stack, seed, size_of, text_blocks

SHOWN = ("layer", "linearity", "update_linearity", "linearity_heldout", "update_linearity_heldout")
SHOWN += ("update_ratio", "norm_ratio", "cosine", "anisotropy", "feature_linearity", "linearity_raw", "floor")
DEEPEST = 10_000  # layers that a model may have: more are a slip of the keyboard
REPEATS = 0.9  # share of different runs below which a text is said to repeat itself: that of real text is above 0.99
PICTURES = (".png", ".svg", ".pdf")


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="measure how linear the layers of a model are")
    add = verb.add_argument
    add_shared(verb, "model")
    add("--text", default="stories", metavar="CORPUS", help="a corpus by name, or a text file (%(default)s)")
    add("--tokens", type=count, metavar="N", help="how many to measure (what suits this machine)")
    add_shared(verb, "--length", "--stack")
    add("--part", default="block", choices=("block", "attention", "mlp"), help="(%(default)s)")
    add("--batch-size", type=count, metavar="N", help="blocks in a forward pass (what suits this machine)")
    add("--drop-first", type=int, default=0, metavar="K", help="leave out the first K tokens of a block")
    add("--heldout", type=float, default=0.0, metavar="F", help="score also on this share, not fitted")
    add("--layers", metavar="LIST", help="numbered from 1, as 1,3-5 (all)")
    add("--seed", type=seed, default=0, help="draws the text and the random weights (%(default)s)")
    add_shared(verb, "--revision", "--device", "--dtype")
    add("--untrained", action="store_true", help="the control: the same model with random weights")
    add("--csv", metavar="FILE", help="write the table, with its provenance")
    add("--resume", metavar="FILE", help="save there once a minute, and go on from it after an interruption")
    add("--plot", metavar="FILE", help=f"draw the profile, as {', '.join(PICTURES)}")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Measure one model on one text: a table on stdout, a CSV file and a figure where asked for."""
    here = size_of(options)
    layers = None if options.layers is None else layer_numbers(options.layers)
    for name, path in (("--csv", options.csv), ("--plot", options.plot), ("--resume", options.resume)):
        check_writable(name, path)
    if options.plot is not None and Path(options.plot).suffix not in PICTURES:
        raise ValueError(f"--plot {options.plot}: the name has to end in {', '.join(PICTURES)}, which says the format.")
    started = time.monotonic()

    from .. import linearity_profile, profile_plot, untrained
    from ..study.provenance import bare, provenance
    from ..text import distinct_share

    model, tokenizer = load_named(options)
    if options.untrained:
        model = untrained(model, seed=options.seed)
    blocks = text_blocks(options, tokenizer)
    measured = {name: getattr(options, name) for name in ("part", "drop_first", "heldout", "resume")}
    measured |= {"layers": layers, "stack": named_stack(options, model)}
    measured["batch_size"] = options.batch_size or max(1, here.batch // options.length)
    table = linearity_profile(model, blocks, **measured)

    weights = "random" if options.untrained else "trained"
    name, text = bare(options.model), bare(options.text)
    table = table.assign(model=name, corpus=text, weights=weights, seed=options.seed, drop_first=options.drop_first)
    table = table.assign(length=options.length, heldout=options.heldout, dtype=str(model.dtype).removeprefix("torch."))
    table = table.assign(stack=measured["stack"] or "")
    part = " ".join(filter(None, (measured["stack"], options.part)))
    print(f"{name} ({weights} weights) on {blocks.numel():,} tokens of {text}, part: {part}")
    columns = [column for column in SHOWN if column in table and table[column].notna().any()]
    print(table[columns].to_string(index=False, float_format="%.4f"))
    if len(unknown := table.loc[table["linearity"].isna(), "layer"]):
        why = "what enters or leaves them does not vary; give a text of more than one word"
        print(f"no scores of layers {', '.join(map(str, unknown))}: {why}")
    if (share := distinct_share(blocks)) < REPEATS:
        floor = f"{min(1, table['floor'].max() / share):.4f}"
        print(f"this text repeats itself: {share:.1%} of its runs of 32 tokens differ; read the floor as {floor}")
    if options.csv:
        made = provenance(command=command, minutes=(time.monotonic() - started) / 60)
        with written_whole(options.csv) as temporary:
            table.assign(**made).to_csv(temporary, index=False, lineterminator="\n")
        print(f"table: {options.csv}")
    if options.plot:
        draw(profile_plot, table, path=options.plot)
        print(f"figure: {options.plot}")
    if options.resume:  # not before: who could not write the table has it in there
        Path(options.resume).unlink(missing_ok=True)
    return 0


def layer_numbers(text: str) -> list[int]:
    """Return the layers, numbered from 1, that a text such as "1,3-5" names."""
    numbers = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        span = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
        if not span or span[0] < 1 or span[-1] > DEEPEST:
            what = f"{part.strip()!r} is no layer; write numbers from 1 to {DEEPEST}, as 1,3-5."
            raise ValueError(f"--layers {text!r}: {what}")
        numbers.update(span)
    return sorted(numbers)
