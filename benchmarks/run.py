"""Measure what the book promises of speed, memory and exactness, and write it to benchmarks/results/.

    python benchmarks/run.py            # all
    python benchmarks/run.py states     # some, by name: see BENCHMARKS

Every ratio is of two things timed in turns in one run, because seconds on a shared machine mean little. Each writes one
row: what was measured, the bar, whether it was met, and on which machine with which versions.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import torch
from common import LAYERS, TOKENS, WIDTH, gpt2_like_states, met, microscope, timed
from dimension import dimension
from laboratory import laboratory
from peak import peak_memory
from pruning import pruning, real
from training import training

RESULTS = Path(__file__).resolve().parent / "results" / "benchmarks.csv"
COLUMNS = ("benchmark", "figure", "value", "bar", "met", "detail", "date", "commit", "versions", "hardware")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all by default")
    chosen = parser.parse_args().names or list(BENCHMARKS)
    for name in chosen:
        rows = [dict(zip(COLUMNS[1:6], row, strict=True), benchmark=name) for row in BENCHMARKS[name]()]
        for row in rows:
            print(f"{name:<10} {row['figure']:<60} {row['value']:>10}  bar {row['bar']}, met: {row['met']}")
            print(f"{'':<10} {row['detail']}", flush=True)
        record(name, rows)
    return 0


def states() -> list[tuple]:
    """Time all scores of 12 layers from given states against LLM-Microscope's functions, and their peak memory."""
    from linstudy import profile_of_states

    official = microscope()
    theirs, ours, products = [], [], []
    for x, y in pairwise(gpt2_like_states()):
        # Their second function returns None in every wheel since 0.0.3: this is what its source begins to compute.
        theirs.append(timed(official.procrustes_similarity, x, y) + timed(official.procrustes_similarity, x, y - x))
        ours.append(timed(profile_of_states, [x, y]))
        products.append(sum(timed(torch.matmul, x.T, state) for state in (x, y)))
    ratio, to_two, peer = (sum(a) / sum(b) for a, b in ((theirs, ours), (ours, products), (theirs, products)))
    detail = f"{sum(theirs):.1f} s against {sum(ours):.1f} s; {LAYERS} layers, d = {WIDTH}, n = {TOKENS}"
    two = f"times as long as torch's x.T @ x and x.T @ y in float32: {sum(products):.1f} s"
    their_memory, our_memory = peak_memory("theirs"), peak_memory("ours")
    share = our_memory / their_memory
    return [
        ("times faster than LLM-Microscope, states given", f"{ratio:.1f}", ">= 10", met(ratio >= 10), detail),
        ("all scores of a layer against two bare products", f"{to_two:.2f}", "<= 1", met(to_two <= 1), two),
        ("LLM-Microscope against two bare products", f"{peer:.1f}", "none", "-", two),
        (
            "share of LLM-Microscope's peak memory above the states",
            f"{share:.3f}",
            "<= 0.2",
            met(share <= 0.2),
            f"{our_memory:.0f} MiB against {their_memory:.0f} MiB",
        ),
    ]


def exactness() -> list[tuple]:
    """Compare with float64 and all states kept, on hard states: massive, dead, almost linear."""
    from reference import reference

    from linstudy import JointMoments
    from linstudy.measure import scores

    rows = []
    draw = torch.Generator().manual_seed(0)
    plain = torch.randn(TOKENS, WIDTH, generator=draw)
    correlated = plain @ (torch.randn(WIDTH, WIDTH, generator=draw) / WIDTH**0.5)
    massive = correlated.clone()
    massive[:, 7] *= 3000
    massive[:, 11] = 5.0
    massive[::109, 20:22] += 3000
    update = torch.relu(correlated.roll(1, 1)) - 0.4
    for name, x, y in (
        ("correlated dimensions", correlated, correlated + update),
        ("one dimension 3,000 times the rest, one dead, massive tokens", massive, massive + update),
        ("after a LayerNorm", torch.nn.functional.layer_norm(correlated, (WIDTH,)), correlated),
    ):
        got, want = scores(JointMoments.empty(WIDTH).update(x, y)), reference(x, y)
        worst = max(want, key=lambda key: abs(got[key] - float(want[key])))
        error = abs(got[worst] - float(want[worst]))
        rows.append((f"largest error of a score: {name}", f"{error:.1e}", "<= 1e-6", met(error <= 1e-6), worst))
    y = plain + 1e-3 * torch.relu(plain)
    want = 1 - float(reference(plain, y)["linearity_raw"])
    got = 1 - scores(JointMoments.empty(WIDTH).update(plain, y))["linearity_raw"]
    relative = abs(got / want - 1)
    x_c, y_c = plain - plain.mean(0), y - y.mean(0)
    xx, xy, yy = (x_c.T @ x_c).double(), (x_c.T @ y_c).double(), y_c.square().sum().double()
    naive = abs(float((yy - (xy * torch.linalg.solve(xx, xy)).sum()) / yy) / want - 1)
    detail = f"LS = {1 - want:.8f}; from float32 products of X and Y: {naive:.1e}"
    rows.append(("relative error of 1 - LS near 1", f"{relative:.1e}", "<= 1e-3", met(relative <= 1e-3), detail))
    return rows


