"""Twins of a model, of the same shape with other weights: what its scores are compared with."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor, nn
from transformers import PreTrainedModel

from linstudy.lookup import named
from linstudy.models import untrained

GROUP = 32  # weights that have one scale in the formats Q4_1 and Q8_0 of GGUF files
TRAINED, RANDOM = "trained", "random"


@torch.no_grad()
def twin(model: PreTrainedModel, weights: str, *, seed: int = 0) -> PreTrainedModel:
    """Return a model of the same shape with other weights; the model itself for "trained".

    "random" draws them anew, as its family does before training. "permuted" puts the entries of every trained matrix
    in a random order: their sizes stay, their structure goes; gains and biases, which are no matrices, stay. "Q8_0"
    and "Q4_1" round all matrices as these formats do; "noise" adds errors of the size that Q4_1 makes, spread evenly
    over its step. Q4_1 leaves embeddings in Q8_0, as files of that format do, and so does noise. Several are joined by
    " + ", as in "Q4_1 + noise".
    """
    if weights == TRAINED:
        return model
    if weights == RANDOM:
        return untrained(model, seed=seed)
    other, draw = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for name in weights.split(" + "):
        change = named(CHANGES, name, "weights")
        for matrix, embedded in matrices(other):
            matrix.copy_(change(matrix, embedded, draw))
    return other.eval()


def matrices(model: PreTrainedModel) -> Iterator[tuple[nn.Parameter, bool]]:
    """Yield the matrices of a model, each with whether tokens or positions are looked up in it."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    for parameter in model.parameters():
        if parameter.ndim > 1:
            yield parameter, id(parameter) in tables


def permuted(matrix: Tensor, embedded: bool, draw: Generator) -> Tensor:
    """Return the same entries in a random order."""
    return matrix.flatten()[torch.randperm(matrix.numel(), generator=draw)].view_as(matrix)


def q8_0(matrix: Tensor, embedded: bool, draw: Generator) -> Tensor:
    """Round to 255 levels about 0, the scale of every 32 weights in float16."""
    return _rounded(matrix, *_levels(matrix, of_8=True))


def q4_1(matrix: Tensor, embedded: bool, draw: Generator) -> Tensor:
    """Round to 16 levels from the least to the greatest of every 32 weights, both in float16; embeddings as Q8_0."""
    return _rounded(matrix, *_levels(matrix, of_8=embedded))


def noise(matrix: Tensor, embedded: bool, draw: Generator) -> Tensor:
    """Add to every weight an error drawn evenly from half a step of Q4_1 on either side; embeddings of Q8_0."""
    groups, _, step = _levels(matrix, of_8=embedded)
    return (groups + step * (torch.rand(groups.shape, generator=draw) - 0.5).to(groups)).view_as(matrix)


def _levels(matrix: Tensor, *, of_8: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights in groups, and the first level and the step of each group, of 8 bits or of 4."""
    groups = matrix.reshape(-1, GROUP)
    least, greatest = groups.aminmax(dim=1, keepdim=True)
    if of_8:
        return groups, torch.zeros_like(least), groups.abs().amax(1, keepdim=True) / 127
    return groups, least, (greatest - least) / 15


def _rounded(matrix: Tensor, groups: Tensor, least: Tensor, step: Tensor) -> Tensor:
    levels = torch.where(step > 0, (groups - least) / step, 0).round()
    return (levels * step.half().to(step) + least.half().to(least)).view_as(matrix)


CHANGES: dict[str, Callable[[Tensor, bool, Generator], Tensor]] = {
    "permuted": permuted,
    "Q8_0": q8_0,
    "Q4_1": q4_1,
    "noise": noise,
}
