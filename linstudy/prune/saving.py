"""Save a pruned model with a record of what was done to it, and build it again from there; or export a plain one."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from .. import __version__
from ..files import new_folder
from ..hub import quiet
from ..models import blocks as model_blocks
from ..models import name_of, set_blocks, without
from ..models.build import build
from ..models.devices import find_device, find_dtype
from ..models.weights import check_weights
from .changes import AFFINE, KEPT, Change, Place, change, note_places, places_of
from .parts import part_at

PLAN, STAND_INS, REST = "pruning.json", "stand_ins.safetensors", "kept"
FORMAT = 1


def save_pruned(
    model: PreTrainedModel, folder: str | os.PathLike, *, tokenizer: PreTrainedTokenizerBase | None = None
) -> None:
    """Write a pruned model to a new folder, whole or not at all; :func:`load_pruned` reads it.

    ``pruning.json`` says what stands at each place, ``stand_ins.safetensors`` holds the maps, and the folder ``kept``
    the rest of the model, and its tokenizer, in the hub's format. After an ordinary ``save_pretrained`` a random
    block would come back where a map had stood; of this folder ``from_pretrained`` loads nothing, and says so.

    Raises FileExistsError for a folder that holds something, OSError where the disk does not take it.
    """
    places = places_of(model)
    plan = {"format": FORMAT, "linstudy": __version__, "model": name_of(model), "places": [*map(asdict, places)]}
    maps = {
        f"{name}.{key}": weight.detach().cpu().contiguous()
        for name, module in stand_ins(model)
        for key, weight in module.named_parameters()
    }
    with new_folder(folder) as unfinished:
        save_file(maps, unfinished / STAND_INS)
        with without(model, [index for index, place in enumerate(places) if place.block == AFFINE]):
            given_up = _replaced_parts(model, places)
            own = {name: weight for name, weight in model.state_dict().items() if not name.startswith(given_up)}
            with quiet():
                model.save_pretrained(unfinished / REST, state_dict=own)
        if tokenizer is not None:
            tokenizer.save_pretrained(unfinished / REST)
        (unfinished / PLAN).write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")


def load_pruned(
    folder: str | os.PathLike, *, device: torch.device | str | None = None, dtype: torch.dtype | str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase | None]:
    """Build again what :func:`save_pruned` wrote: the model, in ``eval`` mode, and its tokenizer if that was saved.

    ``device`` and ``dtype`` are those of :func:`linstudy.load`. Raises FileNotFoundError for a folder that holds no
    pruned model, ValueError or OSError for one whose pieces are damaged or do not belong together.
    """
    folder, device = Path(folder), find_device(device)
    dtype = find_dtype(dtype, device)
    places = _read_plan(folder / PLAN)
    check_weights(folder / REST)
    try:
        maps = {name: one.to(dtype) for name, one in load_file(folder / STAND_INS).items()}
    except (SafetensorError, OSError) as error:
        raise OSError(f"{folder / STAND_INS} cannot be read ({error}): copy the folder again") from None
    model, found = build(folder / REST, _maker(folder / REST / "config.json"), dtype=dtype)
    with quiet():
        has_tokenizer = (folder / REST / "tokenizer_config.json").is_file()
        tokenizer = AutoTokenizer.from_pretrained(folder / REST) if has_tokenizer else None
    if len(model_blocks(model)) != sum(place.block == KEPT for place in places):
        raise ValueError(f"{folder / PLAN} is of a model with other layers than {folder / REST}: copy the folder again")
    absent = sorted(name for name in found["missing_keys"] if not name.startswith(_replaced_parts(model, places)))
    if absent:
        raise ValueError(f"{len(absent)} weights are missing in {folder / REST} (first: {absent[0]}): copy it again")
    try:
        _put_back(model, places, maps)
    except KeyError as missing:
        raise ValueError(f"{folder / STAND_INS} lacks {missing}: copy the folder again") from None
    model.name_or_path = model.config._name_or_path = str(folder)
    return model.eval().to(device), tokenizer


def export(
    model: PreTrainedModel, folder: str | os.PathLike, *, tokenizer: PreTrainedTokenizerBase | None = None
) -> None:
    """Write a model whose layers were removed or merged to a new folder in the hub's format.

    ``from_pretrained`` of transformers alone, without this package, then loads it. Raises ValueError for a model in
    which maps stand, or whose blocks lack a part: no class of transformers has such blocks, and nothing equal to a map
    of the stream can be written into the weights of a block, for a block reads the stream through a norm.
    """
    for place in places_of(model):
        if place.block == AFFINE or place.replaced_parts:
            layers = f"layer {place.first}" if place.first == place.last else f"layers {place.first} to {place.last}"
            what = "an affine map stands in" if place.block == AFFINE else f"the {place.replaced_parts[0]} was changed"
            raise ValueError(
                f"{what} for {layers}, which no plain folder can hold, because transformers would put a random block "
                'there: write it with linstudy.prune.save_pruned, or prune with action="remove" or action="merge"'
            )
    with new_folder(folder) as unfinished:
        with quiet():
            model.save_pretrained(unfinished)
        if tokenizer is not None:
            tokenizer.save_pretrained(unfinished)


def stand_ins(model: PreTrainedModel) -> Iterator[tuple[str, nn.Module]]:
    """Yield every map that stands in a pruned model, named by its place, from 1, and the part it stands for."""
    for number, (place, block) in enumerate(zip(places_of(model), model_blocks(model), strict=True), start=1):
        if place.block == AFFINE:
            yield f"{number}.block", block.module
        for part in place.replaced_parts:
            if getattr(place, part) == AFFINE:
                yield f"{number}.{part}", getattr(*part_at(model, number, part)).module


def _put_back(model: PreTrainedModel, places: tuple[Place, ...], maps: dict[str, Tensor]) -> None:
    """Put the maps where they stood, into a model that has the kept blocks alone."""
    kept, numbered = iter(list(model_blocks(model))), [*enumerate(places, start=1)]
    set_blocks(model, [_linear(maps, f"{n}.block") if one.block == AFFINE else next(kept) for n, one in numbered])
    parts = [(n, part, getattr(place, part) == AFFINE) for n, place in numbered for part in place.replaced_parts]
    change(model, [Change(n, n, _linear(maps, f"{n}.{part}") if map else None, part) for n, part, map in parts])
    note_places(model, places)


def _linear(maps: dict[str, Tensor], name: str) -> nn.Linear:
    weight = maps[f"{name}.weight"]
    layer = nn.Linear(*weight.T.shape, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight, "bias": maps[f"{name}.bias"]})
    return layer


def _replaced_parts(model: PreTrainedModel, places: tuple[Place, ...]) -> tuple[str, ...]:
    """Return how the names of weights of replaced parts begin, in a model that has the kept blocks alone."""
    names = {module: name for name, module in model.named_modules()}
    kept = enumerate((place for place in places if place.block == KEPT), start=1)
    parts = [part_at(model, layer, part) for layer, place in kept for part in place.replaced_parts]
    return tuple(f"{names[holder]}.{name}." for holder, name in parts)


def _maker(path: Path) -> type[PreTrainedModel]:
    try:
        return getattr(transformers, json.loads(path.read_text(encoding="utf-8"))["architectures"][0])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} names no class of transformers ({error}): copy the folder again") from None


def _read_plan(path: Path) -> tuple[Place, ...]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path.name} in {path.parent}: give a folder that save_pruned wrote")
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        if plan["format"] != FORMAT:
            raise ValueError(f"format {plan['format']}, and this version of linstudy reads {FORMAT}")
        return tuple(Place(**place) for place in plan["places"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no record of pruning that can be read ({error}): copy the folder again") from None
