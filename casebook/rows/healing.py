"""What training brings back of a pruned model: every recipe at its own best rate, beside the whole model's."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from linstudy.evaluate import cross_entropy
from linstudy.models import blocks as blocks_in
from linstudy.prune import choose, prune

from ..sweeps import bracketed
from ..table import Keep
from ..train import HEALING, heal, restart_
from .chosen import HEALING_SEED, RECIPES
from .pruning import ASKED, drawn
from .source import LENGTH, Source, text_of

DTYPE = "float32"
LESS = 1 / 3  # share of the layers that are gone
ASKED_BLOCKS = 32  # by which they are chosen
VALIDATED, TESTED, ELSEWHERE = 16, 32, 8  # blocks by which rates are chosen, by which they are judged; of another text
BATCH, WARMUP = 2, 4  # blocks a step, each read once; steps
RATES = (5e-4, 2e-3, 8e-3)
JUDGING = (1, 2)  # seeds that judge at the best rate
UNTRAINED = "none"

# What is trained, and by what, of the options of ``heal``.
HEALINGS: dict[str, Mapping[str, Any]] = {
    "maps, by states": {},  # the paper's distillation
    "maps, by loss": {"nats": 1.0},
    "all, by states": {"trained": "all"},  # of removed layers the fourth line of the paper's Figure 7
    "all, by loss": {"trained": "all", "nats": 1.0},
}


def healing(
    keep: Keep,
    source: Source,
    *,
    tokens: int,
    elsewhere: str | Path | None = None,
    order: str = ASKED,
    recipes: Sequence[tuple[str, str, str]] = RECIPES,
    rates: Sequence[float] = RATES,
) -> None:
    """Take a third of the layers, the first of an order, and train by every recipe, and not at all.

    Rates are compared by the loss on validation blocks, on one seed, from ``rates`` on and farther, until the best has
    worse ones on both sides; other seeds are trained at the best. Maps are fitted to the blocks that are trained on,
    each of which is read once.
    """
    model, tokenizer = source.load(dtype=DTYPE)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + VALIDATED + TESTED, framed=source.framed)
    fitted, validated, tested = blocks.split([tokens // LENGTH, VALIDATED, TESTED])
    texts = {"validation_nats": validated, "test_nats": tested}
    if elsewhere is not None:
        texts["elsewhere_nats"] = drawn(elsewhere, tokenizer, ELSEWHERE, framed=source.framed)
    count = max(1, round(LESS * len(blocks_in(model))))
    layers = sorted(choose(model, fitted[:ASKED_BLOCKS], order, count=count))

    @cache
    def pruned(action: str) -> Any:
        one = copy.deepcopy(model)
        return one if action == "whole" else prune(one, layers, action, blocks=fitted)

    def measured(one: Any, action: str) -> pd.DataFrame:
        which = "" if action == "whole" else " ".join(map(str, layers))
        return pd.DataFrame([losses(one, texts) | {"which": which, "dtype": DTYPE} | text_of(blocks)])

    def trained(action: str, start: str, how: str, rate: float, seed: int) -> pd.DataFrame:
        one = copy.deepcopy(pruned(action))
        if start in ("zero", "random"):
            restart_(one, start, seed=seed)
        recipe = {"steps": len(fitted) // BATCH, "batch": BATCH, "warmup": WARMUP, "peak_rate": rate, "seed": seed}
        try:
            list(heal(one, fitted, replace(HEALING, **recipe), teacher=model, **HEALINGS[how]))
        except FloatingPointError:
            return measured(None, action)
        return measured(one, action)

    for action in ("whole", "remove", "affine"):
        key = {"action": action, "start": "fitted" if action == "affine" else "", "healing": UNTRAINED}
        keep(lambda action=action: measured(pruned(action), action), **key, rate=0.0, seed=HEALING_SEED)
    for action, start, how in recipes:

        def loss(rate: float, seed: int = HEALING_SEED, recipe: tuple[str, str, str] = (action, start, how)) -> float:
            key = dict(zip(("action", "start", "healing"), recipe, strict=True))
            rows = keep(partial(trained, *recipe, rate, seed), **key, rate=rate, seed=seed)
            return float(rows.validation_nats.iloc[0])

        best = bracketed(loss, rates)
        for seed in JUDGING:
            loss(best, seed)


def losses(model: Any, texts: Mapping[str, Any]) -> dict[str, float]:
    """Return the loss of a model on each text, in nats a token: not a number of one that diverged, or has no text."""
    nothing = dict.fromkeys(("validation_nats", "test_nats", "elsewhere_nats"), math.nan)
    return nothing if model is None else nothing | {name: cross_entropy(model, some) for name, some in texts.items()}
