"""One process or many: what the training loop knows of the others, through accelerate.

Of accelerate this takes the processes alone. Its Accelerator would also fix one mixed precision for the life of the
Python process and leave the model's ``forward`` wrapped; here a model comes out of training as it went in.
"""

import os
from contextlib import AbstractContextManager, nullcontext

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


def together(model: nn.Module) -> nn.Module:
    """Return the model to train: one whose gradients are the means over all processes; alone, the model itself."""
    state = processes()
    if state.num_processes == 1:
        return model
    model.to(state.device)
    devices = None if state.device.type == "cpu" else [state.device]
    return DistributedDataParallel(model, device_ids=devices, gradient_as_bucket_view=True)


def unsent(trained: nn.Module) -> AbstractContextManager:
    """Keep the gradients of a part of a step at home: they are sent once, with the last part."""
    return trained.no_sync() if isinstance(trained, DistributedDataParallel) else nullcontext()


def shares(rows: Int[np.ndarray, " row"], parts: int) -> list[Int[np.ndarray, " part"]]:
    """Return this process's share of a step's blocks, in so many parts."""
    state = processes()
    return np.split(rows, parts * state.num_processes)[state.process_index :: state.num_processes]


def mean_over_processes(numbers: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return the mean of numbers that every process has its own of; the same on all, bit for bit."""
    return reduce(numbers, "mean")


def check_shares(batch: int, parts: int) -> None:
    """Refuse a batch that does not come out even."""
    count = processes().num_processes
    if batch % (parts * count):
        raise ValueError(
            f"a batch of {batch} blocks does not divide into {parts} parts for each of {count} processes: "
            f"take a multiple of {parts * count}"
        )
