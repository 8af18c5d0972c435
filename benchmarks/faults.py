"""Break what writes and what reads, on purpose, and count what is lost; written to benchmarks/results/faults.csv.

    python benchmarks/faults.py                     # all kinds
    python benchmarks/faults.py killed-table races  # some, by name: see FAULTS
    python benchmarks/faults.py --tries 10          # of each; by default as many as stand in FAULTS
    python benchmarks/faults.py --tries 10 --more   # and add them to those of the table

A try is a process of its own, forked from one that has imported everything. `lost`: something that was whole before, or
said to be written, is not there; `half_written`: something stands under its final name and is not whole; `strays`:
files that are still there after the next run; `tracebacks`: no sentence; `accepted`: done, and
should have been refused.
"""

import argparse
import csv
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", LINSTUDY_SIZE="tiny", TOKENIZERS_PARALLELISM="false")

import pandas as pd
import torch
from common import met  # noqa: F401 (finds the tests' models, too)
from faulty import commands, damages
from hubs import CASES, hub_faults
from safetensors.torch import load_file
from test_checkpoint import LONG, weights_after
from test_cli import STORY
from test_results import rows
from tiny_models import tiny_model
from tries import count, failed, forked, refused, together

import linstudy
from casebook.written import append
from linstudy.cli import main as linstudy_
from linstudy.measure import JointMoments
from linstudy.prune import prune, save_pruned
from linstudy.study.results import results
from linstudy.text import train_tokenizer

