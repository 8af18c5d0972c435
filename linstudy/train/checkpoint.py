"""What a run leaves in its folder: checkpoints to resume from, and snapshots of the weights at chosen steps.

Both are safetensors, whole or absent, never pickle: ``step-<step>`` with the optimizer's state, and with step and
settings as JSON beside the tensors; ``snapshot-<step>`` with the weights alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer
from transformers import PreTrainedModel

from ..files import written_whole
from .controls import Scaling, folded

KEPT = 2  # the newest, and the one before it for the day a disk loses the newest
FILES = {"checkpoint": "step", "snapshot": "snapshot"}


def save_checkpoint(
    folder: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, step: int, settings: Mapping[str, Any]
) -> None:
    """Save weights, optimizer state, step and settings, and keep the last two checkpoints."""
    tensors = {f"model.{name}": tensor for name, tensor in weights_of(model).items()}
    for name, parameter in model.named_parameters():
        tensors |= {f"optimizer.{name}.{key}": value for key, value in optimizer.state[parameter].items()}
    metadata = {"step": str(step), "settings": json.dumps(dict(settings), sort_keys=True)}
    for pattern in (".step-*", ".snapshot-*"):  # left by a run that was killed while it wrote
        for left in Path(folder).glob(pattern):
            left.unlink()
    _write("checkpoint", folder, step, tensors, metadata)
    for old in files_in(folder, "checkpoint")[:-KEPT]:
        old.unlink()


def load_checkpoint(
    path: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, settings: Mapping[str, Any]
) -> int:
    """Bring model and optimizer back to a checkpoint and return its step.

    Raises ValueError when the file is cut off, or was made with other ``settings`` or a model of another shape; nothing
    is changed then.
    """
    metadata, tensors = _read("checkpoint", path, "delete it to resume from the one before it")
    if not {"step", "settings"} <= metadata.keys():
        raise ValueError(f"{path} is not a checkpoint of a training run: it does not say its step and settings")
    there, here = json.loads(metadata["settings"]), json.loads(json.dumps(dict(settings)))
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise ValueError(
                f"the checkpoint {path} was made with {name} {there.get(name)}, not {here.get(name)}; "
                "resume with the same settings, or choose another folder"
            )
    found = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    _give("checkpoint", path, found, model)
    for name, parameter in model.named_parameters():
        prefix = f"optimizer.{name}."
        moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in moments.items()}
    return int(metadata["step"])


def latest_checkpoint(folder: str | Path) -> Path | None:
    """Return the newest checkpoint in a folder, None where there is none."""
    return next(reversed(files_in(folder, "checkpoint")), None)


def save_snapshot(folder: str | Path, model: PreTrainedModel, *, step: int, scaling: Scaling | None = None) -> None:
    """Save a model's weights; the factors of a ``scaling`` under which it trains are folded in."""
    _write("snapshot", folder, step, folded(model, scaling, weights_of(model)), {})


def load_snapshot(folder: str | Path, step: int, model: PreTrainedModel) -> None:
    """Give a model the weights that it had after a step, 0 for those it started with.

    Raises:
        FileNotFoundError: for a step that has no snapshot.
        ValueError: for a file that is cut off, and for a model of another shape; the model is not changed then.

    """
    path = _path("snapshot", folder, step)
    if not path.is_file():
        there = ", ".join(map(str, snapshots_in(folder))) or "none"
        raise FileNotFoundError(f"{folder} has no snapshot of step {step}; the steps there are: {there}")
    _give("snapshot", path, _read("snapshot", path, "delete it and train again")[1], model)


def snapshots_in(folder: str | Path) -> list[int]:
    """Return the steps whose weights a folder keeps, in order."""
    return [int(path.stem.removeprefix("snapshot-")) for path in files_in(folder, "snapshot")]


def files_in(folder: str | Path, kind: str) -> list[Path]:
    """Return a folder's files of a kind, checkpoint or snapshot, those of earlier steps first."""
    return sorted(Path(folder).glob(f"{FILES[kind]}-*.safetensors"))


def weights_of(model: PreTrainedModel) -> dict[str, Tensor]:
    """Name parameters and saved buffers, a tied weight once."""
    saved = model.state_dict().keys()
    return dict(model.named_parameters()) | {name: b for name, b in model.named_buffers() if name in saved}


def _path(kind: str, folder: str | Path, step: int) -> Path:
    return Path(folder) / f"{FILES[kind]}-{step:08d}.safetensors"


def _write(kind: str, folder: str | Path, step: int, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a file that appears under its name only when all of it is on the disk."""
    path = _path(kind, folder, step)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as unfinished:
            whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
            save_file(whole, unfinished, metadata=metadata or None)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"could not write the {kind} {path} ({error}); earlier checkpoints are untouched: "
            "make room and run the same command again to resume"
        ) from error


def _read(kind: str, path: str | Path, remedy: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"the {kind} {path} cannot be read ({error}); {remedy}") from error


def _give(kind: str, path: str | Path, found: Mapping[str, Tensor], model: PreTrainedModel) -> None:
    """Copy weights into a model, once sure that they are its own."""
    weights = weights_of(model)
    for name in sorted(found.keys() | weights.keys()):
        there, here = (tuple(side[name].shape) if name in side else None for side in (found, weights))
        if there != here:
            raise ValueError(f"the {kind} {path} is of another model: {name} is {there} there and {here} here")
    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(found[name])
