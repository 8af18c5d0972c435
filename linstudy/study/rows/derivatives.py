"""Whether the best map of a layer is its derivative, a row a layer and predictor."""

import pandas as pd

from ..table import Keep, Table
from .pruning import drawn
from .source import LENGTH, TEXT, Source, text_of

TESTED = 16  # blocks that are predicted, of which none was fitted


def derivatives(keep: Keep, source: Source, *, tokens: int, sampled: int, features: int | None, dtype: str) -> None:
    """Predict by maps fitted on ``tokens``, and by derivatives of ``sampled`` of their blocks, of so many features."""
    from ..derivative import derivatives as predicted

    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + TESTED, framed=source.framed)
    fitted, tested = blocks[:-TESTED], blocks[-TESTED:]

    def rows() -> pd.DataFrame:
        found = predicted(model, fitted, tested, sampled=fitted[:sampled], features=features)
        return found.assign(sampled=sampled * LENGTH, dtype=dtype, **text_of(tested))

    keep(rows)


# ``tokens`` are those that maps were fitted on, ``sampled`` those whose derivatives were taken
DERIVATIVES = Table(
    "derivatives",
    key=("model", "revision", "corpus", "tokens", "layer", "predictor"),
    measured=(*TEXT, "sampled", "features", "explained", "update_explained", "alike"),
    maker=derivatives,
)
