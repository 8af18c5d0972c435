"""Harm a model by errors in its weights, from which nothing is learnt: the control of what fine-tuning costs it."""

from functools import partial
from itertools import product
from typing import Any

import pandas as pd

from ..models.twins import matrices
from ..table import Keep
from .finetuning import begun, changed
from .source import Source

SIZES = tuple(2 ** (half / 2) for half in range(-10, 3))  # of the errors, in root mean squares of a matrix
SEEDS = 5


def harmed(keep: Keep, source: Source) -> None:
    """Measure what errors of every size change in every layer, on the texts on which fine-tuned models are measured."""
    for size, seed in product(SIZES, range(SEEDS)):
        keep(partial(erring, source, size, seed), errors=size, seed=seed)


def erring(source: Source, size: float, seed: int) -> pd.DataFrame:
    """Return the rows of one model with errors."""
    model: Any = source.load(dtype="float32")[0]
    add_errors_(model, size, seed)
    return changed(model, begun(source))


def add_errors_(model: Any, size: float, seed: int) -> None:
    """Add Gaussian errors to the matrices of the blocks, in place; embeddings and gains stay."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for matrix, embedded in matrices(model):
            if not embedded:
                errors = torch.randn(matrix.shape, generator=draw).to(matrix)  # the same on every device
                matrix += size * matrix.square().mean().sqrt() * errors
