"""The states of some tokens, drawn at random, at every layer boundary."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from .reading import check_text, read


def sample_states(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    count: int,
    *,
    drop_first: int = 0,
    seed: int = 0,
    batch_size: int | None = None,
) -> Float[Tensor, "boundary point dim"]:
    """Return the states of ``count`` tokens drawn at random, the same ones at every layer boundary.

    Boundary 0 is what enters the first layer, boundary l what leaves layer l, before the final norm. The tokens are
    drawn by ``seed``, none twice and none of the first ``drop_first`` of a block, and keep the order of the text. The
    result is in the model's number type and in the memory of the CPU; all other states are let go batch by batch.

    Raises ValueError for more tokens than there are, and as :func:`linstudy.linearity_profile` does for the text.
    """
    check_text(model, blocks, drop_first)
    kept = blocks.shape[1] - drop_first
    if not 1 <= count <= len(blocks) * kept:
        raise ValueError(
            f"{count} tokens cannot be drawn from {len(blocks)} blocks of {kept} tokens: "
            f"give a count from 1 to {len(blocks) * kept:,}, or more text"
        )
    places = torch.randperm(len(blocks) * kept, generator=torch.Generator().manual_seed(seed))[:count].sort().values
    sample, start = [], 0
    for _, ids, stream, _ in read(model, blocks, batch_size=batch_size):
        here = places[(places >= start) & (places < start + len(ids) * kept)] - start
        sample.append(torch.stack([s[:, drop_first:].flatten(0, 1)[here.to(s.device)].cpu() for s in stream]))
        start += len(ids) * kept
    return torch.cat(sample, dim=1)
