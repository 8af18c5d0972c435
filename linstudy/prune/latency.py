"""How long a pruned model takes, for a prompt and for each token after it, measured in turns with the whole model."""

import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from statistics import median
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from ..models import positions


@torch.no_grad()
def latency(
    model: PreTrainedModel,
    pruned: Callable[[], AbstractContextManager],
    *,
    batch: int = 1,
    prompt: int = 128,
    decode: int = 16,
    repeats: int = 15,
) -> dict[str, float]:
    """Time a pruned model against the whole one, by medians over ``repeats`` turns of whole and pruned.

    ``pruned`` makes the context in which the model is pruned: ``lambda: changed(model, changes)``. The ``prompt``
    tokens of ``batch`` texts are read at once (prefill), then ``decode`` more of each, one by one, with the cache.

    Returns ``prefill_ms``, for the prompt, and ``decode_ms``, for one more token of every text; ``prefill_share`` and
    ``decode_share``, the median over the turns of pruned over whole, which a busy machine moves less.
    """
    prompt = min(prompt, positions(model) - decode)
    draw = torch.Generator().manual_seed(0)  # which tokens does not matter to the time
    ids = torch.randint(model.config.get_text_config().vocab_size, (batch, prompt + decode), generator=draw)
    ids = ids.to(model.device)
    turns = []
    for _ in range(repeats + 1):
        whole = _once(model, ids, prompt)
        with pruned():
            turns.append((whole, _once(model, ids, prompt)))
    names, places = ("prefill", "decode"), (0, 1)
    found = {f"{names[i]}_ms": 1000 * median(less[i] for _, less in turns[1:]) for i in places}
    return found | {f"{names[i]}_share": median(less[i] / whole[i] for whole, less in turns[1:]) for i in places}


def _once(model: PreTrainedModel, ids: Int[Tensor, "text token"], prompt: int) -> tuple[float, float]:
    """Return the seconds that the prompt took, and one token after it on average."""
    started = _now(ids)
    output: Any = model(ids[:, :prompt], use_cache=True)
    filled = _now(ids)
    for place in range(prompt, ids.shape[1]):
        output = read_on(model, ids[:, place : place + 1], output, place)
    return filled - started, (_now(ids) - filled) / (ids.shape[1] - prompt)


def read_on(model: PreTrainedModel, ids: Int[Tensor, "text 1"], output: Any, place: int) -> Any:
    """Return what the model says of the token at a place, behind those that an earlier output remembers."""
    name = "cache_params" if "cache_params" in output else "past_key_values"
    kept = {name: output[name]}
    if _asks_for_places(type(model)):
        kept["cache_position"] = torch.tensor([place], device=ids.device)
    return model(ids, use_cache=True, **kept)


@cache  # asked once a token, while the clock runs
def _asks_for_places(kind: type[PreTrainedModel]) -> bool:
    return "cache_position" in inspect.signature(kind.forward).parameters  # transformers 5.0 does not count for Mamba


def _now(ids: Tensor) -> float:
    if ids.device.type == "cuda":
        torch.cuda.synchronize(ids.device)
    return time.perf_counter()
