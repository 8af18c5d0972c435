"""Pretrain small models: penalties and their controls, each at its best learning rate, and linearity along the way."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from statistics import fmean
from typing import Any
from zlib import crc32

import pandas as pd

from ..reach import beside
from ..sweeps import CHOOSING, bracketed
from ..table import Keep
from .source import LENGTH, Source, blocks_of, text_of

JUDGES = {"plain": 12}  # fresh seeds, by the variant's name: plain stands in every comparison
OTHERS = 6  # of any other variant
# Tokens of a text that runs see before they see them again; texts without end are not named here.
DISTINCT = {"pydocs": 786_432, "tinystories-train-sample": 262_144}
MEASURED = 16_384  # held-out tokens: the loss, and the scores
WARMUP = 0.25  # of the steps: with a twentieth, runs as short as these differ more by their seed than by anything else


@dataclass(frozen=True)
class Variant:
    """How a model is pretrained: which penalty with which weight, or which control in its place."""

    penalty: str = "none"  # none, cosine or mse
    weight: float = 0.0  # of the penalty
    scaling: str = "none"  # a word for linstudy.train.Scaling, or none
    last: str = "out"  # the last block's output in the penalty, as linstudy.train.Penalty has it

    @property
    def name(self) -> str:
        """Name the variant in a few characters."""
        special = [f"{self.penalty}-{self.weight:g}"] if self.penalty != "none" else []
        special += [self.scaling] if self.scaling != "none" else []
        special += [f"last-{self.last}"] if self.last != "out" else []
        return " ".join(special) or "plain"

    @property
    def title(self) -> str:
        """Name the variant as a figure does."""
        if self.scaling == "none" or self.penalty != "none":
            name = self.name.replace("-", " ").replace("mse", "MSE")
            return name.replace(" last stream", ", all layers").replace(" last normed", ", all layers, normed")
        where, _, constant = self.scaling.removesuffix(",power=0").partition("=")
        return f"{where} × {constant}" if constant else f"{where} / √layer"

    @property
    def key(self) -> dict[str, object]:
        """Return the columns that tell this variant from others."""
        return asdict(self)


PRIMARY = (Variant(), Variant("cosine", 0.5), Variant("mse", 0.5))
# Smaller updates by other means: of all layers alike, of later layers, through the norms, by slower branches.
SLOWER = "rates=0.3,power=0"
SMALLER = tuple(Variant(scaling=word) for word in ("branches=0.3,power=0", "branches", "norms", SLOWER))
SECONDARY = (
    *(Variant(kind, weight) for kind in ("cosine", "mse") for weight in (0.1, 2.0)),
    *(Variant(kind, 0.5, last=last) for kind in ("cosine", "mse") for last in ("stream", "normed")),
)
PLANNED = (*PRIMARY, *SMALLER, *SECONDARY)
HELD = Variant("cosine", 0.5, last="stream")  # asked about for itself: the claim's penalty, on all layers
HELD_SQUARES = Variant("mse", 0.5, last="stream")  # and the other, when its rows on little text had been read
LARGE = (*PRIMARY, HELD, Variant(scaling=SLOWER))  # that are trained at the next size, too
RATES = (6e-3, 1.2e-2)  # that are tried first


def pretraining(keep: Keep, preset: str, corpus: str, variant: Variant, *, step: int) -> None:
    """Train one variant for so many steps as book/preregistration.md has it: at its best rate, on seeds of its own.

    The rate is that of the lowest mean loss over the seeds that choose, among two and more until the best has worse
    ones on both sides. A run that diverges has rows with a NaN loss, and its rate is out.
    """

    def loss(rate: float, seed: int) -> float:
        rows = keep(partial(trained, preset, corpus, variant, rate=rate, seed=seed, steps=step), rate=rate, seed=seed)
        return float(rows.validation_nats.iloc[0])

    best = bracketed(lambda rate: fmean(loss(rate, seed) for seed in CHOOSING), RATES)
    for seed in judges(variant):
        loss(best, seed)


def judges(variant: Variant) -> range:
    """Return the fresh seeds of a variant: no other has one of them, so that runs are independent."""
    first = 100 * (1 + crc32(variant.name.encode()) % 10_000)
    return range(first, first + JUDGES.get(variant.name, OTHERS))


def trained(preset: str, corpus: str, variant: Variant, *, rate: float, seed: int, steps: int) -> pd.DataFrame:
    """Return the rows of the layers of one model after its last step."""
    from linstudy.evaluate import bits_per_byte
    from linstudy.train import PRESETS

    tokenizer, heldout, _ = text_for(preset, corpus, steps)
    chosen = PRESETS[preset]
    try:
        for _, profile in training(preset, corpus, variant, rate=rate, seed=seed, steps=steps):
            table = profile()
    except FloatingPointError:
        table = pd.DataFrame({"layer": range(1, chosen.layers + 1)}).assign(
            validation_nats=math.nan, **measured_on(heldout)
        )
        table = table.assign(training_tokens=steps * chosen.batch * chosen.length)
    return table.assign(bits_per_byte=bits_per_byte(table.validation_nats[0], heldout, tokenizer))


def dynamics(keep: Keep, *, measured: int = MEASURED, **arguments: Any) -> None:
    """Follow a model through its pretraining: one of ours by its preset, or a source's published checkpoints.

    Ours is measured at step 0, and from step 1 on in half octaves, on ``measured`` held-out tokens; ``arguments`` are
    those of :func:`training`, or of :func:`checkpoints`.
    """
    if "source" in arguments:
        checkpoints(keep, **arguments)
    else:
        for step, profile in training(**arguments, along=measured):
            keep(profile, step=step, model=arguments["preset"], revision="")


def checkpoints(keep: Keep, source: Source, revisions: Mapping[int, str], *, tokens: int) -> None:
    """Measure a model's published checkpoints, a revision a step, on one text."""
    from linstudy import cross_entropy, linearity_profile

    def measure(revision: str) -> pd.DataFrame:
        model, tokenizer = source.load(revision=revision, dtype="float32")
        blocks = blocks_of(source.text, tokenizer, tokens // LENGTH)
        rows = linearity_profile(model, blocks).assign(**measured_on(blocks))
        return rows.assign(training_tokens=None, validation_nats=cross_entropy(model, blocks))

    unknown = dict.fromkeys(("preset", "penalty", "last", "scaling"), "")
    unknown |= dict.fromkeys(("weight", "rate", "seed"))
    for step, revision in revisions.items():
        keep(partial(measure, revision), step=step, revision=revision, **unknown)


def training(
    preset: str, corpus: str, variant: Variant, *, rate: float, seed: int, steps: int, along: int = 0
) -> Iterator[tuple[int, Callable[[], pd.DataFrame]]]:
    """Train a model; yield its last step, and what makes the rows of its layers there and then.

    With ``along`` the steps on the way are yielded as well, and as many held-out tokens are measured.
    """
    from linstudy import linearity_profile
    from linstudy.models.devices import find_device
    from linstudy.train import PRESETS, make_model, pretrain

    tokenizer, heldout, blocks = text_for(preset, corpus, steps)
    heldout = heldout[: (along or MEASURED) // PRESETS[preset].length]
    recipe = PRESETS[preset].recipe(
        steps=steps,
        peak_rate=rate,
        warmup=round(WARMUP * steps),
        **ways(variant),
        seed=seed,
        log_every=steps,
        snapshots=half_octaves(steps) if along else False,
    )
    model = make_model(tokenizer, preset, seed=seed).to(find_device(None))

    def profile(row: Mapping[str, Any]) -> pd.DataFrame:
        model.eval()  # inside the loop, where a scaling still is a hook and not yet folded into the weights
        table = linearity_profile(model, heldout).drop(columns="revision").assign(**measured_on(heldout))
        return table.assign(training_tokens=row["tokens"], validation_nats=row["validation_nats"])

    for row in pretrain(model, blocks, recipe, validation=heldout):
        yield row["step"], partial(profile, row)


def ways(variant: Variant) -> dict[str, Any]:
    """Return what of a recipe makes the variant."""
    from linstudy.train import Penalty, Scaling, from_word

    return {
        "penalty": None if variant.penalty == "none" else Penalty(variant.penalty, variant.weight, last=variant.last),
        "scaling": None if variant.scaling == "none" else from_word(Scaling, variant.scaling),
    }


def half_octaves(steps: int) -> list[int]:
    """Return the steps at which a model is measured on the way: 0, the powers of the square root of 2, and the last."""
    powers = (round(2 ** (half / 2)) for half in range(2 * steps.bit_length()))
    return sorted({0, steps, *(step for step in powers if step <= steps)})


@lru_cache(maxsize=2)
def text_for(preset: str, corpus: str, steps: int) -> tuple[Any, Any, Any]:
    """Return a tokenizer of the text, blocks to measure on, and others to train on: the same for every seed.

    So a seed decides the first weights and the order of the blocks, and losses in nats compare. A text that ends (see
    ``DISTINCT``) is gone through again.
    """
    from linstudy.train import PRESETS, draw

    chosen = PRESETS[preset]
    seen = min(steps * chosen.batch * chosen.length, DISTINCT.get(corpus, math.inf))
    return draw(beside(corpus), chosen, blocks=int(seen) // chosen.length, heldout=MEASURED // chosen.length)


def measured_on(blocks: Any) -> dict[str, object]:
    """Return the columns that say on what was measured."""
    return {"tokens": blocks.numel(), **text_of(blocks)}
