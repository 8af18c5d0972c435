"""Load a model and its tokenizer: shipped with the package, fetched, from a folder or a file, or from the hub."""

import copy
import json
import os
import re
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import torch
import transformers
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto import modeling_auto

from ..fetched import fetched, pocket_folders
from ..hub import fetch_model, quiet
from .about import task_for
from .build import build, check_room, no_room, reason
from .devices import find_device, find_dtype
from .gguf import read_gguf
from .weights import check_weights

_HEADS = {"causal": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM", "seq2seq": "AutoModelForSeq2SeqLM"}
# Folders that are written further up, by the file that tells them, and by whom they are read.
_READERS = {"pruning.json": "linstudy.prune:load_pruned"}
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_TOKENIZERS += ("sentencepiece.bpe.model",)


def load(
    name_or_folder: str | os.PathLike,
    *,
    revision: str | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
    trust_remote_code: bool = False,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model, in ``eval`` mode, and its tokenizer.

    Args:
        name_or_folder: a pocket model, shipped with the package, a model that ``linstudy fetch`` brought, a folder
            written by ``save_pretrained`` or by any command of ``linstudy``, a GGUF file, or a hub id such as
            ``"gpt2"`` or ``"EleutherAI/pythia-160m"``, looked for in this order; of folders, safetensors alone.
        revision: branch, tag or commit on the hub, such as ``"step1000"``.
        device: by default the GPU if there is one, else the CPU. ``"auto"`` spreads a model that does not fit over
            all GPUs and the CPU.
        dtype: by default float32; on GPUs of compute capability 8 and above bfloat16. Older ones, a T4 for one,
            report bfloat16 but emulate it slowly: they get float32, and models too large for that an error that
            says what to do.
        trust_remote_code: run the repository's own Python code. Never by default.

    Raises OSError (FileNotFoundError, PermissionError, ConnectionError) for models that cannot be had, ValueError
    for ones that cannot be understood, MemoryError for ones that do not fit.
    """
    name = os.fspath(name_or_folder)
    spread = device == "auto"
    device = find_device(None if spread else device)
    dtype = find_dtype(dtype, device)
    folder = _local(name)
    if folder is not None and revision is not None:
        raise ValueError(f"revision {revision!r} is for models on the hub, but {name!r} is a folder: leave it out")
    reader = None if folder is None else _reader(folder)
    if reader and spread:
        raise ValueError(f"device='auto' spreads folders of save_pretrained alone, not {name!r}: name a device")
    if folder is None:
        folder = fetch_model(
            name, revision=revision, code=trust_remote_code, instead=f"load {_instead()}", check_whole=check_weights
        )
    try:
        if reader:
            model, tokenizer = reader(folder, dtype=dtype)
            if tokenizer is None:
                raise _no_tokenizer(folder)
        else:
            options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
            head = _head(folder, trust_remote_code)
            weights = check_weights(folder)
            if not spread:  # they come through the machine's memory, also to a GPU
                check_room(weights, dtype)
            how = {"ignore_mismatched_sizes": True, "dtype": dtype, "device_map": "auto" if spread else None}
            model, found = build(folder, head, **how, **options)
            _check_whole(name, model, found)
            tokenizer = _tokenizer(folder, options)
        model = model.eval() if spread else model.eval().to(device)
    except (MemoryError, RuntimeError) as error:
        if not no_room(error):
            raise
        place, other = (device, ", device='cpu'") if isinstance(error, torch.OutOfMemoryError) else ("cpu", "")
        raise MemoryError(
            f"{name!r} does not fit into the memory of {place} as {dtype} ({reason(error)}): give dtype='float16' (or "
            f"'bfloat16' from compute capability 8), device='auto'{other} or a smaller model"
        ) from None
    # The folder in the hub's cache says nothing to a reader of a table.
    model.name_or_path = model.config._name_or_path = name
    return model, tokenizer


def untrained(model: PreTrainedModel, *, seed: int = 0) -> PreTrainedModel:
    """Make the control: same config, device and type, fresh weights drawn from ``seed`` alone, in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(model)(copy.deepcopy(model.config))
    for weight in fresh.parameters():  # and no buffer: the angles of rotary embeddings stay float32
        weight.data = weight.data.to(model.dtype)
    return fresh.to(model.device).eval()


def _local(name: str) -> Path | None:
    """Return the folder meant, or None for a hub id."""
    if found := pocket_folders().get(name) or fetched(name):
        return found
    path = Path(name).expanduser()
    if path.is_dir() or (path.suffix == ".gguf" and path.is_file()):
        return path
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name or path.exists():
        state = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(
            f"{name} {state}: give a folder that model.save_pretrained wrote, a .gguf file, or load {_instead()}"
        )
    return None


def _instead() -> str:
    pockets = ", ".join(map(repr, pocket_folders())) or "none in this copy of the package"
    return f"a pocket model ({pockets}) or a folder (linstudy.load('path/to/folder'))"


def _reader(folder: Path) -> Any:
    """Return who reads a file, or a folder that is none of save_pretrained; None for others."""
    found = (resolve_name(who) for file, who in _READERS.items() if (folder / file).is_file())
    return next(found, read_gguf if folder.suffix == ".gguf" else None)


def _head(folder: Path, trust_remote_code: bool) -> Any:
    """Return the Auto class that loads this folder's model with the head it was trained with."""
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"there is no config.json in {folder}: give the folder that save_pretrained wrote")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind, architecture = config.get("model_type"), (config.get("architectures") or [""])[0]
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise ValueError(f"{path} is not a config ({error}): copy or download it again") from None
    if kind not in transformers.CONFIG_MAPPING and not trust_remote_code:
        raise ValueError(
            f"transformers {transformers.__version__} does not know the model type {kind!r} of {folder}: install a "
            "newer transformers, or from Python give trust_remote_code=True if you trust the model's own code"
        )
    task = task_for(kind, architecture)
    if task == "causal" and kind not in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and not trust_remote_code:
        told = "and no language model: load one that reads and writes text"
        if kind in modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
            told = "which reads images too and is not supported: load its text model"
        raise ValueError(f"{folder} holds a {kind!r} model, {told}")
    if task == "masked" and architecture in modeling_auto.MODEL_MAPPING_NAMES.values():
        return transformers.AutoModel  # an encoder of sentences has no head, and the head of a masked one is not tied
    return getattr(transformers, _HEADS[task])


def _tokenizer(folder: Path, options: dict[str, Any]) -> PreTrainedTokenizerBase:
    # Without its files transformers makes an empty tokenizer that knows one token, and says nothing.
    if not options["trust_remote_code"] and not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _no_tokenizer(folder)
    try:
        with quiet():
            return AutoTokenizer.from_pretrained(folder, **options)
    except Exception as error:
        cause = reason(error)
        raise ValueError(f"the tokenizer in {folder} cannot be read ({cause}): copy or download it again") from None


def _no_tokenizer(folder: Path) -> FileNotFoundError:
    return FileNotFoundError(f"there is no tokenizer in {folder}: save it there with tokenizer.save_pretrained")


def _check_whole(name: str, model: PreTrainedModel, found: dict[str, Any]) -> None:
    wrong = sorted(map(str, [*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])]))
    if wrong:
        raise ValueError(
            f"{len(wrong)} weights of {name!r} are missing or of another shape than its config says (first: "
            f"{wrong[0]}), and would be random: load a checkpoint and a config that belong together"
        )
    numbered = {re.sub(r"\.\d+\.", ".*.", key) for key in model.state_dict()}
    left = sorted(key for key in found["unexpected_keys"] if re.sub(r"\.\d+\.", ".*.", key) in numbered)
    if left:  # others are of heads and buffers that this class does not have
        raise ValueError(
            f"{len(left)} weights of {name!r} are of layers that its config lacks (first: {left[0]}), and would be "
            "left out: load a checkpoint and a config that belong together"
        )
