"""One state a text and layer, for classifiers to read."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..models import blocks, capture, positions


@torch.no_grad()
def pooled_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    layers: Sequence[int] | None = None,
    pool: str = "last",
    batch_size: int = 16,
) -> dict[int, Float[Tensor, "text dim"]]:
    """Return the state of every text at each layer: 0 is what enters the first block, l what leaves layer l.

    `pool` is ``"last"`` (the last token's state) or ``"mean"`` (over the text's tokens). For the arguments and errors
    see :func:`linstudy.evaluate.probe`.
    """
    count = len(blocks(model))
    layers = list(range(count + 1)) if layers is None else list(layers)
    for layer in layers:
        if not 0 <= layer <= count:
            raise IndexError(f"layer {layer} is not there: 0 enters the first block, {count} leaves the last")
    if pool not in ("last", "mean"):
        raise ValueError(f"pool={pool!r} is not known: choose 'last' (token) or 'mean' (of the tokens).")
    found = {layer: torch.zeros(len(texts), model.config.get_text_config().hidden_size) for layer in layers}
    encoded = _encode(model, tokenizer, texts)
    order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
    was_training = model.training
    model.eval()
    try:
        for first in range(0, len(order), batch_size):
            some = order[first : first + batch_size]
            lengths = torch.tensor([len(encoded[i]) for i in some])
            mask = (torch.arange(int(lengths.max())) < lengths[:, None]).to(model.device)
            ids = torch.zeros_like(mask, dtype=torch.int64)
            ids[mask] = torch.tensor([token for i in some for token in encoded[i]], device=model.device)
            with capture(model) as stream:
                model(ids, attention_mask=mask.long(), use_cache=False)
            read = mask if pool == "mean" else mask & (mask.cumsum(1) == mask.sum(1, keepdim=True))
            for layer in layers:
                state = stream[layer].float().masked_fill(~read[..., None], 0)
                found[layer][some] = (state.sum(1) / read.sum(1, keepdim=True)).cpu()
    finally:
        model.train(was_training)
    return found


def _encode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    encoded = tokenizer(list(texts), verbose=False)["input_ids"] if texts else []
    room = positions(model)
    for number, ids in enumerate(encoded, start=1):
        if not 0 < len(ids) <= room:
            raise ValueError(
                f"Text {number}, which begins {texts[number - 1][:40]!r}, has {len(ids)} tokens: give texts of 1 to "
                f"{room} tokens to this model."
            )
    return encoded
