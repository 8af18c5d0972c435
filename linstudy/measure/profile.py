"""Linearity profiles: all scores of all layers of a model, in one pass over a text."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pandas as pd
import psutil
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from ..models import blocks as model_blocks
from ..models import capture_part
from .moments import JointMoments
from .resume import Progress
from .scores import heldout_scores, need_tokens, scores

TOKENS_A_BATCH = 4096


def linearity_profile(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    drop_first: int = 0,
    heldout: float = 0.0,
    layers: Sequence[int] | None = None,
    memory: int | None = None,
    batch_size: int | None = None,
    resume: str | os.PathLike | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Measure how linear each layer of a model is on a text: one row a layer.

    Args:
        model: a model of a family in ``linstudy.models.FAMILIES``; its mode and weights stay as they are.
        blocks: token ids, every block full (:func:`linstudy.token_blocks`).
        part: ``"block"``, ``"attention"`` or ``"mlp"``: what of a layer is measured.
        drop_first: tokens left out at the start of every block, where massive activations sit.
        heldout: share of the blocks, the last ones, on which the map fitted on the others is scored, in [0, 1).
        layers: which layers, counted from 1; all by default.
        memory: bytes the moments may take, by default half of what is free. More layers than fit are measured
            in several passes over the text, and the plan is printed.
        batch_size: blocks in a forward pass; by default some 4,096 tokens.
        resume: a file in which the moments are saved every minute, and from which a cut measurement goes on to
            the same numbers. It is removed at the end.
        progress: show a bar; by default only in a terminal.

    Returns:
        Columns ``model``, ``revision``, ``layer`` (from 1), ``part``, ``tokens``, then those of
        :func:`linstudy.measure.scores`, and the two held-out scores (NaN without ``heldout``).

    Raises ValueError for a text that is too short, padded, or not made for this model, and for states that are not
    finite (it names the layer); IndexError for a layer that the model does not have.
    """
    depth, dim, length = len(model_blocks(model)), model.config.get_text_config().hidden_size, _length(blocks)
    layers = _known_layers(layers, depth)
    fitted, held = _split(blocks, heldout)
    _check(model, blocks, drop_first, dim, len(fitted))
    batch_size = batch_size or max(1, TOKENS_A_BATCH // length)
    batches = [(batch, where) for where, some in enumerate((fitted, held)) for batch in some.split(batch_size)]
    batches = [(batch, where) for batch, where in batches if len(batch)]  # an empty tensor splits into itself

    passes = _passes(layers, dim, copies=1 + (heldout > 0), memory=memory)
    decides = {"part": part, "drop_first": drop_first, "heldout": heldout, "layers": layers, "batch_size": batch_size}
    saved = Progress.open(resume, model, blocks, decides)
    with tqdm(
        total=len(passes) * len(batches), unit="batch", disable=None if progress is None else not progress
    ) as bar:
        for number, chosen in enumerate(passes):
            if number < saved.passes:
                bar.update(len(batches))
                continue
            for moments in _measure(model, batches, part, drop_first, chosen, saved, bar.update):
                saved.rows.append(_row(*moments))
            saved.next_pass()
    saved.close()
    name = model.config.name_or_path or ""
    origin = {"model": os.path.basename(os.path.normpath(name)) if os.path.isdir(name) else name}
    return _table(saved.rows, part, origin | {"revision": getattr(model.config, "_commit_hash", None)})


def profile_of_states(states: Sequence[Tensor | np.ndarray], *, heldout: float = 0.0) -> pd.DataFrame:
    """Measure states that somebody already has: the same table as :func:`linearity_profile`.

    ``states`` holds one matrix (token, width) a layer boundary, from what enters the first layer to what leaves the
    last (the last of a model's ``hidden_states`` is after the final norm: leave it out, or know that it is not a
    layer's). ``heldout`` is the share of the last tokens kept for scoring.
    """
    states = [torch.as_tensor(state) for state in states]
    if len(states) < 2:
        raise ValueError(f"{len(states)} states make no layer: give at least two, one a layer boundary")
    rows = []
    for layer, (x, y) in enumerate(pairwise(states), start=1):
        if x.ndim != 2 or x.shape != y.shape:
            raise ValueError(
                f"layer {layer}: states of shape {tuple(x.shape)} and {tuple(y.shape)} are not two matrices of the "
                "same shape: give (tokens, width), without padding"
            )
        if layer == 1:
            need_tokens(len(x) - _share_of(len(x), heldout), x.shape[1])
        cut = len(x) - _share_of(len(x), heldout)
        moments = [JointMoments.empty(x.shape[1], device=x.device) for _ in range(1 + (heldout > 0))]
        for one, rows_x, rows_y in zip(moments, (x[:cut], x[cut:]), (y[:cut], y[cut:]), strict=False):
            _update(one, rows_x, rows_y, layer)
        rows.append(_row(layer, moments))
    return _table(rows, "block", {"model": None, "revision": None})


def _measure(
    model: PreTrainedModel,
    batches: list[tuple[Tensor, int]],
    part: str,
    drop_first: int,
    layers: list[int],
    saved: Progress,
    advance: Callable[[int], object],
) -> Iterator[tuple[int, list[JointMoments]]]:
    """Run the text through the model once; give every layer's moments: of the fitted and of the held-out blocks."""
    moments, left = saved.moments(layers), batches[saved.batches :]
    advance(saved.batches)
    # Hooks are set once: a capture for every batch would leave its states to the garbage collector.
    with torch.no_grad(), capture_part(model, part) if left else nullcontext() as pairs:
        for batch, where in left:
            try:
                model.base_model(batch.to(model.device), use_cache=False)  # no score needs the language-model head
            except torch.OutOfMemoryError:
                raise torch.OutOfMemoryError(
                    f"out of GPU memory with {len(batch)} blocks of {batch.shape[1]} tokens in a pass: "
                    f"give batch_size={max(1, len(batch) // 2)}, shorter blocks, or the next smaller size"
                ) from None
            for layer in layers:
                x, y = (state[:, drop_first:].flatten(0, 1) for state in pairs[layer - 1])
                if x.device.type == "mps":  # which has no float64
                    x, y = x.cpu(), y.cpu()
                kept = moments[layer]
                while len(kept) <= where:
                    kept.append(JointMoments.empty(x.shape[1], device=x.device))
                _update(kept[where], x, y, layer)
            advance(1)
            saved.after_batch(moments)
    yield from moments.items()


def _update(moments: JointMoments, x: Tensor, y: Tensor, layer: int) -> None:
    try:
        moments.update(x, y)
    except ValueError as error:
        raise ValueError(f"layer {layer}: {error}") from None


def _row(layer: int, moments: list[JointMoments]) -> dict[str, float | int]:
    fitted, *held = moments
    kept = heldout_scores(fitted, held[0]) if held else {}
    everything = fitted.merge(held[0]) if held else fitted
    return {"layer": layer, "tokens": everything.tokens} | scores(everything) | kept


def _table(rows: list[dict[str, float | int]], part: str, origin: dict[str, str | None]) -> pd.DataFrame:
    table = pd.DataFrame(rows).sort_values("layer", ignore_index=True).assign(part=part, **origin)
    first = ["model", "revision", "layer", "part", "tokens", "linearity_raw", "update_linearity_raw", "linearity"]
    first += ["update_linearity", "linearity_heldout", "update_linearity_heldout"]
    return table.reindex(columns=first + [name for name in table if name not in first])


def _length(blocks: Int[Tensor, "block token"]) -> int:
    if blocks.ndim != 2 or not blocks.numel():
        raise ValueError(f"blocks of shape {tuple(blocks.shape)} hold no text: give token ids of shape (block, token)")
    return blocks.shape[1]


def _known_layers(layers: Sequence[int] | None, depth: int) -> list[int]:
    layers = list(range(1, depth + 1)) if layers is None else sorted(set(layers))
    if unknown := [layer for layer in layers if not 1 <= layer <= depth]:
        raise IndexError(f"there is no layer {unknown[0]}: the model has layers 1 to {depth}")
    if not layers:
        raise IndexError(f"no layer is left to measure: choose some of 1 to {depth}")
    return layers


def _share_of(count: int, share: float) -> int:
    if not 0 <= share < 1:
        raise ValueError(f"heldout={share} is not a share of the text: give a number from 0 up to, not including, 1")
    return max(1, round(share * count)) if share else 0


def _split(blocks: Tensor, heldout: float) -> tuple[Tensor, Tensor]:
    cut = len(blocks) - _share_of(len(blocks), heldout)
    return blocks[:cut], blocks[cut:]


def _check(model: PreTrainedModel, blocks: Tensor, drop_first: int, dim: int, fitted: int) -> None:
    config, length = model.config.get_text_config(), blocks.shape[1]
    if not 0 <= drop_first < length:
        raise ValueError(f"drop_first={drop_first} leaves nothing of blocks of {length} tokens")
    need_tokens(fitted * (length - drop_first), dim)
    longest = getattr(config, "max_position_embeddings", None)
    if longest and length > longest:
        raise ValueError(f"blocks of {length} tokens are longer than the {longest} this model can read: shorten them")
    if int(blocks.max()) >= config.vocab_size or int(blocks.min()) < 0:
        raise ValueError(
            f"token id {int(blocks.max())} is outside the model's vocabulary of {config.vocab_size}: "
            "make the blocks with the model's own tokenizer"
        )
    pad = config.pad_token_id
    if pad is not None and pad not in (config.eos_token_id, config.bos_token_id) and (blocks[:, -1] == pad).any():
        raise ValueError(
            f"blocks end in padding (token {pad}), which would be measured as text: "
            "pack full blocks with linstudy.token_blocks"
        )


def _passes(layers: list[int], dim: int, *, copies: int, memory: int | None) -> list[list[int]]:
    """Share the layers out over passes whose moments fit the memory."""
    each = copies * 2 * dim * dim * 8
    budget = psutil.virtual_memory().available // 2 if memory is None else memory
    if each > budget:
        raise ValueError(f"the moments of one layer take {each:,} bytes, the budget is {budget:,}: raise `memory`")
    at_once = min(len(layers), int(budget // each))
    passes = [layers[start : start + at_once] for start in range(0, len(layers), at_once)]
    if len(passes) > 1:
        print(
            f"moments of {len(layers)} layers take {len(layers) * each / 2**20:,.0f} MiB, the budget is "
            f"{budget / 2**20:,.0f} MiB: measuring {at_once} layers at a time in {len(passes)} passes over the text"
        )
    return passes
