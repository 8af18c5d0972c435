"""Run a text through a model and add up the moments of its layers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import psutil
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from ..models import blocks as model_blocks
from ..models import capture_part
from .moments import JointMoments
from .resume import Progress
from .scores import need_tokens

TOKENS_A_BATCH = 4096

Keep = Bool[Tensor, "..."]  # (block, token), or (layer, block, token)
Batch = tuple[Tensor, Tensor | None, int]  # token ids, which of them are measured, to which of the moments they go


def joint_moments(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    part: str = "block",
    drop_first: int = 0,
    keep: Keep | None = None,
    layers: Sequence[int] | None = None,
    stack: str | None = None,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> dict[int, JointMoments]:
    """Return the moments of the stream before and after each layer, by the layer's number, counted from 1.

    From them come the scores (:func:`linstudy.measure.scores`) and the best affine maps
    (:func:`linstudy.linear_map`). They take 16 bytes times the width squared a layer. The arguments, and the errors,
    are those of :func:`linstudy.linearity_profile`.
    """
    layers, batches = plan(model, blocks, drop_first, keep, layers, stack, 0.0, batch_size)
    with tqdm(total=len(batches), unit="batch", disable=None if progress is None else not progress) as bar:
        filled = dict(measure(model, batches, part, stack, drop_first, layers, Progress(None), bar.update))
    return {layer: moments for layer, (moments,) in filled.items()}


def plan(
    model: PreTrainedModel,
    blocks: Tensor,
    drop_first: int,
    keep: Tensor | None,
    layers: Sequence[int] | None,
    stack: str | None,
    heldout: float,
    batch_size: int | None,
) -> tuple[list[int], list[Batch]]:
    """Check what is to be measured; return the layers and the batches of text."""
    check_text(model, blocks, drop_first)
    depth, dim = len(model_blocks(model, stack=stack)), model.config.get_text_config().hidden_size
    layers = _known_layers(layers, depth)
    cut = len(blocks) - share_of(len(blocks), heldout)
    need_tokens(_fewest(blocks, drop_first, keep, layers, depth, cut), dim)
    batch_size = batch_size or max(1, TOKENS_A_BATCH // blocks.shape[1])
    batches = []
    for where, (start, stop) in enumerate(((0, cut), (cut, len(blocks)))):
        for first in range(start, stop, batch_size):
            rows = slice(first, min(first + batch_size, stop))
            batches.append((blocks[rows], None if keep is None else keep[..., rows, :], where))
    return layers, batches


def measure(
    model: PreTrainedModel,
    batches: list[Batch],
    part: str,
    stack: str | None,
    drop_first: int,
    layers: list[int],
    saved: Progress,
    advance: Callable[[int], object],
) -> Iterator[tuple[int, list[JointMoments]]]:
    """Run the text through the model once; give every layer's moments: of the fitted and of the held-out blocks."""
    moments, left = saved.moments(layers), batches[saved.batches :]
    advance(saved.batches)
    # Hooks are set once: a capture for every batch would leave its states to the garbage collector.
    with torch.no_grad(), capture_part(model, part, stack=stack) if left else nullcontext() as pairs:
        for batch, kept, where in left:
            read(model, batch)
            for layer in layers:
                chosen = kept[layer - 1] if kept is not None and kept.ndim == 3 else kept
                x, y = (rows_of(state, drop_first, chosen) for state in pairs[layer - 1])
                if x.device.type == "mps":  # which has no float64
                    x, y = x.cpu(), y.cpu()
                filled = moments[layer]
                while len(filled) <= where:
                    filled.append(JointMoments.empty(x.shape[1], device=x.device))
                update(filled[where], x, y, layer)
            advance(1)
            saved.after_batch(moments)
    yield from moments.items()


def read(model: PreTrainedModel, ids: Int[Tensor, "block token"]) -> None:
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
            f"give batch_size={max(1, len(ids) // 2)}, shorter blocks, or the next smaller size"
        ) from None


def rows_of(state: Tensor, drop_first: int, keep: Tensor | None) -> Tensor:
    """Return the states of the tokens that are measured, a row a token."""
    state = state[:, drop_first:]
    return state.flatten(0, 1) if keep is None else state[keep[:, drop_first:].to(state.device)]