RESULTS = Path(__file__).resolve().parent / "results" / "faults.csv"
COUNTED = ("tries", "lost", "half_written", "strays", "tracebacks", "accepted")
COLUMNS = ("kind", "what", *COUNTED, "date", "commit", "hardware")
TEXT = ("--text", "text.txt", "--tokens", "2048", "--length", "64")
PRUNE = ("prune", "model", "--layers", "1", *TEXT, "--out", "new")
PRETRAIN = ("pretrain", "--preset", "nano", "--text", "text.txt", "--distinct", "8192", "--out", "new")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[*FAULTS, []], help="which; all by default")
    parser.add_argument("--tries", type=int, help="of each")
    parser.add_argument("--more", action="store_true", help="add to the counts of the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for kind in options.kinds or FAULTS:
        fault, tries, what = FAULTS[kind]
        old = {row["kind"]: row for row in recorded()}.get(kind) if options.more else None
        done = {name: int(old[name]) if old else 0 for name in COUNTED}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            make_ground()
            found = fault(options.tries or tries, random.Random(f"{kind} {done['tries']}"))
            os.chdir(RESULTS.parent)
        row = {"kind": kind, "what": what} | {name: done[name] + found[name] for name in COUNTED}
        print(row, flush=True)
        record(row)
    return 0


# what is killed


def killed_table(tries: int, draw: random.Random) -> Counter:
    """Kill a process that adds rows to a table; every row it has said to be there must be."""
    found = Counter()
    while found["tries"] < tries:
        shutil.rmtree("table", ignore_errors=True)

        def work() -> None:
            for seed in range(1000):
                append("profiles", rows(1, seed=seed), folder="table")
                os.write(1, b"%d\n" % seed)

        run = forked(work, seconds=draw.uniform(0.05, 0.6))
        said = run.output.split()
        append("profiles", rows(1, seed=-1), folder="table")
        there = set(results("profiles", folder="table").seed)
        count(
            found,
            run,
            tries=run.killed,
            lost=any(int(seed) not in there for seed in said),
            strays=["profiles.csv"],
            where="table",
        )
    return found


def killed_moments(tries: int, draw: random.Random) -> Counter:
    """Kill a process that saves moments over moments; a whole file must stand there."""
    found, moments = Counter(), JointMoments.empty(128).update(torch.randn(300, 128), torch.randn(300, 128))
    Path("m").mkdir()
    while found["tries"] < tries:
        moments.save("m/moments")
        run = forked(lambda: [moments.save("m/moments") for _ in range(10_000)], seconds=draw.uniform(0.01, 0.1))
        half = failed(lambda: JointMoments.load("m/moments"))
        moments.save("m/moments")
        count(found, run, tries=run.killed, half_written=half, strays=["moments"], where="m")
    return found


def killed_training(tries: int, draw: random.Random) -> Counter:
    """Kill a training at random moments until it comes to its end; the weights must be those of one never killed."""
    found, whole = Counter(), weights_after(config=LONG)
    while found["tries"] < tries:
        shutil.rmtree("run", ignore_errors=True)
        while True:
            run = forked(lambda: weights_after("run", LONG) and None, seconds=draw.uniform(0.1, 1.5))
            half = any(failed(load_file, path) for path in Path("run").glob("*.safetensors"))
            count(found, run, tries=run.killed, half_written=half)
            if not run.killed:
                break
        final = weights_after("run", LONG)
        found["lost"] += any(not torch.equal(final[name], whole[name]) for name in whole)
        found["strays"] += len(list(Path("run").glob(".*")))
    return found


def killed_command(
    words: tuple[str, ...], made: str, is_whole: Callable[[], object], *, kept: bool = False
) -> Callable:
    """Return what kills a command at random moments and then lets it come to its end."""

    def fault(tries: int, draw: random.Random) -> Counter:
        found, before = Counter(), set(os.listdir())
        started = time.monotonic()
        assert forked(lambda: linstudy_(words)).status == 0
        took = time.monotonic() - started
        while found["tries"] < tries:
            if not kept:
                clear(before)
            run = forked(lambda: linstudy_(words), seconds=draw.uniform(0, 1.1 * took))
            half = os.path.exists(made) and failed(is_whole)
            count(found, run, tries=run.killed, half_written=half)
            if found["tries"] % 10 == 0 or found["tries"] >= tries:
                again = forked(lambda: linstudy_(words))
                found["lost"] += again.status != 0 and not os.path.exists(made)
                found["strays"] += sum(name.startswith(".") for name in set(os.listdir()) - before)
        return found

    return fault


# what is done twice at once


def raced_table(tries: int, draw: random.Random) -> Counter:
    """Let two processes write 20 rows each to one table."""
    found = Counter()
    for _ in range(tries):
        shutil.rmtree("table", ignore_errors=True)

        def work(name: str) -> None:
            for seed in range(20):
                append("profiles", rows(1, seed=seed, model=name), folder="table")

        both = together(lambda: work("one"), lambda: work("other"))
        lost = 40 - len(results("profiles", folder="table"))
        count(found, *both, tries=1, lost=lost, strays=["profiles.csv"], where="table")
    return found


def raced_folder(tries: int, draw: random.Random) -> Counter:
    """Let two processes save a pruned model to one folder; one wins, the other gets a sentence."""
    found, (model, tokenizer) = Counter(), linstudy.load("model", device="cpu")
    prune(model, [2], "remove")
    Path("f").mkdir()
    for _ in range(tries):
        shutil.rmtree("f/new", ignore_errors=True)

        def work() -> int:
            try:
                save_pruned(model, "f/new", tokenizer=tokenizer)
            except FileExistsError:
                return 2
            return 0

        both = together(work, work)
        half = failed(lambda: linstudy.load("f/new", device="cpu"))
        won = sorted(run.status for run in both)
        count(
            found,
            *both,
            tries=1,
            half_written=half,
            lost=won[0] != 0,
            accepted=won == [0, 0],
            strays=["new"],
            where="f",
        )
    return found


def raced_command(words: tuple[str, ...], is_whole: Callable[[], object]) -> Callable:
    """Return what lets two processes do the same command; one wins, the other gets a sentence, or does it again."""

    def fault(tries: int, draw: random.Random) -> Counter:
        found, before = Counter(), set(os.listdir())
        for _ in range(tries):
            clear(before)
            later = partial(time.sleep, draw.uniform(0, 0.5))
            both = together(lambda: linstudy_(words), lambda later=later: later() or linstudy_(words))
            lost = 0 not in [run.status for run in both]
            count(found, *both, tries=1, lost=lost, half_written=failed(is_whole), strays=[*before, "new"])
        return found

    return fault


# what is full, and what is wrong


def full_disk(tries: int, draw: random.Random) -> Counter:
    """Let no file grow beyond so many bytes; each command gets a sentence and leaves what was there."""
    model, tokenizer = linstudy.load("model", device="cpu")
    moments = JointMoments.empty(128).update(torch.randn(300, 128), torch.randn(300, 128))
    found = Counter()
    Path("f").mkdir()
    shutil.copytree("model", "bare")
    ways = {
        "append": (lambda: append("profiles", rows(3), folder="f"), 500),
        "moments": (lambda: moments.save("f/mine"), 300_000),
        "pruned": (lambda: save_pruned(model, "f/new", tokenizer=tokenizer), 30_000),
        "profile": (lambda: linstudy_(("profile", "model", *TEXT, "--csv", "f/mine")), 500),
        "plot": (lambda: linstudy_(("profile", "model", *TEXT, "--plot", "f/mine.svg")), 5_000),
        "prune": (lambda: linstudy_((*PRUNE[:-1], "f/new")), 30_000),
        "pretrain": (lambda: linstudy_((*PRETRAIN[:-1], "new", "--steps", "2")), 300_000),
    }
    for number in range(tries):
        way, most = list(ways.values())[number % len(ways)]
        for name in ("mine", "mine.svg", "profiles.csv"):
            shutil.copy("text.txt", Path("f", name)) if name != "profiles.csv" else None
        limit = draw.randrange(most)

        def work(way: Callable = way, limit: int = limit) -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                return way() or 0
            except OSError as error:  # from Python the error is the sentence
                print(f"linstudy: {error}", file=sys.stderr)
                return 2

        run = forked(work)
        before = Path("text.txt").read_bytes()
        lost = any(Path("f", name).read_bytes() != before for name in ("mine", "mine.svg"))
        refused(found, run)
        count(found, run, tries=1, lost=lost, strays=["mine", "mine.svg"], where="f")
        shutil.rmtree("new", ignore_errors=True)
    return found


def bad_inputs(tries: int, draw: random.Random) -> Counter:
    """Give every command what it cannot take: one sentence, status 2, and nothing left behind."""
    found, before = Counter(), set(os.listdir())
    wrong = [*commands(), *damages()]
    random.Random(0).shuffle(wrong)
    first = sum(int(row["tries"]) for row in recorded() if row["kind"] == "bad-inputs") if "--more" in sys.argv else 0
    for spoil, words in wrong[first : first + tries]:
        for name in ("spoilt", "spoilt.csv"):
            shutil.rmtree(name, ignore_errors=True)
        shutil.copytree("pruned" if spoil and "pruned" in spoil.__qualname__ else "model", "spoilt")
        if spoil:
            spoil(Path("spoilt"))
        run = forked(lambda words=words: linstudy_(words), seconds=60)
        refused(found, run, words)
        count(found, run, tries=1, strays=[*before, "spoilt", "away.safetensors"])
    return found


# the ground


def clear(before: set[str]) -> None:
    """Remove what was not there before."""
    for path in map(Path, set(os.listdir()) - before):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_ground() -> None:
    """Put a small model, the same pruned, and a text in the folder."""
    texts = [f"{number} {STORY}" for number in range(400)]
    tokenizer = train_tokenizer(texts, vocab_size=300)
    model = tiny_model("llama", vocab_size=len(tokenizer))
    model.save_pretrained("model")
    tokenizer.save_pretrained("model")
    prune(model, [2], "affine", blocks=torch.randint(3, 300, (40, 32)))
    save_pruned(model, "pruned", tokenizer=tokenizer)
    Path("text.txt").write_text("".join(texts), encoding="utf-8")


def recorded() -> list[dict]:
    """Return the rows of the table."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def record(row: dict) -> None:
    """Replace this kind's row in the table."""
    from linstudy.files import written_whole
    from linstudy.study.provenance import provenance

    made = provenance(command="benchmarks/faults.py", minutes=0)
    kept = [old for old in recorded() if old["kind"] != row["kind"]]
    table = sorted([*kept, row | made], key=lambda one: list(FAULTS).index(one["kind"]))
    with written_whole(RESULTS) as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(table)


def loads_new() -> None:
    linstudy.load("new", device="cpu")


PROFILE = ("profile", "model", *TEXT, "--csv", "out.csv", "--plot", "out.svg")
STEPS = ("--steps", "6", "--batch", "2", "--snapshots")
FAULTS: dict[str, tuple[Callable, int, str]] = {
    "killed-table": (killed_table, 150, "SIGKILL while rows are added to a results table"),
    "killed-moments": (killed_moments, 150, "SIGKILL while moments are saved"),
    "killed-training": (
        killed_training,
        60,
        "SIGKILL in a training with checkpoints, which then goes on",
    ),
    "killed-profile": (
        killed_command(PROFILE, "out.csv", lambda: pd.read_csv("out.csv")["layer"].size == 3 or 1 / 0, kept=True),
        40,
        "SIGKILL in linstudy profile --csv --plot",
    ),
    "killed-prune": (
        killed_command(PRUNE, "new", loads_new),
        30,
        "SIGKILL in linstudy prune --out",
    ),
    "killed-pretrain": (
        killed_command((*PRETRAIN, *STEPS), "new/model.safetensors", lambda: load_file("new/model.safetensors")),
        30,
        "SIGKILL in linstudy pretrain --out",
    ),
    "raced-table": (raced_table, 20, "two processes add rows to one table"),
    "raced-folder": (raced_folder, 40, "two processes save a pruned model to one folder"),
    "raced-prune": (
        raced_command(PRUNE, loads_new),
        10,
        "linstudy prune twice at once",
    ),
    "raced-pretrain": (
        raced_command((*PRETRAIN, "--steps", "6", "--batch", "2"), loads_new),
        10,
        "linstudy pretrain twice at once",
    ),
    "full-disk": (full_disk, 35, "no file may grow beyond so many bytes"),
    "hub-faults": (
        hub_faults,
        len(CASES),
        "hubs of models and texts, and package indexes, that are away, slow or wrong",
    ),
    "bad-inputs": (bad_inputs, 1000, "options, models, texts and tables that no command can take"),
}

if __name__ == "__main__":
    sys.exit(main())
