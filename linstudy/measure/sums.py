"""The moments of many selections of tokens from one pass over a text.

Moments are sums. Tokens that are in the same selections are summed together, and the moments of a selection are those
of its tokens' sums, added: nothing is subtracted, for outliers can hold nearly all of the variance. Tokens that are
not in all selections are few, and wait as states until there are many of them, or until it is known what they are.
"""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import PreTrainedModel

from .moments import JointMoments, added
from .reading import Batch, read
from .resume import Progress
from .selection import Plan
from .sieve import Sieve

ROWS = 1024  # tokens that wait in any case: products of a few rows cost as much as those of many


def moments_of(
    model: PreTrainedModel,
    plan: Plan,
    layers: list[int],
    advance: Callable[[int], object],
    saved: Progress | None = None,
    medians: Float[Tensor, " boundary"] | None = None,
    look: Callable[[Batch], object] = lambda batch: None,
) -> Iterator[tuple[int, "Cells"]]:
    """Run the text through the model once; give every layer's moments, for each selection: ``cells.of(selection)``.

    ``look`` is shown every batch, too, for what else is to be known of it.

    Layers in which the median distance moved further than was thought possible on the way, or too many tokens stayed
    open, are measured in a second pass, with the ``medians`` known.
    """
    saved, sieve = saved or Progress(), Sieve(plan, medians)
    cells = {layer: Cells(plan, sieve, layer, found) for layer, found in saved.moments(layers).items()}
    advance(saved.batches)
    first, left = plan.selections[0], plan.batches[saved.batches :]
    for batch in read(model, plan.blocks, part=first.part, stack=first.stack, rows=left):
        sieve.look(batch)
        look(batch)
        for one in cells.values():
            one.add(batch)
        advance(1)
        saved.after_batch({layer: one.found for layer, one in cells.items()})
    guessed_wrong, again = sieve.settle(), []
    for layer in layers:
        one = cells.pop(layer)
        if one.lost or guessed_wrong[layer - 1]:
            again.append(layer)
        else:
            one.sort()
            yield layer, one
    if again:
        yield from moments_of(model, plan, again, lambda count: None, medians=sieve.known)


class Cells:
    """The moments of one layer, apart by the codes of their tokens (:class:`Sieve`), and the states that wait."""

    def __init__(self, plan: Plan, sieve: Sieve, layer: int, found: dict[int, JointMoments]):
        self.plan, self.sieve, self.layer, self.found = plan, sieve, layer, found
        self.all = 2 ** len(plan.selections) - 1
        self.waiting: list[tuple[Tensor, Tensor, Tensor]] = []  # rows of x and of y, and their places in the text
        self.lost = False

    def add(self, batch: Batch) -> None:
        """Add the tokens that are in all selections to their moments, others to the states that wait."""
        if self.lost:
            return
        x, y = batch.pairs[self.layer - 1]
        x, y = x.flatten(0, 1), y.to(x.device).flatten(0, 1)  # a model may lie on several GPUs
        tokens = batch.rows.start * batch.ids.shape[1] + torch.arange(batch.ids.numel())
        code, is_open = self.sieve.codes(self.layer, tokens)
        inside = code & self.all
        common = (inside == self.all) & ~is_open
        self._sum(int(code[0]) | self.all, x, y, common)
        apart = is_open | ((inside > 0) & ~common)
        if apart.any():
            self.waiting.append((_rows(x, apart), _rows(y, apart), tokens[apart]))
        if self._full():
            self.sort()
            if self._full():  # too much is still open
                self.lost, self.found, self.waiting = True, {}, []

    def sort(self) -> None:
        """Add the states that wait to the moments of their code; of tokens that are still open they wait on."""
        if not self.waiting:
            return
        x, y, tokens = (torch.cat(some) for some in zip(*self.waiting, strict=True))
        code, is_open = self.sieve.codes(self.layer, tokens)
        self.waiting = [(_rows(x, is_open), _rows(y, is_open), tokens[is_open])]
        for key in code[~is_open].unique().tolist():
            if key & self.all:
                self._sum(key, x, y, (code == key) & ~is_open)

    def of(self, selection: int) -> list[JointMoments]:
        """Return the moments of a selection: of the fitted text and, where there is one, of the one held out."""
        found = []
        for text in range(self.plan.texts):
            keys = [key for key in self.found if key // (self.all + 1) == text and key >> selection & 1]
            parts = [self.found[key] for key in sorted(keys, reverse=True)] or [JointMoments.empty(self.plan.dim)]
            found.append(added(parts))
            # Products are made in float32 where no feature is nearly a mixture of others. Tokens added with exact
            # products cannot make one so: what is known of every direction keeps its digits.
            found[-1].resolution = torch.stack([one.resolution for one in parts]).min()
        return found

    def _full(self) -> bool:
        """Say whether the states that wait take more memory than moments would."""
        return sum(len(tokens) for _, _, tokens in self.waiting) > ROWS + 2 * self.plan.dim

    def _sum(self, key: int, x: Tensor, y: Tensor, chosen: Tensor) -> None:
        if key not in self.found:
            exact = None if key & self.all == self.all else True
            self.found[key] = JointMoments.empty(self.plan.dim, exact=exact, device=x.device)
        self.found[key].update(_rows(x, chosen), _rows(y, chosen))


def _rows(state: Float[Tensor, "token dim"], chosen: Bool[Tensor, " token"]) -> Float[Tensor, "chosen dim"]:
    return state if chosen.all() else state[chosen.nonzero().flatten().to(state.device)]
