"""Whole-or-absent checkpoints of a training run: safetensors with JSON beside the tensors, never pickle."""

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

KEPT = 2  # the newest, and the one before it for the day a disk loses the newest


def save_checkpoint(
    folder: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, step: int, settings: Mapping[str, Any]
) -> Path:
    """Save weights, optimizer state, step and settings as ``folder/step-<step>.safetensors`` and keep the last two.

    The file appears under its name only when all of it is on the disk. When writing fails, what was there stays,
    and an OSError says so.
    """
    folder = Path(folder)
    path = folder / f"step-{step:08d}.safetensors"
    metadata = {"step": str(step), "settings": json.dumps(dict(settings), sort_keys=True)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state(model, optimizer).items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in (".step-*", ".snapshot-*"):  # left by a run that was killed while it wrote
            for left in folder.glob(pattern):
                left.unlink()
        with written_whole(path) as unfinished:
            save_file(tensors, unfinished, metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"could not write the checkpoint {path} ({error}); earlier checkpoints are untouched: "
            "make room and run the same command again to resume"
        ) from error
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink()
    return path


def load_checkpoint(
    path: str | Path, model: PreTrainedModel, optimizer: Optimizer, *, settings: Mapping[str, Any]
) -> int:
    """Bring model and optimizer back to a checkpoint and return its step.

    Raises ValueError when the file is cut off, or was made with other ``settings`` or a model of another shape; nothing
    is changed then.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"the checkpoint {path} cannot be read ({error}); delete it to resume from the one before it"
        ) from error
    if not {"step", "settings"} <= metadata.keys():
        raise ValueError(f"{path} is not a checkpoint of a training run: it does not say its step and settings")
    refuse_other_run(path, json.loads(metadata["settings"]), json.loads(json.dumps(dict(settings))))

    weights = model_tensors(model)
    found = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    check_shapes(path, found, weights)

    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(found[name])
    for name, parameter in model.named_parameters():
        prefix = f"optimizer.{name}."
        moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in moments.items()}
    return int(metadata["step"])


def latest_checkpoint(folder: str | Path) -> Path | None:
    """Return the newest checkpoint in a folder, None where there is none."""
    found = checkpoints(Path(folder))
    return found[-1] if found else None


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def state(model: PreTrainedModel, optimizer: Optimizer) -> dict[str, Tensor]:
    """Name every tensor that the next step depends on."""
    named = {f"model.{name}": tensor for name, tensor in model_tensors(model).items()}
    for name, parameter in model.named_parameters():
        named |= {f"optimizer.{name}.{key}": value for key, value in optimizer.state[parameter].items()}
    return named


def model_tensors(model: PreTrainedModel) -> dict[str, Tensor]:
    """Name parameters and saved buffers, a tied weight once."""
    saved = model.state_dict().keys()
    return dict(model.named_parameters()) | {name: b for name, b in model.named_buffers() if name in saved}


def check_shapes(path: str | Path, there: Mapping[str, Tensor], here: Mapping[str, Tensor]) -> None:
    """Refuse a file whose weights are not those of this model, by the name of the first."""
    for name in sorted(there.keys() | here.keys()):
        one, other = (tuple(side[name].shape) if name in side else None for side in (there, here))
        if one != other:
            kind = Path(path).name.partition("-")[0].replace("step", "checkpoint")
            raise ValueError(f"the {kind} {path} is of another model: {name} is {one} there and {other} here")


def refuse_other_run(path: str | Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    """Name the first setting in which the saved run and the wanted one differ."""
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise ValueError(
                f"the checkpoint {path} was made with {name} {there.get(name)}, not {here.get(name)}; "
                "resume with the same settings, or choose another folder"
            )
