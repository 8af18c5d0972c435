"""Run a text through a model and add up the moments of its layers."""

from collections.abc import Callable, Iterator, Sequence

import psutil
from jaxtyping import Bool, Int
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from ..models import blocks as model_blocks
from .moments import JointMoments
from .reading import Selection, check_text, read, share_of
from .reading import batches as batches_of
from .resume import Progress
from .scores import need_tokens

Keep = Bool[Tensor, "..."]  # (block, token), or (layer, block, token)
Part = tuple[slice, int]  # some of the blocks, and to which of the moments they go


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
        selection = Selection(part, drop_first, keep, layers, stack)
        filled = dict(measure(model, blocks, batches, selection, layers, Progress(None), bar.update))
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
) -> tuple[list[int], list[Part]]:
    """Check what is to be measured; return the layers and the batches of text."""
    check_text(model, blocks, drop_first)
    depth, dim = len(model_blocks(model, stack=stack)), model.config.get_text_config().hidden_size
    layers = _known_layers(layers, depth)
    cut = len(blocks) - share_of(len(blocks), heldout)
    need_tokens(_fewest(blocks, drop_first, keep, layers, depth, cut), dim)
    parts = enumerate(((0, cut), (cut, len(blocks))))
    return layers, [
        (rows, where)
        for where, (start, stop) in parts
        for rows in batches_of(blocks, batch_size, start=start, stop=stop)
    ]


def measure(
    model: PreTrainedModel,
    blocks: Tensor,
    batches: list[Part],
    selection: Selection,
    layers: list[int],
    saved: Progress,
    advance: Callable[[int], object],
) -> Iterator[tuple[int, list[JointMoments]]]:
    """Run the text through the model once; give every layer's moments: of the fitted and of the held-out blocks."""
    moments, left, keep = saved.moments(layers), batches[saved.batches :], selection.keep
    advance(saved.batches)
    text = read(model, blocks, part=selection.part, stack=selection.stack, rows=[rows for rows, _ in left])
    for batch, (rows, where) in zip(text, left, strict=True):
        for layer in layers:
            kept = None if keep is None else (keep[layer - 1, rows] if keep.ndim == 3 else keep[rows])
            x, y = (rows_of(state, selection.drop_first, kept) for state in batch.pairs[layer - 1])
            if x.device.type == "mps":  # which has no float64
                x, y = x.cpu(), y.cpu()
            filled = moments[layer]
            while len(filled) <= where:
                filled.append(JointMoments.empty(x.shape[1], device=x.device))
            update(filled[where], x, y, layer)
        advance(1)
        saved.after_batch(moments)
    yield from moments.items()


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
