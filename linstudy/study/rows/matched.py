"""Models alike in width, depth, text, tokens and optimiser, and of ten architectures: is the score the decoder's?"""

from functools import lru_cache, partial
from typing import Any

import pandas as pd

from ..reach import BESIDE
from ..table import Keep, Table
from .pretraining import FRESH
from .profiles import HELDOUT
from .source import SCORES, text_of

STEPS, BLOCKS = 256, 1024  # steps of 4 blocks each: the text is read once
MEASURED = 128  # blocks that are not trained on
# Names of linstudy.models.ARCHITECTURES, in the order in which they are trained, and their rates: that of the preset
# nano, and half of it for networks that normalise last; none was swept. A test keeps the names equal.
RATES = {
    "decoder": 6e-3,
    "encoder": 6e-3,
    "encoder, post-norm": 3e-3,
    "encoder-decoder": 6e-3,
    "state space": 6e-3,
    "decoder, OPT, post-norm": 3e-3,
    "convolution": 6e-3,
    "recurrent": 6e-3,
    "decoder, norms / √layer": 6e-3,
    "decoder, OPT": 6e-3,
}


def matched(keep: Keep, *, architecture: str, corpus: str) -> None:
    """Train one architecture with three seeds, and measure it beside its twins."""
    for seed in FRESH:
        keep(partial(made, architecture, corpus, rate=RATES[architecture], seed=seed, steps=STEPS), seed=seed)


def made(architecture: str, corpus: str, *, rate: float, seed: int, steps: int) -> pd.DataFrame:
    """Return the rows of one model and its twins."""
    from ..matched import grown

    tokenizer, measured, blocks = text_for(corpus)
    options = {"vocabulary": len(tokenizer), "rate": rate, "seed": seed, "steps": steps, "heldout": HELDOUT}
    return grown(architecture, blocks, measured, **options).assign(heldout=HELDOUT, **text_of(measured))


@lru_cache(maxsize=1)
def text_for(corpus: str) -> tuple[Any, Any, Any]:
    """Return a tokenizer of a text beside the checkout, blocks to measure on, and others to train on."""
    from ...train import PRESETS, draw

    path = str(BESIDE / "data" / f"{corpus}.txt")
    preset = PRESETS["nano"]
    return draw(path, preset, blocks=BLOCKS, heldout=MEASURED)


def short(architecture: str) -> str:
    """Return an architecture's name without blanks and signs, for the name of a run."""
    return architecture.replace(" / √layer", "-scaled").replace(", ", "-").replace(" ", "-").lower()


# models of ten architectures, trained alike, and their twins: a row a layer, and a part of layers that read an encoder
MATCHED = Table(
    "matched",
    key=("architecture", "corpus", "seed", "weights", "stack", "part", "layer"),
    measured=(
        *("kind", "norm", "task", "parameters", "rate", "training_tokens", "nats", "unigram_nats", "uniform_nats"),
        *("tokens", "length", "text_hash", "heldout", "linearity_heldout", "update_linearity_heldout", *SCORES),
    ),
    maker=matched,
)
