"""Real models by the protocol: every selection, every score and every control, a pass over the text a run."""

import math
from typing import Any

import pandas as pd

from ..table import Keep, Table
from .profiles import HELDOUT, MODEL
from .source import LENGTH, SCORES, TEXT, Source, blocks_of, text_of

SPOKEN = 16  # blocks of which the loss is taken: it says whether the model is what it should be
OF_TOKENS = ("cosine_median", "centred_cosine", "centred_cosine_median", "norm_ratio_median")


def protocol(
    keep: Keep, source: Source, *, tokens: int, shard: int, weights: str, seed: int, part: str, dtype: str
) -> None:
    """Measure one shard of a text, with weights as trained or those of a twin."""
    from ..twins import twin

    model, tokenizer = source.load(dtype=dtype)
    count = tokens // LENGTH
    blocks = blocks_of(source.text, tokenizer, (shard + 1) * count, framed=source.framed)[-count:]
    keep(lambda: measured(twin(model, weights, seed=seed), tokenizer, blocks, part).assign(dtype=dtype))


def measured(model: Any, tokenizer: Any, blocks: Any, part: str) -> pd.DataFrame:
    """Return the protocol's rows, and how well the model predicts the first blocks, where it predicts."""
    from ... import cross_entropy
    from ...evaluate import bits_per_byte
    from ...models import task_of
    from ..protocol import protocol

    some, nats, bits = blocks[:SPOKEN], math.nan, math.nan
    if task_of(model) == "causal" and model.get_output_embeddings() is not None:
        nats = cross_entropy(model, some)
        bits = bits_per_byte(nats, some, tokenizer)
    table = protocol(model, blocks, part=part, heldout=HELDOUT)
    return table.assign(heldout=HELDOUT, nats=nats, bits_per_byte=bits, **text_of(blocks))


# every selection of tokens and features of a real model and of its twins, a row a selection and layer. What is asked,
# and what would refute it, stands in book/log.md.
PROTOCOL = Table(
    "protocol",
    key=(*MODEL, "shard", "part", "selection", "layer"),
    measured=(
        *(*TEXT, "heldout", "kept", "dropped", "linearity_heldout", "update_linearity_heldout", *SCORES),
        *(*OF_TOKENS, "nats", "bits_per_byte"),
    ),
    maker=protocol,
)
