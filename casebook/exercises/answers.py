"""Compares an answer with the right one and with those that known mistakes give."""

from typing import Any

import torch
from torch import Tensor

# What a check finds: nothing where the answer is right, else the name of a hint in hints.toml, and what to fill in.
Found = str | tuple[str, dict[str, object]] | None


def compared(answer: Any, right: Any, *, within: float = 1e-6, other: str = "other", **mistakes: Any) -> Found:
    """Return nothing where ``answer`` is ``right``, else the name of the best hint.

    ``mistakes`` are the answers that known mistakes give, by the names of their hints; an answer that none of them
    gives gets ``other``. Two answers are the same where they differ by ``within`` of the largest entry at most.
    """
    right = _numbers(right)
    try:
        found = _numbers(answer)
    except (TypeError, ValueError, RuntimeError):
        return "not numbers", {"kind": type(answer).__name__}
    for name, value in {"": right, **mistakes}.items():
        value = _numbers(value)
        if found.shape == value.shape and _same(found, value, within):
            return name or None
    if found.shape != right.shape:
        return "shape", {"found": tuple(found.shape), "asked": tuple(right.shape) or "a single number"}
    return other if found.isfinite().all() or not right.isfinite().all() else "not finite"


def _numbers(value: Any) -> Tensor:
    return torch.as_tensor(value).detach().cpu().double()


def _same(found: Tensor, wanted: Tensor, within: float) -> bool:
    both_missing = found.isnan() & wanted.isnan()
    near = (found - wanted).abs() <= within * wanted.nan_to_num().abs().max().clamp_min(1e-300)
    return bool((near | both_missing | (found == wanted)).all())
