"""Controls for the penalties: make the updates smaller by other means, with nothing added to the loss."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..models import blocks

# family: the modules of a block whose outputs are added to the stream, and the norms that read it
_LLAMA = ("self_attn.o_proj", "mlp.down_proj"), ("input_layernorm", "post_attention_layernorm")
SCALED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "gpt2": (("attn.c_proj", "mlp.c_proj"), ("ln_1", "ln_2")),
    "gpt_neox": (("attention.dense", "mlp.dense_4h_to_h"), _LLAMA[1]),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), _LLAMA),
}


@dataclass(frozen=True)
class Scaling:
    """What of layer l, counted from 1, is multiplied by constant / l^power, all through training.

    ``branches``: what attention and MLP add to the stream. ``norms``: the outputs of the norms they read it through,
    which is LayerNorm Scaling as the paper "The Curse of Depth" has it (arXiv 2502.05795), with its power of 1/2.
    """

    where: str  # branches or norms
    constant: float = 1.0
    power: float = 0.5  # 0 scales all layers alike

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.where not in ("branches", "norms"):
            raise ValueError(f"a scaling's where is {self.where!r}; it must be branches or norms")
        if not (self.constant > 0 and math.isfinite(self.constant) and math.isfinite(self.power)):
            raise ValueError(f"a scaling by {self.constant} / layer^{self.power} is none: the constant must be above 0")


@contextmanager
def scaled(model: PreTrainedModel, scaling: Scaling | None) -> Iterator[None]:
    """Scale the model's layers inside the context, and fold the factors into its weights on exit.

    Inside, the weights are what the optimizer should see: a factor in front of a weight shrinks its gradient, a
    smaller weight does not. After it, the model computes the same without any hook: an ordinary model, which saves
    and loads as such.

    Raises ValueError for a family whose modules are not in :data:`SCALED`.
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


def _times(factor: float) -> Any:
    return lambda module, args, output: output * factor


def _factors(model: PreTrainedModel, scaling: Scaling | None) -> dict[nn.Module, float]:
    if scaling is None:
        return {}
    kind = model.config.model_type
    if kind not in SCALED:
        raise ValueError(
            f"what to scale in the blocks of a {kind!r} model is not known (known: {', '.join(SCALED)}): add a line "
            "to linstudy.train.controls.SCALED"
        )
    return {
        block.get_submodule(name): scaling.constant / layer**scaling.power
        for layer, block in enumerate(blocks(model), start=1)
        for name in SCALED[kind][scaling.where == "norms"]
    }
