"""Controls for the penalties: make the updates smaller by other means, with nothing added to the loss."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import PreTrainedModel

from ..models import blocks, inside


@dataclass(frozen=True)
class Scaling:
    """What of layer l, counted from 1, is multiplied by constant / l^power, all through training.

    ``branches``: what attention and MLP add to the stream. ``norms``: the outputs of the norms they read it through,
    which is LayerNorm Scaling as the paper "The Curse of Depth" has it (arXiv 2502.05795), with its power of 1/2.
    ``rates``: the learning rate of the layer's matrices; what the layer computes is as it was.
    """

    where: str  # branches, norms or rates
    constant: float = 1.0
    power: float = 0.5  # 0 scales all layers alike

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.where not in ("branches", "norms", "rates"):
            raise ValueError(f"a scaling's where is {self.where!r}; it must be branches, norms or rates")
        if not (self.constant > 0 and math.isfinite(self.constant) and math.isfinite(self.power)):
            raise ValueError(f"a scaling by {self.constant} / layer^{self.power} is none: the constant must be above 0")


@contextmanager
def scaled(model: PreTrainedModel, scaling: Scaling | None) -> Iterator[None]:
    """Scale the model's layers inside the context, and fold the factors into its weights on exit.

    Inside, the weights are what the optimizer should see: a factor in front of a weight shrinks its gradient, a
    smaller weight does not. After it, the model computes the same without a hook: it saves and loads as any.

    Raises ValueError for blocks that add to the stream what is no matrix's output, or read it through other norms.
    """
    with ExitStack() as hooks:
        for module, factor in _factors(model, scaling).items():
            hooks.callback(module.register_forward_hook(_times(factor)).remove)
        try:
            yield
        finally:
            fold(model, scaling)


@torch.no_grad()
def fold(model: PreTrainedModel, scaling: Scaling | None) -> None:
    """Multiply the weights that a scaling belongs to by its factors, for good."""
    for module, factor in _factors(model, scaling).items():
        for parameter in module.parameters():
            parameter.mul_(factor)


def folded(model: PreTrainedModel, scaling: Scaling | None, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return named weights as :func:`fold` would leave them, and the model as it is."""
    factors = {id(p): factor for module, factor in _factors(model, scaling).items() for p in module.parameters()}
    return {name: weight * factors[id(weight)] if id(weight) in factors else weight for name, weight in weights.items()}


def rate_shares(model: PreTrainedModel, scaling: Scaling | None) -> dict[nn.Parameter, float]:
    """Return the weights whose learning rate is a share of the others', and that share."""
    if scaling is None or scaling.where != "rates":
        return {}
    return {
        parameter: scaling.constant / layer**scaling.power
        for layer, block in enumerate(blocks(model), start=1)
        for parameter in block.parameters()
        if parameter.ndim > 1
    }


def _times(factor: float) -> Any:
    return lambda module, args, output: output * factor


def _factors(model: PreTrainedModel, scaling: Scaling | None) -> dict[nn.Module, float]:
    if scaling is None or scaling.where == "rates":
        return {}
    factors = {}
    for layer, block in enumerate(blocks(model), start=1):
        found = inside(model, block)
        modules = [block.get_submodule(name) for name in (found.norms if scaling.where == "norms" else found.writers)]
        if not modules or not all(map(_folds, modules)):
            kind = f"{type(block).__name__} of a {model.config.model_type!r} model"
            raise ValueError(
                f"the {scaling.where} of layer {layer}, a {kind}, cannot be scaled by their weights: choose a model "
                "whose blocks add what their last matrices give, and whose norms end in a product with their weights"
            )
        factors |= dict.fromkeys(modules, scaling.constant / layer**scaling.power)
    return factors


def _folds(module: nn.Module) -> bool:
    """Say whether a module gives twice as much when its weights are twice as large: not so norms by 1 + weight."""
    weights = dict(module.named_parameters())
    if not weights:
        return False
    if any(weight.ndim > 1 for weight in weights.values()):
        return True  # a matrix
    one = next(iter(weights.values()))
    x = torch.linspace(-1, 1, len(one), dtype=one.dtype, device=one.device)[None, None]
    twice = functional_call(module, {name: 2 * weight for name, weight in weights.items()}, (x,))
    return torch.allclose(twice, 2 * module(x), rtol=1e-2)
