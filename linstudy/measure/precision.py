"""When products of states may be made in float32, and what they resolve."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

EXACT_WIDTH = 256  # up to this width float64 products cost next to nothing
INDEPENDENT = 1e-3  # share of its variance that every feature must have to itself for float32 products to do
RESOLUTION = {torch.float32: 1e-8, torch.float64: 1e-12}  # of eigenvalues, as a share of the largest


def float32_will_do(x: Float[Tensor, "token dim"]) -> bool:
    """Say whether the first tokens are many enough, and their features independent enough, for float32 products."""
    rows, dim = x.shape
    if dim <= EXACT_WIDTH or rows < 3 * dim // 2:
        return False
    root, failed = torch.linalg.cholesky_ex(torch.corrcoef(x[: 2 * dim].float().T))
    return not failed and bool(root.diagonal().min() ** 2 > INDEPENDENT)  # of each feature's variance, given the others


@contextmanager
def full_float32() -> Iterator[None]:
    """Forbid the GPU to round float32 products to ten bits (TF32)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
