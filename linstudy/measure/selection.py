"""What of a text is measured: one selection of tokens or many, checked before the model runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..models import blocks as model_blocks
from ..models import task_of, width_of
from ..models.devices import free_memory
from .reading import batches, check_text, known, share_of
from .scores import need_tokens

Keep = Bool[Tensor, "..."]  # (block, token), or (layer, block, token)


@dataclass(frozen=True, eq=False)
class Selection:
    """Which part of which layers is measured, and on which tokens; the model always reads the whole text.

    ``part`` is block, attention or mlp; ``drop_first`` how many tokens are left out at the start of every block;
    ``keep`` one truth value a token, or one a token of every layer; ``layers`` count from 1, all by default;
    ``stack`` is encoder or decoder for models that have both. ``outliers`` leaves out the tokens that, entering or
    leaving the layer, lie more than so many times as far from the centre as the median token.
    """

    part: str = "block"
    drop_first: int = 0
    keep: Keep | None = None
    layers: Sequence[int] | None = None
    stack: str | None = None
    outliers: float | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Selections of one text that are measured together: what they share, and how the text is cut."""

    blocks: Int[Tensor, "block token"]
    selections: tuple[Selection, ...]
    layers: list[int]
    depth: int
    dim: int
    cut: int  # the blocks before it are fitted, those from it on held out
    batches: list[slice]
    device: torch.device  # where the moments will lie

    @property
    def texts(self) -> int:
        """How many texts have moments of their own: the fitted one, and the one held out."""
        return 1 + (self.cut < len(self.blocks))

    def passes(self, memory: int | None, done: Collection[int] = ()) -> list[list[int]]:
        """Share layers out over passes that fit the memory, and say so; ValueError where not even one layer does."""
        each = self.texts * self._sums() * 2 * self.dim * self.dim * 8
        budget = free_memory(self.device) // 2 if memory is None else memory
        if each > budget:
            told = f"the moments of one layer take {each:,} bytes, the budget is {budget:,}"
            raise ValueError(f"{told}: free some memory or, from Python, raise `memory`")
        layers, at_once = [layer for layer in self.layers if layer not in done], int(budget // each)
        shares = [layers[start : start + at_once] for start in range(0, len(layers), at_once)]
        if len(shares) > 1:
            print(
                f"moments of {len(layers)} layers take {len(layers) * each / 2**20:,.0f} MiB, the budget is "
                f"{budget / 2**20:,.0f} MiB: measuring {at_once} layers at a time in {len(shares)} passes over the text"
            )
        return shares

    def _sums(self) -> int:
        """Bound what a layer takes, in units of its moments: one for each set of selections that a token can be in."""
        names = ("drop_first", "keep", "outliers")
        firsts, keeps, factors = ({getattr(one, name) for one in self.selections} for name in names)
        sets = len(firsts) * len(factors) * 2 ** len(keeps - {None})
        few = keeps == {None} and max(firsts) * len(self.blocks) <= self.dim  # then all but one wait as states
        return 1 if len(self.selections) == 1 else 3 if few else 2 + sets


def planned(
    model: PreTrainedModel, blocks: Tensor, selections: Sequence[Selection], heldout: float, batch_size: int | None
) -> Plan:
    """Check the text, the layers and the number of tokens."""
    first, *others = selections
    if any((one.part, one.stack, one.layers) != (first.part, first.stack, first.layers) for one in others):
        raise ValueError("selections that differ in part, stack or layers are not one pass: measure them in turn")
    depth, dim = len(model_blocks(model, stack=first.stack)), width_of(model, stack=first.stack)
    for one in selections:
        check_text(model, blocks, one.drop_first)
    layers, cut = known(first.layers, "layer", 1, depth), len(blocks) - share_of(len(blocks), heldout)
    for one in selections:
        need_tokens(_fewest(blocks, one, layers, depth, cut), dim)
    if (differ := contexts(blocks[:cut], causal=task_of(model) == "causal")) <= dim + 1:
        raise ValueError(
            f"the text repeats itself: its tokens have {differ} different contexts, which cannot determine an affine "
            f"map of {dim} dimensions, every score would be 1: give a text of more than one word or phrase"
        )
    cuts = batches(blocks, batch_size, stop=cut) + batches(blocks, batch_size, start=cut)
    return Plan(blocks, tuple(selections), layers, depth, dim, cut, cuts, model.device)


def contexts(blocks: Int[Tensor, "block token"], *, causal: bool) -> int:
    """Count the different contexts in which tokens stand: equal ones, up to a token or in all, have equal states."""
    ordered = torch.unique(blocks, dim=0)
    same = (ordered[1:] == ordered[:-1]).cumprod(dim=1) if causal else ordered[:0]
    return ordered.numel() - int(same.sum())


def _fewest(blocks: Tensor, selection: Selection, layers: list[int], depth: int, cut: int) -> int:
    """Count the tokens that the map of a layer is fitted on: of the layer that has the fewest."""
    keep = selection.keep
    if keep is None:
        return cut * (blocks.shape[1] - selection.drop_first)
    if keep.shape != ((depth, *blocks.shape) if keep.ndim == 3 else blocks.shape):
        raise ValueError(
            f"keep of shape {tuple(keep.shape)} does not fit: give one truth value a token, {tuple(blocks.shape)}, "
            f"or one a token of every layer, {(depth, *blocks.shape)}"
        )
    counts = keep[..., :cut, selection.drop_first :].flatten(-2).sum(-1)
    return int(counts[[layer - 1 for layer in layers]].min() if keep.ndim == 3 else counts)
