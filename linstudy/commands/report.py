"""``linstudy report``: one page on one model, with the book's measurements of it."""

import argparse
import time
from pathlib import Path
from typing import Any

from ..files import check_writable, written_whole
from .common import add_shared, add_verb, count, load_named, named_stack, seed, size_of, text_blocks


def add_to(subparsers: Any) -> None:
    """Add the verb and its options."""
    verb = add_verb(subparsers, run, help="measure a model as the book does, and write one page about it")
    add = verb.add_argument
    add_shared(verb, "model")
    add("--out", required=True, metavar="FILE", help="the page, one .html file that needs nothing else")
    add("--text", default="stories", metavar="CORPUS", help="a corpus by name, or a text file (%(default)s)")
    add("--tokens", type=count, metavar="N", help="how many to read (what suits this machine)")
    add_shared(verb, "--length", "--stack")
    add("--seed", type=seed, default=0, help="draws the text and the twins (%(default)s)")
    add_shared(verb, "--revision", "--device", "--dtype")


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Measure one model on one text, beside its twins and the book's models, and write a page that shows it."""
    size_of(options)  # a size that nobody knows is told first
    check_writable("--out", options.out)
    if Path(options.out).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--out {options.out}: the page is HTML; let its name end in .html.")
    started = time.monotonic()

    import matplotlib
    from tqdm import tqdm

    matplotlib.use("agg")  # no screen is needed to draw into a page
    from casebook.report.measure import measured, seconds_a_token, text_of, work
    from casebook.report.page import page
    from casebook.rows.source import text_hash

    from ..study.provenance import bare, provenance
    from ..text import distinct_share

    model, tokenizer = load_named(options)
    blocks = text_blocks(options, tokenizer)
    stack = named_stack(options, model)
    text = text_of(model, blocks, stack)
    name, corpus, revision = bare(options.model), bare(options.text), getattr(model.config, "_commit_hash", None)
    tokens = work(model, text)
    minutes = tokens * seconds_a_token(model, text) / 60
    what = f"{name} on {blocks.numel():,} tokens of {corpus}"  # told before the work, also into a file
    print(f"{what}: about {_minutes(minutes)}; --tokens N reads fewer or more.", flush=True)
    named = {"model": name, "corpus": corpus, "revision": revision or ""}
    with tqdm(total=tokens, unit="token", unit_scale=True, disable=None) as bar:

        def advance(what: str, read: int) -> None:
            bar.set_description(what)
            bar.update(read)

        found = measured(model, tokenizer, text, named=named, seed=options.seed, advance=advance)
    made = {"model": name if stack is None else f"{name}, {stack}"}
    made |= {"revision": revision or "none: a folder or a model of the package"}
    made |= {"text": corpus, "tokens": f"{blocks.numel():,}", "tokens of the controls": f"{text.few.numel():,}"}
    made |= {"tokens a block": options.length, "sum of the tokens": text_hash(blocks), "seed": options.seed}
    made |= {"runs of 32 tokens that differ": f"{distinct_share(blocks):.1%}"}  # few: the text repeats itself
    made |= {"number type": str(model.dtype).removeprefix("torch.")}
    made |= provenance(command=command, minutes=(time.monotonic() - started) / 60)
    whole = page(found, model=name, made=made)
    with written_whole(options.out) as temporary:
        temporary.write_text(whole, encoding="utf-8")
    print(f"page: {options.out} ({len(whole.encode()) / 2**20:.1f} MB)")
    return 0


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{max(1, round(60 * minutes))} seconds"
