"""Pretrain small models for the tables of long runs: penalties and their controls, and linearity along the way."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from .rows import LENGTH, Source, text_hash
from .sweeps import CHOOSING, bracketed

FRESH = (1, 2, 3)  # seeds on which a variant is judged
MEASURED = 16_384  # held-out tokens: the loss, and the scores
WARMUP = 0.25  # of the steps: with a twentieth, runs as short as these differ more by their seed than by anything else


@dataclass(frozen=True)
class Variant:
    """How a model is pretrained: which penalty with which weight, or which control in its place."""

    penalty: str = "none"  # none, cosine or mse
    weight: float = 0.0  # of the penalty
    scaling: str = "none"  # a word for linstudy.train.Scaling, or none
    weight_decay: float = 0.1

    @property
    def name(self) -> str:
        """Name the variant in a few characters."""
        special = [f"{self.penalty}-{self.weight:g}"] if self.penalty != "none" else []
        special += [self.scaling] if self.scaling != "none" else []
        special += [f"decay-{self.weight_decay:g}"] if self.weight_decay != 0.1 else []
        return " ".join(special) or "plain"

    @property
    def title(self) -> str:
        """Name the variant as a figure does."""
        if self.penalty != "none":
            return f"{self.penalty.replace('mse', 'MSE')} {self.weight:g}"
        if self.scaling != "none":
            where, _, constant = self.scaling.removesuffix(",power=0").partition("=")
            return f"{where} × {constant}" if constant else f"{where} / √layer"
        return f"decay {self.weight_decay:g}" if self.weight_decay != 0.1 else "plain"

    @property
    def key(self) -> dict[str, object]:
        """Return the columns that tell this variant from others."""
        return {name: getattr(self, name) for name in ("penalty", "weight", "scaling", "weight_decay")}


PENALTIES = tuple(Variant(kind, weight) for kind in ("cosine", "mse") for weight in (0.1, 0.5, 2.0, 8.0))
# Smaller updates by other means: of later layers, of all layers alike, through the norms; and smaller weights.
CONTROLS = (
    *(Variant(scaling=word) for word in ("branches", "branches=0.3,power=0", "norms")),
    *(Variant(weight_decay=decay) for decay in (0.0, 0.3, 1.0)),
)
VARIANTS = (Variant(), *PENALTIES, *CONTROLS)
FOLLOWED = (Variant(), Variant("cosine", 0.5), Variant("mse", 0.5))  # measured on the way, too
LONGER = (*FOLLOWED, Variant(scaling="branches=0.3,power=0"))  # trained on more tokens, too
RATES = {"nano": (1.5e-3, 3e-3, 6e-3, 1.2e-2), "pocket": (1.5e-3, 3e-3, 6e-3, 1.2e-2), "mini": (1e-3, 2e-3, 4e-3, 8e-3)}


def regularisation_rows(preset: str, corpus: str, variant: Variant, *, steps: int) -> pd.DataFrame:
    """Return rows for regularisation.csv: one variant, its learning rate swept, then other seeds at its best rate.

    The rates are tried on one seed, four and more until the best has worse ones on both sides. At the best, models are
    trained with three further seeds, on which nothing was chosen. A run that diverges has rows with a NaN loss.
    """
    tables = []

    def loss(rate: float, seed: int = CHOOSING) -> float:
        table = _trained(preset, corpus, variant, rate=rate, seed=seed, steps=steps)
        tables.append(table)
        return float(table.validation_nats.iloc[0])

    best = bracketed(loss, RATES[preset])
    for seed in FRESH:
        loss(best, seed)
    return pd.concat(tables, ignore_index=True)


def dynamics_rows(preset: str, corpus: str, variant: Variant, *, rate: float, seed: int, steps: int) -> pd.DataFrame:
    """Return rows for dynamics.csv: the scores of every layer at steps 0, 1, 2, 4 and so on of a pretraining run."""
    tables = [
        profile.assign(step=step, training_tokens=seen, validation_nats=nats)
        for step, seen, nats, profile in _run(preset, corpus, variant, rate=rate, seed=seed, steps=steps, along=True)
    ]
    table = pd.concat(tables, ignore_index=True).assign(model=preset, revision="", preset=preset, corpus=corpus)
    return table.assign(**variant.key, rate=rate, seed=seed)


def checkpoint_rows(source: Source, revisions: Mapping[int, str], *, tokens: int) -> pd.DataFrame:
    """Return rows for dynamics.csv of a model's published checkpoints, a revision a step, on one text."""
    from .. import linearity_profile, load, token_blocks
    from ..evaluate import cross_entropy

    unknown = dict.fromkeys(("training_tokens", "weight", "weight_decay", "rate", "seed"))
    tables = []
    for step, revision in revisions.items():
        model, tokenizer = load(source.place, revision=revision)
        blocks = token_blocks(source.text, tokenizer, tokens=tokens, length=LENGTH)
        profile = linearity_profile(model, blocks).assign(**unknown, **_what(blocks))
        nats = cross_entropy(model, blocks)
        tables.append(profile.assign(model=source.model, revision=revision, step=step, validation_nats=nats))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(preset="", corpus=source.corpus, penalty="", scaling="")


