"""Which weights of a model are trained: those of some modules, or corrections of low rank to its matrices."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from linstudy.models import blocks

Matrix = Float[Tensor, "row column"]
SCALE = 2.0  # of a correction, the alpha / r of the paper below


@contextmanager
def only(model: nn.Module, trained: Iterable[nn.Module]) -> Iterator[None]:
    """Let the gradient reach the weights of these modules alone, and leave all as it was."""
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        model.requires_grad_(False)
        for module in trained:
            module.requires_grad_(True)
        yield
    finally:
        for parameter, flag in before.items():
            parameter.requires_grad_(flag)


class Correction(nn.Module):
    """W + s B A, with B of ``rank`` columns that start at 0 (LoRA, Hu et al. 2021, equation 3)."""

    def __init__(self, weight: Matrix, rank: int):
        super().__init__()
        rows, columns = weight.shape
        self.a = nn.Parameter(torch.randn(rank, columns, device=weight.device) / math.sqrt(columns))
        self.b = nn.Parameter(torch.zeros(rows, rank, device=weight.device))

    def forward(self, weight: Matrix) -> Matrix:
        """Return the corrected matrix."""
        return weight + SCALE * self.b @ self.a


@contextmanager
def low_rank(model: PreTrainedModel, rank: int, *, seed: int = 0) -> Iterator[None]:
    """Train corrections of this rank to every matrix of the blocks and nothing else; on exit they are in the weights.

    Inside, a training of all weights is one of the corrections. ``seed`` draws where they start, which changes nothing
    of what the model computes.
    """
    matrices = [
        module
        for block in blocks(model)
        for module in block.modules()
        if isinstance(weight := getattr(module, "weight", None), nn.Parameter) and weight.ndim == 2
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        corrections = [Correction(module.weight, rank) for module in matrices]
    with only(model, corrections):
        try:
            for module, correction in zip(matrices, corrections, strict=True):
                parametrize.register_parametrization(module, "weight", correction)
            yield
        finally:
            for module in filter(parametrize.is_parametrized, matrices):
                parametrize.remove_parametrizations(module, "weight")
