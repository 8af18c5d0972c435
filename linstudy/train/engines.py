"""Two ways to make the same steps faster: compiled blocks, and oneDNN for the products of matrices on a CPU."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import MethodType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..measure.precision import by_onednn, has_onednn
from ..models import blocks

LINEAR = ("auto", "torch", "onednn")


@contextmanager
def compiled(model: PreTrainedModel, attempt: Callable[[], Tensor]) -> Iterator[None]:
    """Compile the model's blocks while they train; what is compiled leaves no trace on exit.

    ``attempt`` makes a loss, once at the start, with gradients that are the caller's to clear: a compiler that is
    missing or fails is found out before the first step, one warning says why, and the blocks run as they are. They are
    compiled one by one: one compilation serves all, and the hooks of :func:`linstudy.capture` keep working.
    """
    with ExitStack() as instead:
        instead.enter_context(_forwards(blocks(model), _compiled))
        try:
            attempt().backward()
        except Exception as error:  # compilers fail in every way there is
            reason = (str(error).strip().splitlines() or [""])[0][:200]
            warnings.warn(
                f"torch.compile does not work here ({type(error).__name__}: {reason}): training goes on without it",
                RuntimeWarning,
                stacklevel=4,
            )
            instead.close()
        yield


@contextmanager
def products(model: PreTrainedModel, linear: str, *, is_compiled: bool = False) -> Iterator[None]:
    """Let oneDNN multiply the matrices of the linear layers where ``linear`` is ``"onednn"``; for float32 on a CPU.

    It is faster on some processors, and sums in another order (:func:`linstudy.measure.precision.by_onednn`).
    ``"auto"`` takes it where it can be had and the blocks are not compiled; elsewhere ``"onednn"`` raises ValueError.
    """
    there = has_onednn() and model.device.type == "cpu"
    if linear == "onednn" and not there:
        raise ValueError(
            f"linear='onednn' is for a CPU with oneDNN, and the model is on {model.device}: take linear='torch'"
        )
    wanted = linear == "onednn" or (linear == "auto" and there and not is_compiled)
    layers = (module for module in model.modules() if isinstance(module, nn.Linear) and wanted)
    with _forwards(layers, lambda _: _by_onednn):
        yield


@contextmanager
def _forwards(modules: Iterable[nn.Module], make: Callable[[nn.Module], Callable]) -> Iterator[None]:
    """Give modules another forward, a method so that copies use their own weights, and take it away again."""
    modules = list(modules)
    try:
        for module in modules:
            module.forward = MethodType(make(module), module)
        yield
    finally:
        for module in modules:
            vars(module).pop("forward", None)


def _compiled(block: nn.Module) -> Callable[..., Any]:
    fast, plain = torch.compile(type(block).forward), type(block).forward
    # Validation asks for no gradient, and its batches are of other sizes: each would be compiled anew.
    return lambda block, *args, **kwargs: (fast if torch.is_grad_enabled() else plain)(block, *args, **kwargs)


def _by_onednn(layer: nn.Linear, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch out"]:
    y = _Product.apply(x, layer.weight)
    return y if layer.bias is None else y + layer.bias


class _Product(torch.autograd.Function):
    """x @ weight.T and its two gradients, each one product by oneDNN."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return by_onednn(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        to_x = by_onednn(gradient, weight.t()) if wanted[0] else None
        return to_x, by_onednn(gradient.flatten(0, -2).t(), x.flatten(0, -2).t()) if wanted[1] else None
