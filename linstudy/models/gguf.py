"""Reads GGUF files: quantised weights become float32, and the model is one like any other."""

import io
from contextlib import redirect_stderr
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from ..hub import quiet
from .build import no_room, reason


def read_gguf(path: Path, **options: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Read a decoder and its tokenizer from a GGUF file, in float32 unless the options name another type.

    Raises ImportError without the package gguf, ValueError for a file that cannot be read as a model.
    """
    try:
        import_module("gguf")
    except ImportError:
        raise ImportError(f"{path.name} needs the package gguf to be read: pip install gguf") from None
    options = {"dtype": torch.float32, **options}
    try:
        with quiet(), redirect_stderr(io.StringIO()):  # a bar of its own, which no switch turns off
            tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **_whole(), **options)
    except Exception as error:  # of bytes that are no model the reader raises whatever it meets
        if no_room(error):
            raise
        raise ValueError(
            f"{path} cannot be read as a model ({reason(error)}): download it again, or load a folder"
        ) from None
    return model, tokenizer


def _whole() -> dict[str, Any]:
    """Have all weights unpacked: else the model stays quantised, and can neither be saved nor cast."""
    if not hasattr(transformers, "GgufConfig"):  # before transformers 5.19 they always were
        return {}
    return {"quantization_config": transformers.GgufConfig(dequantize=True)}


def save_as_folder(path: Path, folder: Path) -> None:
    """Write what a GGUF file holds as a folder of safetensors and tokenizer files, in float32."""
    model, tokenizer = read_gguf(path)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
