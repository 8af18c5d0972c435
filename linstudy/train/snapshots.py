"""Weights kept along a run, for looking at how a model came to be: one safetensors file a step."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from ..files import written_whole
from .checkpoint import check_shapes, model_tensors
from .controls import Scaling, folded


def save_snapshot(folder: str | Path, model: PreTrainedModel, *, step: int, scaling: Scaling | None = None) -> Path:
    """Save a model's weights as ``folder/snapshot-<step>.safetensors``, whole or not at all.

    The factors of a ``scaling`` under which the model trains are folded in.
    """
    path = Path(folder) / f"snapshot-{step:08d}.safetensors"
    tensors = folded(model, scaling, model_tensors(model))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as unfinished:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, unfinished)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"could not write the snapshot {path} ({error}): make room and run the same command again to resume"
        ) from error
    return path


def load_snapshot(folder: str | Path, step: int, model: PreTrainedModel) -> None:
    """Give a model the weights that it had after a step, 0 for those it started with.

    Raises:
        FileNotFoundError: for a step that has no snapshot.
        ValueError: for a file that is cut off, and for a model of another shape; the model is not changed then.

    """
    path = Path(folder) / f"snapshot-{step:08d}.safetensors"
    if not path.is_file():
        there = ", ".join(map(str, snapshots_in(folder))) or "none"
        raise FileNotFoundError(f"{folder} has no snapshot of step {step}; the steps there are: {there}")
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"the snapshot {path} cannot be read ({error}); delete it and train again") from error
    weights = model_tensors(model)
    check_shapes(path, found, weights)
    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(found[name])


def snapshots_in(folder: str | Path) -> list[int]:
    """Return the steps whose weights a folder keeps, in order."""
    return sorted(int(path.stem.removeprefix("snapshot-")) for path in Path(folder).glob("snapshot-*.safetensors"))
