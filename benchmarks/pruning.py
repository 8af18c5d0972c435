"""Time the closed form that stands in for a layer, and pruned models against whole ones; `run.py` writes the rows."""

import statistics

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
