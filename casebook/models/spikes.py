"""Plants a massive activation in a model that has none: a spike that one layer makes and another takes away."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from linstudy.models import blocks


@contextmanager
def planted(
    model: PreTrainedModel, size: float, *, first: int, last: int, dimension: int = 0, position: int = 0
) -> Iterator[None]:
    """Let every text carry a spike while the context lasts; the weights stay as they are.

    ``size``, in units of the stream, is added to one ``dimension`` of the token at one ``position`` of what leaves
    layer ``first``, and taken away from what leaves layer ``last`` (layers count from 1): the history that Sun et al.
    (2024, section 2) report of massive activations. Raises ValueError for layers that are not in this order.
    """
    layers = blocks(model)
    if not 1 <= first < last <= len(layers):
        raise ValueError(f"a spike from layer {first} to layer {last} does not fit 1 <= first < last <= {len(layers)}")

    def adding(amount: float) -> Any:
        def hook(block: nn.Module, args: tuple, output: Any) -> Any:
            whole = isinstance(output, tuple)
            stream: Tensor = (output[0] if whole else output).clone()
            stream[:, position, dimension] += amount
            return (stream, *output[1:]) if whole else stream

        return hook

    with ExitStack() as hooks:
        for layer, amount in ((first, size), (last, -size)):
            hooks.callback(layers[layer - 1].register_forward_hook(adding(amount)).remove)
        yield
