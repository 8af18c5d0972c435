"""In which precision products of states are made, by whom, and what they resolve."""

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


def has_onednn() -> bool:
    """Say whether this torch brings oneDNN, and the product that it keeps for its compiler under this name."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def by_onednn(a: Float[Tensor, "*row dim"], b: Float[Tensor, "column dim"]) -> Float[Tensor, "*row column"]:
    """Return a @ b.T of float32 matrices on a CPU, whole ones: of views that skip numbers it takes minutes.

    Torch's own BLAS, MKL in most of its builds, uses half of the vector width of processors that are not Intel's.
    Sums are taken in another order, so the numbers differ in their last digits.
    """
    return torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")


def product(a: Float[Tensor, "row dim"], b: Float[Tensor, "column dim"]) -> Float[Tensor, "row column"]:
    """Return a @ b.T by whoever is fastest here."""
    here = a.dtype == torch.float32 and a.device.type == "cpu" and has_onednn()
    return by_onednn(a, b) if here else a @ b.T


@contextmanager
def full_float32() -> Iterator[None]:
    """Forbid the GPU to round float32 products to ten bits (TF32)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
