"""The states of a text at every layer boundary: batch by batch, or those of some tokens drawn at random."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ..models import capture
from .passes import TOKENS_A_BATCH, check_text, read


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
    for ids, stream in streams(model, blocks, batch_size=batch_size):
        here = places[(places >= start) & (places < start + len(ids) * kept)] - start
        sample.append(torch.stack([s[:, drop_first:].flatten(0, 1)[here.to(s.device)].cpu() for s in stream]))
        start += len(ids) * kept
    return torch.cat(sample, dim=1)


def streams(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, batch_size: int | None = None
) -> Iterator[tuple[Int[Tensor, "batch token"], list[Float[Tensor, "batch token dim"]]]]:
    """Yield the token ids and the states at all boundaries of one batch, some 4,096 tokens, after another.

    The list of states is emptied before the next batch runs. Hooks are on the model only while it runs, so it is free
    for other use in between. Raises ValueError for states that are not finite, and says where they are.
    """
    for ids in blocks.split(batch_size or max(1, TOKENS_A_BATCH // blocks.shape[1])):
        ids = ids.to(model.device)
        with torch.no_grad(), capture(model) as captured:
            read(model, ids)
            stream = captured.copy()
            captured.clear()  # the hooks refer to each other, and what they hold would stay for the garbage collector
        for boundary, state in enumerate(stream):
            if not torch.isfinite(state).all():
                where = f"leaves layer {boundary}" if boundary else "enters the first layer"
                raise ValueError(f"what {where} holds NaN or infinity: look for an overflow (float16?) in the model")
        yield ids, stream
        stream.clear()
