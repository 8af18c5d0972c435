"""Time the closed form that stands in for a layer, and pruned models against whole ones; `run.py` writes the rows."""

import statistics
from dataclasses import replace

import torch
from common import TOKENS, WIDTH, gpt2_like_states, met, timed


def pruning() -> list[tuple]:
    """Time the fit of one layer from its states, and what is left of a model's time when layers go."""
    return [closed_form(), *proportional()]


def closed_form() -> tuple:
    """Time moments of both parts of the tokens, the choice of the penalty and the solution."""
    from linstudy import JointMoments
    from linstudy.prune.closed_form import affine_map

    x, y = gpt2_like_states()[6:8]
    cut = TOKENS * 4 // 5

    def fit() -> None:
        fitted, heldout = (
            JointMoments.empty(WIDTH).update(x[part], y[part]) for part in (slice(cut), slice(cut, None))
        )
        affine_map(fitted, heldout, like=x)

    fit()
    seconds = [timed(fit) for _ in range(5)]
    detail = f"median of 5, {min(seconds):.2f} to {max(seconds):.2f} s; {torch.get_num_threads()} threads"
    figure = f"seconds to fit one layer from its states, d = {WIDTH}, n = {TOKENS}"
    median = statistics.median(seconds)
    return (figure, f"{median:.2f}", "<= 1", met(median <= 1), detail)


def proportional() -> list[tuple]:
    """Take a quarter and a half of the layers out of a model of the mini preset's shape with random weights."""
    from transformers import MistralForCausalLM

    from linstudy.models import blocks
    from linstudy.prune import changed, fit, latency
    from linstudy.train import PRESETS

    model = MistralForCausalLM(PRESETS["mini"].shape()).eval()
    depth, rows = len(blocks(model)), []
    # The blocks alone, and with the embedding and the head, which no pruning makes faster.
    for name, part, bar in (("blocks", model.base_model, "<= 0.1"), ("whole model", model, "none")):
        off, detail = 0.0, []
        for count in (depth // 4, depth // 2):
            changes = fit(model, range(2, 2 + count), "remove")
            for batch in (1, 8):
                found = latency(part, lambda changes=changes: changed(model, changes), batch=batch)
                for phase in ("prefill", "decode"):
                    left = found[f"{phase}_share"]
                    off = max(off, abs(left / (1 - count / depth) - 1))
                    detail.append(f"{phase} of {batch} {left:.2f}")
        shares = f"shares of the time with 3/4 of {depth} layers, then 1/2: {', '.join(detail)}"
        verdict = met(off <= 0.1) if bar != "none" else "-"
        rows.append((f"farthest from proportional to the layers left: {name}", f"{off:.2f}", bar, verdict, shares))
    return rows


def real() -> list[tuple]:
    """Take 4 and 8 of 30 layers out of smollm2-135m, or put maps in their place; which ones does not matter here.

    The control is the whole model in turns with itself: it says what a busy machine adds.
    """
    from linstudy import load
    from linstudy.models import blocks, width_of
    from linstudy.prune import changed, fit, latency

    model, _ = load("smollm2-135m", device="cpu", dtype="float32")
    depth, width, rows = len(blocks(model)), width_of(model), []
    for count, mapped in ((0, False), (4, False), (8, False), (8, True)):
        changes = fit(model, range(14, 14 + count), "remove") if count else []
        if mapped:
            changes = [replace(one, map=torch.nn.Linear(width, width)) for one in changes]
        found = latency(model, lambda changes=changes: changed(model, changes), decode=8, repeats=5)
        shares = {phase: found[f"{phase}_share"] for phase in ("prefill", "decode")}
        said = ", ".join(f"{phase} {share:.2f}" for phase, share in shares.items())
        kind = "replaced by maps" if mapped else "removed"
        figure = f"share of a new token's time, smollm2-135m, {count} of {depth} layers {kind}"
        detail = f"{said}; proportional to layers {1 - count / depth:.2f}; medians of 5 turns, prompt of 128 tokens"
        rows.append((figure, f"{shares['decode']:.2f}", "none", "-", detail))
    return rows
