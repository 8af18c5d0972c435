"""Choose where a model runs and in which number type."""

from importlib import import_module

import torch


def find_device(device: torch.device | str | None) -> torch.device:
    """Return the device asked for; by default the GPU if there is one, else the CPU.

    Raises ValueError for a device that is not known or not there.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(f"device {device!r} is not known: give 'cpu', 'cuda', 'cuda:1' or 'auto'") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device '{device}' is not there, PyTorch sees no GPU: leave device out or give 'cpu'")
    return device


def find_dtype(dtype: torch.dtype | str | None, device: torch.device) -> torch.dtype:
    """Return the number type asked for; by default bfloat16 on GPUs that compute in it, else float32.

    A T4 (compute capability 7.5) claims bfloat16 but only emulates it, slowly, so the capability decides.

    Raises ValueError for a name that is none.
    """
    if dtype is None:
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype):
        raise ValueError(f"dtype {dtype!r} is not known: give 'float32', 'bfloat16' or 'float16'")
    return found


def need_accelerate() -> None:
    """Make sure that models can be spread over devices; ImportError says what is missing."""
    try:
        import_module("accelerate")
    except ImportError:
        raise ImportError("device='auto' needs the package accelerate: pip install accelerate") from None
