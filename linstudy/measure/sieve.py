"""Which selections every token is in, as far as is known while the text is still being read."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .reading import Batch
from .selection import Plan

FIRST_TOKENS = 512  # whose median is the centre, so that it does not depend on the batches


class Distances:
    """How far every token lies, at every boundary, from the centre: of every feature the median."""

    def __init__(self, blocks: Int[Tensor, "block token"], boundaries: int):
        self.found: Float[Tensor, "boundary block token"] = torch.zeros(boundaries, *blocks.shape)
        self.centres: list[Float[Tensor, " dim"]] = []

    def add(self, batch: Batch) -> None:
        """Measure the next blocks."""
        if not self.centres:
            self.centres = [state.flatten(0, 1)[:FIRST_TOKENS].float().median(dim=0).values for state in batch.stream]
        for found, state, centre in zip(self.found, batch.stream, self.centres, strict=True):
            found[batch.rows] = (state.float() - centre).norm(dim=-1).cpu()

    def medians(self, blocks: int | None = None) -> Float[Tensor, " boundary"]:
        """Return the median distance at every boundary, of all blocks or the first so many."""
        return self.found[:, :blocks].flatten(1).median(dim=1).values.double()

    def outliers(self, factor: float) -> Bool[Tensor, "boundary block token"]:
        """Say which tokens lie more than ``factor`` times as far from the centre as the median one."""
        return self.found.double() > factor * self.medians()[:, None, None]


class Sieve:
    """Gives every token a code: bit s says whether it is in selection s, the bit above all of them in which text.

    Who is an outlier is known when the whole text was read. Until then it is open for tokens near the threshold, as
    near as the median distance may still move: by 1 / √batches, more than chance moves it.
    """

    def __init__(self, plan: Plan, medians: Float[Tensor, " boundary"] | None = None):
        self.plan, self.known = plan, medians
        self.everything = 2 ** len(plan.selections) - 1
        looks = any(one.outliers for one in plan.selections)
        self.distances = Distances(plan.blocks, plan.depth + 1) if looks else None
        self.low = self.high = medians  # the median distance is taken to end up between these
        self.highest_low, self.lowest_high = torch.tensor(0.0), torch.tensor(torch.inf)

    def look(self, batch: Batch) -> None:
        """Take note of the next blocks."""
        if self.distances:
            self.distances.add(batch)
            if self.known is None:
                margin = 1 + (batch.rows.stop / len(batch.ids)) ** -0.5
                median = self.distances.medians(batch.rows.stop)
                self.low, self.high = median / margin, median * margin
                self.highest_low = torch.maximum(self.highest_low, self.low)
                self.lowest_high = torch.minimum(self.lowest_high, self.high)

    def settle(self) -> Bool[Tensor, " layer"]:
        """Know the medians from now on, and say for which layers something taken for known on the way was not so."""
        if self.distances is None or self.known is not None:
            return torch.zeros(self.plan.depth, dtype=torch.bool)
        self.known = self.low = self.high = self.distances.medians()
        wrong = (self.known < self.highest_low) | (self.known > self.lowest_high)
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
