"""Losses that can be compared between tokenizers."""

import math

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..text import count_bytes


def bits_per_byte(nats: float, blocks: Int[Tensor, "block token"], tokenizer: PreTrainedTokenizerBase) -> float:
    """Return a loss in bits per byte of text, from the mean loss of its tokens in nats (:func:`cross_entropy`).

    Tokens of another tokenizer are longer or shorter, bytes are the same. Raises ValueError for blocks without text.
    """
    size = count_bytes(blocks, tokenizer)
    if not size:
        raise ValueError("The blocks hold no text but special tokens: give blocks made with this tokenizer.")
    return nats * blocks.numel() / size / math.log(2)
