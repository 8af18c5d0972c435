"""Choose where a model runs and in which number type."""

import psutil
import torch


def find_device(device: torch.device | str | None) -> torch.device:
    """Return the device asked for, by default a GPU if there is one; ValueError for one that is not there."""
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(f"device {device!r} is not known: give 'cpu', 'cuda', 'cuda:1' or 'auto'") from None
    if not _there(device):
        raise ValueError(f"device '{device}' is not there, or has no float64: leave device out or give 'cpu'")
    return device


def find_dtype(dtype: torch.dtype | str | None, device: torch.device) -> torch.dtype:
    """Return the number type asked for; by default bfloat16 on GPUs that compute in it, else float32.

    A T4 (compute capability 7.5) claims bfloat16 but only emulates it, slowly, so the capability decides. Raises
    ValueError for a name that is none.
    """
    if dtype is None:
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if found not in (torch.float32, torch.bfloat16, torch.float16, torch.float64):  # others cannot be computed in
        raise ValueError(f"dtype {dtype!r} is not known: give 'float32', 'bfloat16' or 'float16'")
    return found


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free where a model lies."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available


def _there(device: torch.device) -> bool:
    if device.type == "cuda" and not torch.cuda.is_available():
        return False
    try:
        torch.empty(1, device=device)
    except Exception:  # each kind raises its own
        return False
    return device.type not in ("meta", "mps")  # the one holds no numbers, the other no float64