def update(moments: JointMoments, x: Tensor, y: Tensor, layer: int) -> None:
    """Add tokens to a layer's moments; an error names the layer."""
    try:
        moments.update(x, y)
    except ValueError as error:
        raise ValueError(f"layer {layer}: {error}") from None


def share_of(count: int, share: float) -> int:
    """Return how many of ``count`` a share is: at least one, unless the share is 0."""
    if not 0 <= share < 1:
        raise ValueError(f"heldout={share} is not a share of the text: give a number from 0 up to, not including, 1")
    return max(1, round(share * count)) if share else 0


def passes(layers: list[int], dim: int, *, copies: int, memory: int | None) -> list[list[int]]:
    """Share the layers out over passes whose moments fit the memory."""
    each = copies * 2 * dim * dim * 8
    budget = psutil.virtual_memory().available // 2 if memory is None else memory
    if each > budget:
        raise ValueError(f"the moments of one layer take {each:,} bytes, the budget is {budget:,}: raise `memory`")
    at_once = min(len(layers), int(budget // each))
    shares = [layers[start : start + at_once] for start in range(0, len(layers), at_once)]
    if len(shares) > 1:
        print(
            f"moments of {len(layers)} layers take {len(layers) * each / 2**20:,.0f} MiB, the budget is "
            f"{budget / 2**20:,.0f} MiB: measuring {at_once} layers at a time in {len(shares)} passes over the text"
        )
    return shares


def check_text(model: PreTrainedModel, blocks: Tensor, drop_first: int = 0) -> None:
    """Raise ValueError for blocks that are empty, or no text for this model."""
    if blocks.ndim != 2 or not blocks.numel():
        raise ValueError(f"blocks of shape {tuple(blocks.shape)} hold no text: give token ids of shape (block, token)")
    config, length = model.config.get_text_config(), blocks.shape[1]
    if not 0 <= drop_first < length:
        raise ValueError(f"drop_first={drop_first} leaves nothing of blocks of {length} tokens")
    longest = getattr(config, "max_position_embeddings", None)
    if longest and length > longest:
        raise ValueError(f"blocks of {length} tokens are longer than the {longest} this model can read: shorten them")
    if int(blocks.max()) >= config.vocab_size or int(blocks.min()) < 0:
        raise ValueError(
            f"token id {int(blocks.max())} is outside the model's vocabulary of {config.vocab_size}: "
            "make the blocks with the model's own tokenizer"
        )
    pad, *ends = (getattr(config, f"{name}_token_id", None) for name in ("pad", "eos", "bos"))
    if pad is not None and pad not in ends and (blocks[:, -1] == pad).any():
        raise ValueError(
            f"blocks end in padding (token {pad}), which would be measured as text: "
            "pack full blocks with linstudy.token_blocks"
        )


def _known_layers(layers: Sequence[int] | None, depth: int) -> list[int]:
    layers = list(range(1, depth + 1)) if layers is None else sorted(set(layers))
    if unknown := [layer for layer in layers if not 1 <= layer <= depth]:
        raise IndexError(f"there is no layer {unknown[0]}: the model has layers 1 to {depth}")
    if not layers:
        raise IndexError(f"no layer is left to measure: choose some of 1 to {depth}")
    return layers


def _fewest(blocks: Tensor, drop_first: int, keep: Tensor | None, layers: list[int], depth: int, cut: int) -> int:
    """Count the tokens that the map of a layer is fitted on: of the layer that has the fewest."""
    if keep is None:
        return cut * (blocks.shape[1] - drop_first)
    whole = (depth, *blocks.shape) if keep.ndim == 3 else blocks.shape
    if keep.shape != whole:
        raise ValueError(
            f"keep of shape {tuple(keep.shape)} does not fit: give one truth value a token, {tuple(blocks.shape)}, "
            f"or one a token of every layer, {(depth, *blocks.shape)}"
        )
    counts = keep[..., :cut, drop_first:].flatten(-2).sum(-1)
    return int(counts[[layer - 1 for layer in layers]].min() if keep.ndim == 3 else counts)
