"""What chapter 7 asks of single tokens: which are far off, in which words and places, and in how many dimensions."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import JointMoments

from ..geometry import anisotropy, intrinsic_dimension
from .classes import token_classes
from .errors import TokenErrors, error_summary, sample_states

LEAST = 100  # tokens of a class, or its mean says little
SHUFFLES = 200  # of the classes among the tokens, for what chance gives
POINTS = 4096  # states whose neighbours are looked for


def worst_tokens(
    errors: TokenErrors, blocks: Int[Tensor, "block token"], tokenizer: Any, *, layer: int, share: float = 1 / 200
) -> pd.Series:
    """Count which tokens are among the ``share`` with the largest errors of a layer, the commonest first."""
    flat = errors.error[errors.layers.index(layer)].flatten()
    worst = blocks.flatten()[flat.topk(max(1, int(len(flat) * share))).indices]
    return pd.Series([repr(tokenizer.decode([one])) for one in worst.tolist()]).value_counts()


def class_errors(
    errors: TokenErrors,
    blocks: Int[Tensor, "block token"],
    tokenizer: Any,
    *,
    tagger: str = "stories",
    seed: int = 0,
) -> pd.DataFrame:
    """Return how far off the tokens of each class of words are, beside what chance gives.

    One row a class and layer: ``error`` is the mean error of the tokens that begin a word of the class, as a multiple
    of the mean of all that begin a word; ``low`` and ``high`` are the 1st and the 99th per cent of the mean over the
    layers when the classes are shuffled among the tokens. Classes of fewer than 100 tokens are left out; the others
    stand in the order of their mean.
    """
    found = [token_classes(block, tokenizer, tagger=tagger) for block in blocks]
    words = pd.DataFrame({"class": list(chain.from_iterable(one.word_class for one in found))})
    for layer, row in zip(errors.layers, errors.error, strict=True):
        words[layer] = row.flatten().numpy()
    words = words[np.concatenate([one.first for one in found])]
    words = words[words.groupby("class")["class"].transform("size") >= LEAST]
    layers = list(errors.layers)
    words[layers] /= words[layers].mean()
    mean, draw = words[layers].mean(axis=1).to_numpy(), np.random.default_rng(seed)
    mixed = [pd.Series(mean).groupby(draw.permutation(words["class"].to_numpy())).mean() for _ in range(SHUFFLES)]
    chance = pd.concat(mixed, axis=1).quantile([0.01, 0.99], axis=1).T.set_axis(["low", "high"], axis=1)
    by_class = words.groupby("class")[layers].mean()
    by_class = by_class.loc[by_class.mean(axis=1).sort_values().index].join(chance)
    return by_class.reset_index().melt(["class", "low", "high"], layers, "layer", "error")


def geometry(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    moments: dict[int, JointMoments],
    *,
    keep: Sequence[float] = (0.9, 0.2),
) -> pd.DataFrame:
    """Return the shape of the stream, one row a boundary (0 is before the first layer).

    ``anisotropy`` is exact, from the ``moments`` of all layers, but for the last boundary, whose states are sampled;
    ``intrinsic_dimension`` (TwoNN) and, for each further ``keep``, ``keep=...`` are of 4,096 states drawn at random.
    """
    states = sample_states(model, blocks, min(POINTS, blocks.numel()))
    first, *others = keep
    return pd.DataFrame(
        {
            "boundary": range(len(states)),
            "anisotropy": [*map(anisotropy, moments.values()), anisotropy(states[-1])],
            "intrinsic_dimension": [intrinsic_dimension(state, keep=first) for state in states],
            **{f"keep={share}": [intrinsic_dimension(state, keep=share) for state in states] for share in others},
        }
    )


def tails(errors: TokenErrors) -> pd.DataFrame:
    """Sum up the relative errors, a row a layer (see :func:`error_summary`)."""
    rows = [error_summary(row.flatten().numpy()) for row in errors.relative]
    return pd.DataFrame(rows).assign(layer=errors.layers, mean=errors.relative.mean((1, 2)).numpy())


def every_token(errors: TokenErrors) -> pd.DataFrame:
    """Return a row a layer and token: ``layer`` and ``relative_error``, in the order of the text."""
    layers = np.repeat(errors.layers, errors.error[0].numel())
    return pd.DataFrame({"layer": layers, "relative_error": errors.relative.flatten().numpy()})
