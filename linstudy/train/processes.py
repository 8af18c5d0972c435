"""One process or many: what the training loop knows of the others, through accelerate.

Of accelerate this takes the processes alone. Its Accelerator would also fix one mixed precision for the life of the
Python process and leave the model's ``forward`` wrapped; here a model comes out of training as it went in.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def processes() -> PartialState:
    """Join the processes that ``accelerate launch`` or ``torchrun`` started, or be the only one.

    For several on a CPU take ``torchrun --nproc_per_node N``: accelerate starts those through MPI alone.
    """
    no_gpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    # Without cpu=True, processes started by torchrun on a machine without GPUs would not find each other.
    return PartialState(cpu=no_gpu or not torch.cuda.is_available())


def together(trained: nn.Module, loss: Callable) -> Callable:
    """Return a loss whose gradients for what is trained are the means over all processes; alone, the loss itself."""
    state = processes()
    if state.num_processes == 1:
        return loss
    trained.to(state.device)
    devices = None if state.device.type == "cpu" else [state.device]
    return DistributedDataParallel(_Loss(trained, loss), device_ids=devices, gradient_as_bucket_view=True)


class _Loss(nn.Module):
    """A loss and the weights it depends on as one module, for nothing else can be distributed."""

    def __init__(self, trained: nn.Module, loss: Callable):
        super().__init__()
        self.trained, self.loss = trained, loss

    def forward(self, *arguments: Any) -> Any:
        return self.loss(*arguments)


def unsent(loss: Callable) -> AbstractContextManager:
    """Keep the gradients of a part of a step at home: they are sent once, with the last part."""
    return loss.no_sync() if isinstance(loss, DistributedDataParallel) else nullcontext()


def shares(rows: Int[np.ndarray, " row"], parts: int) -> list[Int[np.ndarray, " part"]]:
    """Return this process's share of a step's examples, in so many parts; refuse what does not come out even."""
    state = processes()
    if len(rows) % (every := parts * state.num_processes):
        raise ValueError(
            f"a batch of {len(rows)} does not divide into {parts} parts for each of {state.num_processes} processes: "
            f"take a multiple of {every}"
        )
    return np.split(rows, every)[state.process_index :: state.num_processes]


def mean_over_processes(numbers: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return the mean of numbers that every process has its own of; the same on all, bit for bit."""
    return reduce(numbers, "mean")
