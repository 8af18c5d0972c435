"""Run a text through a model, batch by batch: the one way that measuring, the lens and pruning read a text."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..models import capture, capture_part, positions

TOKENS_A_BATCH = 4096

State = Float[Tensor, "batch token dim"]


class Batch(NamedTuple):
    """Some blocks of a text, read: the lists are emptied before the next batch runs."""

    rows: slice  # of the text's blocks
    ids: Int[Tensor, "batch token"]  # on the model's device
    stream: list[State]  # L + 1: boundary 0 is what enters the first layer, l what leaves layer l
    pairs: list[tuple[State, State]]  # L: what enters and what leaves the part of each layer


def read(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    stack: str | None = None,
    batch_size: int | None = None,
    rows: Sequence[slice] | None = None,
) -> Iterator[Batch]:
    """Read a text batch by batch, some 4,096 tokens each, or the blocks in ``rows`` one slice after another.

    Hooks are on the model only while it runs, so it is free for other use in between. Raises ValueError for states
    that are not finite, and says where they are.
    """
    for some in batches(blocks, batch_size) if rows is None else rows:
        ids = blocks[some].to(model.device)
        inside = nullcontext([]) if part == "block" else capture_part(model, part, stack=stack)
        with torch.no_grad(), capture(model, stack=stack) as captured, inside as parts:
            run_blocks(model, ids)
            stream, pairs = captured.copy(), parts.copy() or list(pairwise(captured))
            for held in (captured, parts):  # the hooks refer to each other: what they hold would wait for the collector
                held.clear()
        for boundary, state in enumerate(stream):
            if not torch.isfinite(state).all():
                where = f"leaves layer {boundary}" if boundary else "enters the first layer"
                raise ValueError(f"what {where} holds NaN or infinity: look for an overflow (float16?) in the model")
        yield Batch(some, ids, stream, pairs)
        stream.clear()
        pairs.clear()


def batches(
    blocks: Int[Tensor, "block token"], batch_size: int | None, *, start: int = 0, stop: int | None = None
) -> list[slice]:
    """Cut the blocks from ``start`` to ``stop`` into batches; by default of some 4,096 tokens."""
    size = batch_size or max(1, TOKENS_A_BATCH // blocks.shape[1])
    stop = len(blocks) if stop is None else stop
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]


def run_blocks(model: PreTrainedModel, ids: Int[Tensor, "block token"]) -> None:
    """Run a model's blocks on token ids, for what is captured there: no score needs the language-model head.

    A decoder that reads an encoder gets the text that the encoder got.
    """
    ids = ids.to(model.device)
    also = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with fitting(ids):
        model.base_model(ids, use_cache=False, **also)


@contextmanager
def fitting(ids: Int[Tensor, "block token"]) -> Iterator[None]:
    """Say what would fit where the GPU's memory does not hold a pass over these tokens."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise torch.OutOfMemoryError(
            f"out of GPU memory with {len(ids)} blocks of {ids.shape[1]} tokens in a pass: "
            f"give shorter blocks, the next smaller size, or a batch size of {max(1, len(ids) // 2)} (linstudy profile "
            "--batch-size; from Python batch_size)"
        ) from None


def check_text(model: PreTrainedModel, blocks: Tensor, drop_first: int = 0) -> None:
    """Raise ValueError for blocks that are empty, or no text for this model."""
    if blocks.ndim != 2 or not blocks.numel():
        raise ValueError(f"blocks of shape {tuple(blocks.shape)} hold no text: give token ids of shape (block, token)")
    config, length = model.config.get_text_config(), blocks.shape[1]
    if not 0 <= drop_first < length:
        raise ValueError(f"drop_first={drop_first} leaves nothing of blocks of {length} tokens")
    if length > (longest := positions(model)):
        raise ValueError(f"blocks of {length} tokens are longer than the {longest} this model can read: shorten them")
    if int(blocks.max()) >= config.vocab_size or int(blocks.min()) < 0:
        raise ValueError(
            f"token id {int(blocks.max())} is outside the model's vocabulary of {config.vocab_size}: "
            "make the blocks with the model's own tokenizer"
        )
    pad, *ends = (getattr(config, f"{name}_token_id", None) for name in ("pad", "eos", "bos"))
    if pad is not None and pad not in ends and (blocks[:, [0, -1]] == pad).any():
        raise ValueError(
            f"blocks begin or end in padding (token {pad}), which would be measured as text: "
            "pack full blocks with linstudy.token_blocks"
        )


def share_of(count: int, share: float) -> int:
    """Return how many of ``count`` a share is: at least one, unless the share is 0."""
    if not 0 <= share < 1:
        raise ValueError(f"heldout={share} is not a share of the text: give a number from 0 up to, not including, 1")
    return max(1, round(share * count)) if share else 0


def known(numbers: Sequence[int] | None, what: str, least: int, most: int) -> list[int]:
    """Return these numbers of layers or boundaries, all by default, in rising order; IndexError for unknown ones."""
    chosen = list(range(least, most + 1)) if numbers is None else sorted(set(numbers))
    if unknown := [number for number in chosen if not least <= number <= most]:
        many = {"layer": "layers", "boundary": "boundaries"}[what]
        raise IndexError(f"there is no {what} {unknown[0]}: the model has {many} {least} to {most}")
    if not chosen:
        raise IndexError(f"no {what} is left to measure: choose some of {least} to {most}")
    return chosen
