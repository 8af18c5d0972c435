"""When products of states may be made in float32, and what they resolve."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

FIRST_TOKENS = 1024  # looked at, or two for each feature
EXACT_WIDTH = 256  # up to this width float64 products cost next to nothing
INDEPENDENT = 1e-3  # share of its variance that every feature must have to itself for float32 products to do
NOISE = 2**-20  # of the size of a state: what varies by less is rounding, after some layers
COARSE = 2**-14  # share of its size that an update must vary by, or rounding y - x to float32 would be part of it
LEAP = 10.0  # times as large as before: mean squares of deviations for which the look at the first tokens is void
RESOLUTION = {torch.float32: 1e-8, torch.float64: 1e-12}  # of eigenvalues, as a share of the largest


def float32_will_do(x: Float[Tensor, "token dim"], y: Float[Tensor, "token dim"]) -> bool:
    """Say whether float32 products do, by the first tokens.

    They do where these are many enough, the features of ``x`` independent enough, the update varies by more than its
    rounding, and ``y`` is not the small rest of an ``x`` that the layer takes away.
    """
    rows, dim = x.shape
    if dim <= EXACT_WIDTH or rows < 3 * dim // 2:
        return False
    first = slice(max(2 * dim, FIRST_TOKENS))
    x, y = x[first].float(), y[first].float()
    root, failed = torch.linalg.cholesky_ex(torch.corrcoef(x.T))
    if failed or root.diagonal().min() ** 2 < INDEPENDENT:  # of each feature's variance, given the others
        return False
    d = y - x
    coarse = d.any(0) & (d.var(0) < COARSE**2 * y.square().mean(0))
    return not bool((coarse | (y.var(0) < INDEPENDENT * x.var(0))).any())


def leaps(squares: Float[Tensor, "2 dim"], before: Float[Tensor, "2 dim"]) -> bool:
    """Say whether the mean squares of some feature's deviations are far above those ``before``, where it had any."""
    return bool(((squares > LEAP * before) & (before > 0)).any())


@contextmanager
def full_float32() -> Iterator[None]:
    """Forbid the GPU to round float32 products to ten bits (TF32)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
