"""Build a model from a folder's config and weights; whatever goes wrong in that ends in one sentence."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from ..hub import quiet
from .devices import free_memory


def build(folder: Path, maker: Any, **options: Any) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return the model that ``maker`` (a class of transformers) makes of a folder, and which weights it found or not.

    Raises ValueError where config and weights describe no model, and what :func:`no_room` knows where none is left.
    """
    trust = {"trust_remote_code": options.get("trust_remote_code", False)}
    try:
        with quiet():
            _check_sizes(AutoConfig.from_pretrained(folder, local_files_only=True, **trust), folder)
            return maker.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **options)
    except ImportError:  # names the package that this model needs
        raise
    except Exception as error:  # transformers and torch raise what they meet: KeyError, ZeroDivisionError, ...
        if no_room(error):
            raise
        raise ValueError(
            f"the model in {folder} cannot be built ({reason(error)}): load a config and weights that belong together, "
            "or copy or download both again"
        ) from None


def no_room(error: Exception) -> bool:
    """Say whether memory ran out, of the GPU or of the machine."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def reason(error: Exception) -> str:
    """Return an error on one line, and not all of a long one."""
    text = " ".join(str(error).split()).rstrip(".")
    return (text if " " in text else f"{type(error).__name__}: {text}")[:200]


def check_room(files: Iterable[Path], dtype: torch.dtype) -> None:
    """Raise MemoryError for files of weights that as ``dtype`` take more of this machine's memory than is free."""
    need = sum(math.prod(shape) for shapes in _shapes(files) for shape in shapes) * dtype.itemsize
    free = free_memory(torch.device("cpu"))
    if need > free:
        raise MemoryError(f"its weights take {need / 2**30:.1f} GiB, this machine has {free / 2**30:.1f} GiB free")


def _shapes(files: Iterable[Path]) -> Iterator[list[list[int]]]:
    """Yield the shapes of each file's weights."""
    for path in files:
        with safe_open(path, framework="pt") as file:
            yield [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118


def _check_sizes(config: PretrainedConfig, folder: Path) -> None:
    """Refuse a config that asks for more than the weights hold, before memory is taken for it."""
    most = dict.fromkeys(("num_hidden_layers", "hidden_size", "vocab_size"), 0)
    for shapes in _shapes(folder.glob("*.safetensors")):
        most["num_hidden_layers"] += len(shapes)
        widest = max((side for shape in shapes for side in shape), default=0)
        most |= {name: max(most[name], widest) for name in ("hidden_size", "vocab_size")}
    for name, there in most.items():
        wanted = getattr(config.get_text_config(), name, None)
        if isinstance(wanted, int) and not 0 < wanted <= there:
            raise ValueError(f"its config says {name} {wanted}, which its weights cannot fill")
