"""Which selections every token is in, as far as is known while the text is still being read."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .reading import Batch
from .selection import Plan

FIRST_TOKENS = 512  # whose median is the centre, so that it does not depend on the batches


class Distances:
    """How far every token lies, at every boundary, from the centre: of every feature the median."""

    def __init__(self, blocks: Int[Tensor, "block token"]):
        self.blocks = blocks
        self.centres: list[Float[Tensor, " dim"]] = []

    def add(self, batch: Batch) -> None:
        """Measure the next blocks."""
        if not self.centres:
            self.centres = [state.flatten(0, 1)[:FIRST_TOKENS].float().median(dim=0).values for state in batch.stream]
            self.found: Float[Tensor, "boundary block token"] = torch.zeros(len(self.centres), *self.blocks.shape)
        for found, state, centre in zip(self.found, batch.stream, self.centres, strict=True):
            found[batch.rows] = (state.float() - centre).norm(dim=-1).cpu()

    def medians(self, blocks: int | None = None) -> Float[Tensor, " boundary"]:
        """Return the median distance at every boundary, of all blocks or the first so many."""
        return self.found[:, :blocks].flatten(1).median(dim=1).values.double()


class Sieve:
    """Gives every token a code: bit s says whether it is in selection s, the bit above all of them in which text.

    Who is an outlier is known when the whole text was read. Until then it is open for tokens near the threshold, as
    near as the median distance may still move: by 1 / √batches, more than chance moves it.
    """

    def __init__(self, plan: Plan, medians: Float[Tensor, " boundary"] | None = None):
        self.plan, self.known = plan, medians
        self.low = self.high = medians  # the median distance is taken to end up between these
        self.distances = Distances(plan.blocks) if any(one.outliers for one in plan.selections) else None
        self.bounds: list[tuple[Tensor, Tensor]] = []

    def look(self, batch: Batch) -> None:
        """Take note of the next blocks."""
        if self.distances:
            self.distances.add(batch)
        if self.distances and self.known is None:
            median, margin = self.distances.medians(batch.rows.stop), 1 + (len(self.bounds) + 1) ** -0.5
            self.low, self.high = median / margin, median * margin
            self.bounds.append((self.low, self.high))

    def settle(self) -> Bool[Tensor, " layer"]:
        """Know the medians from now on, and say for which layers something taken for known on the way was not so."""
        wrong = torch.zeros(self.plan.depth + 1, dtype=torch.bool)
        if self.bounds:
            self.known = self.low = self.high = self.distances.medians()
        for low, high in self.bounds:
            wrong |= (self.known < low) | (self.known > high)
        return wrong[:-1] | wrong[1:]

    def codes(self, layer: int, tokens: Int[Tensor, " token"]) -> tuple[Int[Tensor, " token"], Bool[Tensor, " token"]]:
        """Return the codes of tokens, given by their places in the text, and for which of them something is open."""
        length = self.plan.blocks.shape[1]
        block, position = tokens // length, tokens % length
        code = (block >= self.plan.cut).long() << len(self.plan.selections)
        is_open = torch.zeros_like(tokens, dtype=torch.bool)
        for bit, one in enumerate(self.plan.selections):
            inside = position >= one.drop_first
            if one.keep is not None:
                inside &= (one.keep[layer - 1] if one.keep.ndim == 3 else one.keep).flatten().cpu()[tokens]
            if one.outliers:
                here = slice(layer - 1, layer + 1)  # where the tokens enter and where they leave the layer
                away = self.distances.found[here].flatten(1)[:, tokens].double()
                far = (away > one.outliers * self.high[here, None]).any(0)
                is_open |= inside & ~far & (away > one.outliers * self.low[here, None]).any(0)
                inside &= ~far
            code |= inside.long() << bit
        return code, is_open
