"""What a changed model loses, block by block of a text; layers before the first change are not run again."""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..models import replaced
from ..prune import Change, changed
from ..prune.fitting import Exits

AT_ONCE = 4  # blocks whose logits are in memory


@torch.no_grad()
def block_losses(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], changes: Sequence[Change] = (), *, exits: Exits
) -> Float[Tensor, " block"]:
    """Return the mean loss of each block, in nats a token, of a model with these changes made.

    ``exits`` are the states that leave the layers of the whole model on these blocks
    (:func:`linstudy.prune.fitting.exits`): they stand in for all layers before the first that is changed.
    """
    first = min((one.first for one in changes), default=1)
    given = Given()
    before = {index: nn.Identity() for index in range(first - 2)} | ({first - 2: given} if first > 1 else {})
    found = []
    with changed(model, changes, keep_places=True), replaced(model, before) if before else nullcontext():
        for start in range(0, len(blocks), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            given.state = exits[first - 1][rows] if first > 1 else None
            ids = blocks[rows].to(model.device)
            logits, wanted = model(ids, use_cache=False).logits[:, :-1].float(), ids[:, 1:]
            nats = nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
            found.append(nats.double().mean(1))
    return torch.cat(found)


class Given(nn.Module):
    """Stands for a layer: gives what is known to leave it, whatever enters."""

    def forward(self, hidden_states: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """Return the state."""
        return self.state
