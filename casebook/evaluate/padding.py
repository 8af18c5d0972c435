"""Texts of different lengths in one pass: those of like length together, padded, the model in eval mode."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel


def by_length(encoded: Sequence[Sequence[int]], batch_size: int) -> list[list[int]]:
    """Deal the texts out to batches, from the shortest to the longest; a batch is a list of their places."""
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
    return [order[first : first + batch_size] for first in range(0, len(order), batch_size)]


def padded(
    encoded: Sequence[Sequence[int]], device: torch.device, *, filler: int = 0, left: bool = False
) -> tuple[Int[Tensor, "text token"], Int[Tensor, "text token"]]:
    """Return token ids as one matrix, filled up on the right or on the ``left``, and a mask: 1 where a token is."""
    gaps = [max(map(len, encoded)) - len(ids) for ids in encoded]
    rows = [([filler] * gap, list(ids), [0] * gap, [1] * len(ids)) for gap, ids in zip(gaps, encoded, strict=True)]
    ids = torch.tensor([filling + ids if left else ids + filling for filling, ids, _, _ in rows], device=device)
    return ids, torch.tensor([out + on if left else on + out for _, _, out, on in rows], device=device)


@contextmanager
def evaluating(model: PreTrainedModel) -> Iterator[None]:
    """Put a model in eval mode, and back into the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
