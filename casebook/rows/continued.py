"""Go on with the pretraining of a finished model: what a penalty does where most has been learnt already."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from linstudy.evaluate import cross_entropy
from linstudy.train import Recipe, pretrain

from ..outliers import OUTLIERS
from ..sweeps import CHOOSING, bracketed
from ..table import Keep
from .pretraining import Variant, judges, ways
from .profiles import HELDOUT
from .protocol import ALL, protocol
from .source import LENGTH, Source, blocks_of, text_of

MEASURED = 112  # blocks, the first of the text, that are not trained on: for the loss and the scores
BATCH, PARTS = 8, 4  # blocks a step, and the parts it is computed in
WARMUP = 0.1  # of the steps
SHORTER = 4  # rates are compared on so many times fewer steps


def continued(keep: Keep, source: Source, variant: Variant, *, tokens: int, rates: Sequence[float], seeds: int) -> None:
    """Train a model on so many tokens of a text, once through, at the variant's best rate; measure it before and after.

    Rates are compared by the loss after a quarter of the steps, on one seed, factors of two apart, until the best has
    worse ones on both sides; ``seeds`` others judge. A seed decides the order of the blocks. The rows of step 0, which
    are those of every variant, stand with plain. A run that diverges has rows with a NaN loss.
    """
    whole = tokens // (BATCH * LENGTH)

    def loss(rate: float, seed: int, steps: int) -> float:
        made = recipe(variant, rate=rate, seed=seed, steps=steps) if steps else None
        scored = steps in (0, whole)  # of the runs that choose, the loss alone is asked
        make = partial(gone_on, source, made, text=tokens, scored=scored)
        return float(keep(make, rate=rate, seed=seed, step=steps).validation_nats.iloc[0])

    if variant == Variant():
        loss(0.0, 0, 0)
    best = bracketed(lambda rate: loss(rate, CHOOSING[0], whole // SHORTER), rates)
    for seed in judges(variant)[:seeds]:
        loss(best, seed, whole)


def gone_on(source: Source, recipe: Recipe | None, *, text: int, scored: bool = True) -> pd.DataFrame:
    """Return the rows of the layers of one model, trained or not, on a text of so many tokens to train on.

    Not ``scored``: one row, with the loss; diverged, one of each selection, without scores.
    """
    model, tokenizer = source.load(dtype="float32")
    blocks = blocks_of(source.text, tokenizer, MEASURED + text // LENGTH, framed=source.framed)
    heldout, blocks = blocks[:MEASURED], blocks[MEASURED:]
    table, nats = pd.DataFrame({"selection": ALL, "layer": [1]}), math.nan
    try:
        if recipe is not None:
            *_, _ = pretrain(model, blocks, recipe)
        model.eval()
        nats = cross_entropy(model, heldout)
        table = scores(model, heldout) if scored else table
    except FloatingPointError:
        table = pd.DataFrame({"selection": [ALL, OUTLIERS] if scored else [ALL], "layer": 1})
    seen = 0 if recipe is None else recipe.steps * BATCH * LENGTH
    table = table.assign(validation_nats=nats, training_tokens=seen)
    return table.assign(tokens=heldout.numel(), **text_of(heldout))


def recipe(variant: Variant, *, rate: float, seed: int, steps: int) -> Recipe:
    """Return the recipe of a run; of its seed, the order of the blocks."""
    schedule = {"steps": steps, "warmup": round(WARMUP * steps), "batch": BATCH, "accumulation": PARTS}
    return Recipe(**schedule, **ways(variant), peak_rate=rate, seed=seed, log_every=steps)


def scores(model: Any, blocks: Any) -> pd.DataFrame:
    """Return the scores of every layer, with all tokens and without outliers."""
    table = protocol(model, blocks, heldout=HELDOUT)
    return table[table.selection.isin((ALL, OUTLIERS))]
