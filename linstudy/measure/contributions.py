"""How much of each token's final stream the embedding and every layer have added."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from .reading import check_text, read


@torch.no_grad()
def layer_contributions(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, batch_size: int | None = None
) -> Float[Tensor, "part block token"]:
    """Return the share of each token's final stream that every part has added: `<d_l, h_L> / |h_L|²`.

    Part 0 is the embedding, d_0 = h_0, part l the update of layer l, d_l = h_l - h_{l-1}, and h_L what leaves the last
    layer, before the final norm. The shares of a token sum to 1; one is below 0 where a layer takes away what others
    have added. Where a norm follows the addition (post-norm models), the update is what the layer changed in all,
    rescaling included.

    Raises ValueError as :func:`linstudy.linearity_profile` does for the text and the states.
    """
    check_text(model, blocks)
    shares = []
    for batch in read(model, blocks, batch_size=batch_size):
        last = batch.stream[-1].cpu().double()
        along = torch.stack([(state.cpu().double() * last).sum(-1) for state in batch.stream])
        shares.append((along / along[-1]).diff(dim=0, prepend=torch.zeros_like(along[:1])))
    return torch.cat(shares, dim=1)