def running() -> list[tuple]:
    """Time measuring while a GPT-2-small-shaped model with random weights runs, 4,096 tokens a batch."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from linstudy import linearity_profile

    model = GPT2LMHeadModel(GPT2Config()).eval()
    blocks = torch.randint(0, 50_257, (8, 512), generator=torch.Generator().manual_seed(0))

    def bare(part: torch.nn.Module) -> None:
        with torch.no_grad():
            for batch in blocks.split(8):
                part(batch, use_cache=False)

    bare(model)
    ours, whole, body = [], [], []
    for _ in range(3):
        whole.append(timed(bare, model))
        body.append(timed(bare, model.base_model))
        ours.append(timed(linearity_profile, model, blocks))
    ratio, strict = (statistics.median(a / b for a, b in zip(ours, base, strict=True)) for base in (whole, body))
    detail = f"median of 3; {statistics.median(ours):.1f} s for {blocks.numel():,} tokens, solving included"
    return [
        ("measuring against the bare forward pass of the model", f"{ratio:.2f}", "<= 1.2", met(ratio <= 1.2), detail),
        (
            "the same against a pass without the language-model head",
            f"{strict:.2f}",
            "none",
            "-",
            "measuring leaves the head out: no score needs it",
        ),
    ]


def protocol() -> list[tuple]:
    """Time the whole protocol of SmolLM2 on one text against a forward pass, and ablations against one profile."""
    import linstudy
    from casebook.outliers import outlier_ablation
    from casebook.rows.protocol import protocol as measured
    from linstudy.fetched import is_there

    figure, bar = "the whole protocol of smollm2-135m, one text, against the bare forward pass", "<= 1.6"
    if not is_there("smollm2-135m"):
        return [(figure, "-", bar, "-", "skipped: the model is not on this machine; run linstudy fetch smollm2-135m")]
    model, tokenizer = linstudy.load("smollm2-135m", device="cpu", dtype="float32")
    blocks = linstudy.token_blocks("pydocs", tokenizer, tokens=12_288, length=256)

    def bare(part: torch.nn.Module) -> None:
        with torch.no_grad():
            for batch in blocks.split(16):
                part(batch, use_cache=False)

    bare(model.base_model)
    ours, whole, body = timed(measured, model, blocks), timed(bare, model), timed(bare, model.base_model)
    detail = f"one turn, {ours:.0f} s against {whole:.0f} s for {blocks.numel():,} tokens; scoring is a constant cost"
    without = "the protocol leaves the head out: no score needs it"
    plain, ablated = timed(linstudy.linearity_profile, model, blocks), timed(outlier_ablation, model, blocks)
    six, told = ablated / plain, f"one turn, {ablated:.0f} s for six selections against {plain:.0f} s"
    return [
        (figure, f"{ours / whole:.2f}", bar, met(ours / whole <= 1.6), detail),
        ("the same against a pass without the language-model head", f"{ours / body:.2f}", "none", "-", without),
        ("an outlier ablation of it against one plain profile", f"{six:.2f}", "<= 1.4", met(six <= 1.4), told),
    ]


def first_profile() -> list[tuple]:
    """Time the two commands that bring a real model to a machine which has none and profile it on 60,000 tokens."""
    verb, bar = (sys.executable, "-m", "linstudy"), 300
    with tempfile.TemporaryDirectory() as home:

        def run(*words: str) -> None:
            subprocess.run((*verb, *words), env=os.environ | {"LINSTUDY_HOME": home}, check=True, capture_output=True)

        fetching = timed(run, "fetch", "smollm2-135m")
        profiling = timed(run, "profile", "smollm2-135m", "--text", "pydocs", "--tokens", "60000")
    figure, taken = "seconds to fetch and profile smollm2-135m", fetching + profiling
    detail = f"{fetching:.0f} s to fetch, {profiling:.0f} s for 60,000 tokens"
    return [(figure, f"{taken:.0f}", f"<= {bar}", met(taken <= bar), detail)]


def memory() -> list[tuple]:
    """Compare the peak memory of measuring 10,240 and 204,800 tokens."""
    few, many = peak_memory("few"), peak_memory("many")
    growth = many / few - 1
    detail = f"in use above model and text: {few:.0f} MiB at 10,240 tokens, {many:.0f} MiB at 204,800"
    return [("growth of peak memory, 20 times the tokens", f"{growth:.3f}", "<= 0.05", met(growth <= 0.05), detail)]


def stories() -> list[tuple]:
    """Time the story generator on one core."""
    from linstudy.text import stories as endless

    started = time.process_time()
    words = sum(len(story.split()) for story in islice(endless(1), 10_000))
    rate = words / (time.process_time() - started)
    return [("words a second of the story generator", f"{rate:,.0f}", ">= 100,000", met(rate >= 1e5), "one core")]


BENCHMARKS: dict[str, Callable[[], list[tuple]]] = {
    "states": states,
    "exactness": exactness,
    "running": running,
    "protocol": protocol,
    "first": first_profile,
    "memory": memory,
    "dimension": dimension,
    "training": training,
    "stories": stories,
    "pruning": pruning,
    "laboratory": laboratory,
    "smollm2": real,  # last, for the model has to be fetched
}


def record(name: str, rows: list[dict]) -> None:
    """Replace this benchmark's rows in the table."""
    from linstudy.files import written_whole
    from linstudy.study.provenance import provenance

    made = {key: value for key, value in provenance(command="make bench", minutes=0).items() if key in COLUMNS}
    kept = []
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["benchmark"] != name]
    RESULTS.parent.mkdir(exist_ok=True)
    order = list(BENCHMARKS)
    table = sorted(kept + [row | made for row in rows], key=lambda row: order.index(row["benchmark"]))
    with written_whole(RESULTS) as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    sys.exit(main())
