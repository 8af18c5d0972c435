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

CHECKPOINT, SNAPSHOT = "step", "snapshot"
KEPT = 2  # the newest, and the one before it for the day a disk loses the newest


def save_checkpoint(
    folder: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, step: int, settings: Mapping[str, Any]
) -> None:
    """Save weights, optimizer state, step and settings, and keep the last two checkpoints."""
    tensors = {f"model.{name}": tensor for name, tensor in weights_of(model).items()}
    for name, parameter in model.named_parameters():
        tensors |= {f"optimizer.{name}.{key}": value for key, value in optimizer.state[parameter].items()}
    _write(path_of(folder, CHECKPOINT, step), tensors, step=str(step), settings=json.dumps(settings, sort_keys=True))
    for old in files_in(folder, CHECKPOINT)[:-KEPT]:
        old.unlink()


def load_checkpoint(
    path: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, settings: Mapping[str, Any]
) -> int:
    """Bring model and optimizer back to a checkpoint and return its step.

    Raises ValueError when the file is cut off, or made with other ``settings`` or by another model; nothing changes.
    """
    tensors, metadata = _read(path, "delete it to resume from the one before it")
    if not {"step", "settings"} <= metadata.keys():
        raise ValueError(f"{path} is not a checkpoint of a training run: it does not say its step and settings")
    there, here = json.loads(metadata["settings"]), json.loads(json.dumps(settings))
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise ValueError(
                f"the checkpoint {path} was made with {name} {there.get(name)}, not {here.get(name)}; "
                "resume with the same settings, or choose another folder"
            )
    _give(path, {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}, model)
    for name, parameter in model.named_parameters():
        prefix = f"optimizer.{name}."
        moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in moments.items()}
    return int(metadata["step"])


def latest_checkpoint(folder: str | Path | None) -> Path | None:
    """Return the newest checkpoint in a folder, None where there is none."""
    return next(reversed(files_in(folder, CHECKPOINT)), None) if folder is not None else None


def save_snapshot(folder: str | Path, model: PreTrainedModel, *, step: int, scaling: Scaling | None = None) -> None:
    """Save a model's weights; the factors of a ``scaling`` under which it trains are folded in."""
    _write(path_of(folder, SNAPSHOT, step), folded(model, scaling, weights_of(model)))


def load_snapshot(folder: str | Path, step: int, model: PreTrainedModel) -> None:
    """Give a model the weights that it had after a step, 0 for those it started with.

    Raises FileNotFoundError for a step that has no snapshot; ValueError for a file that is cut off and for a model of
    another shape, which is not changed then.
    """
    path = path_of(folder, SNAPSHOT, step)
    if not path.is_file():
        there = ", ".join(map(str, snapshots_in(folder))) or "none"
        raise FileNotFoundError(f"{folder} has no snapshot of step {step}; the steps there are: {there}")
    _give(path, _read(path, "delete it and train again")[0], model)


def snapshots_in(folder: str | Path) -> list[int]:
    """Return the steps whose weights a folder keeps, in order."""
    return [int(path.stem.rpartition("-")[2]) for path in files_in(folder, SNAPSHOT)]


def files_in(folder: str | Path, kind: str) -> list[Path]:
    """Return a folder's checkpoints or snapshots, those of earlier steps first."""
    return sorted(Path(folder).glob(f"{kind}-*.safetensors"))


def path_of(folder: str | Path, kind: str, step: int) -> Path:
    """Return where the checkpoint or snapshot of a step lies."""
    return Path(folder) / f"{kind}-{step:08d}.safetensors"


def weights_of(model: PreTrainedModel) -> dict[str, Tensor]:
    """Name parameters and saved buffers, a tied weight once."""
    saved = model.state_dict().keys()
    return dict(model.named_parameters()) | {name: b for name, b in model.named_buffers() if name in saved}


def _write(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> None:
    """Write a file that appears under its name only when all of it is on the disk."""
    with written_whole(path) as unfinished:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, unfinished, metadata=metadata or None)


def _read(path: str | Path, remedy: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} cannot be read ({error}); {remedy}") from error


@torch.no_grad()
def _give(path: str | Path, found: Mapping[str, Tensor], model: PreTrainedModel) -> None:
    """Copy weights into a model, once sure that they are its own."""
    weights = weights_of(model)
    for name in sorted(found.keys() | weights.keys()):
        there, here = (tuple(side[name].shape) if name in side else None for side in (found, weights))
        if there != here:
            raise ValueError(f"{path} is of another model: {name} is {there} there and {here} here")
    for name, tensor in weights.items():
        tensor.copy_(found[name])
