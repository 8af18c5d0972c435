"""Compares an answer with the right one and with those that known mistakes give."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

NOT_NUMBERS = "The answer should be made of numbers, and this is {}."
SHAPE = "The answer has the shape {}, and {} is asked for: look at what is summed and over what."
NOT_FINITE = "The answer is not finite: somewhere something is divided by 0, or overflows."


def compared(
    answer: Any, right: Any, mistakes: Mapping[str, Any], *, otherwise: str, within: float = 1e-6
) -> str | None:
    """Return nothing where ``answer`` is ``right``, else the best hint.

    ``mistakes`` are hints with the answers they belong to. Two answers are the same where they differ by ``within`` of
    the largest entry at most. An answer that no known mistake gives gets ``otherwise``.
    """
    right = _numbers(right)
    try:
        found = _numbers(answer)
    except (TypeError, ValueError, RuntimeError):
        return NOT_NUMBERS.format(f"a {type(answer).__name__}")
    if found.shape == right.shape and _same(found, right, within):
        return None
    for said, value in mistakes.items():
        value = _numbers(value)
        if found.shape == value.shape and _same(found, value, within):
            return said
    if found.shape != right.shape:
        return SHAPE.format(tuple(found.shape), tuple(right.shape) or "a single number")
    return otherwise if found.isfinite().all() or not right.isfinite().all() else NOT_FINITE


def _numbers(value: Any) -> Tensor:
    return torch.as_tensor(value).detach().cpu().double()


def _same(found: Tensor, wanted: Tensor, within: float) -> bool:
    both_missing = found.isnan() & wanted.isnan()
    near = (found - wanted).abs() <= within * wanted.nan_to_num().abs().max().clamp_min(1e-300)
    return bool((near | both_missing | (found == wanted)).all())
