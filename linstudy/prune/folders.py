"""Folders that are written whole or not at all, and a pruned model as a folder that transformers alone loads."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..hub import quiet
from .changes import AFFINE, places_of


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


@contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well.

    What a process left that was killed in the middle is removed by the next one that writes here. Raises
    FileExistsError for a folder that holds something, OSError where the disk does not take what is written.
    """
    folder = check_new(folder)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                with file.open("rb") as whole:
                    os.fsync(whole.fileno())
        if folder.is_dir():
            folder.rmdir()
        unfinished.rename(folder)
    except (SafetensorError, OSError) as error:
        raise OSError(f"could not write the model to {folder} ({error}): nothing was written; make room") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check_new(folder: str | os.PathLike) -> Path:
    """Return the absolute path of a folder to be made. Raises FileExistsError for one that holds something."""
    folder = Path(folder).absolute()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists and is not empty: give a new folder, or delete this one first")
    return folder