def _trained(preset: str, corpus: str, variant: Variant, *, rate: float, seed: int, steps: int) -> pd.DataFrame:
    """Return the rows of the layers of one model after its last step."""
    from ..evaluate import bits_per_byte
    from ..train import PRESETS

    tokenizer, heldout, _ = _text(preset, corpus, steps)
    key = {"preset": preset, "corpus": corpus, **variant.key, "rate": rate, "seed": seed, "step": steps}
    try:
        ((_, seen, nats, profile),) = _run(preset, corpus, variant, rate=rate, seed=seed, steps=steps, along=False)
    except FloatingPointError:
        layers = range(1, PRESETS[preset].shape(len(tokenizer)).num_hidden_layers + 1)
        empty = pd.DataFrame(
            {"layer": layers, "training_tokens": steps * PRESETS[preset].batch * PRESETS[preset].length}
        )
        return empty.assign(**key, validation_nats=math.nan, bits_per_byte=math.nan, **_what(heldout))
    bits = bits_per_byte(nats, heldout, tokenizer)
    return profile.assign(**key, training_tokens=seen, validation_nats=nats, bits_per_byte=bits)


def _run(
    preset: str, corpus: str, variant: Variant, *, rate: float, seed: int, steps: int, along: bool
) -> Iterator[tuple[int, int, float, pd.DataFrame]]:
    """Train a model and yield (step, tokens seen, held-out nats, profile): of the last step, or of all on the way."""
    from .. import linearity_profile
    from ..train import PRESETS, Penalty, Scaling, from_word, make_model, pretrain

    tokenizer, heldout, blocks = _text(preset, corpus, steps)
    recipe = PRESETS[preset].recipe(
        steps=steps,
        peak_rate=rate,
        warmup=round(WARMUP * steps),
        weight_decay=variant.weight_decay,
        penalty=None if variant.penalty == "none" else Penalty(variant.penalty, variant.weight),
        scaling=None if variant.scaling == "none" else from_word(Scaling, variant.scaling),
        seed=seed,
        log_every=steps,
        snapshots=along,
    )
    model = make_model(tokenizer, preset, seed=seed).to(_device())
    for row in pretrain(model, blocks, recipe, validation=heldout):
        model.eval()  # inside the loop, where a scaling still is a hook and not yet folded into the weights
        profile = linearity_profile(model, heldout).drop(columns="revision").assign(**_what(heldout))
        yield row["step"], row["tokens"], row["validation_nats"], profile


@lru_cache(maxsize=2)
def _text(preset: str, corpus: str, steps: int) -> tuple[Any, Any, Any]:
    """Return a tokenizer of the text, blocks to measure on, and others to train on: the same for every seed.

    So a seed decides the first weights and the order of the blocks, and losses in nats compare.
    """
    from ..train import PRESETS, draw

    chosen = PRESETS[preset]
    return draw(corpus, chosen, blocks=steps * chosen.batch, heldout=MEASURED // chosen.length)


def _what(blocks: Any) -> dict[str, object]:
    return {"tokens": blocks.numel(), "length": blocks.shape[1], "text_hash": text_hash(blocks)}


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
