"""How well a model predicts a text, in nats a token or in bits a byte."""

import math

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..models import task_of
from ..text import count_bytes


@torch.no_grad()
def cross_entropy(model: PreTrainedModel, blocks: Int[Tensor, "block token"], *, batch_size: int = 8) -> float:
    """Return the mean loss of the next token in each block, in nats.

    Raises ValueError for blocks with no pair of tokens, and as :func:`check_causal` does.
    """
    check_causal(model)
    if blocks.ndim != 2 or not len(blocks) or blocks.shape[1] < 2:
        raise ValueError(f"blocks of shape {tuple(blocks.shape)} hold no token to predict: give (block, token >= 2)")
    total = 0.0
    for ids in blocks.split(batch_size):
        ids = ids.to(model.device)
        logits = model(ids, use_cache=False).logits[:, :-1].float()
        total += float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum"))
    return total / (len(blocks) * (blocks.shape[1] - 1))


def check_causal(model: PreTrainedModel) -> None:
    """Raise ValueError for a model that does not predict the next token: an encoder, or one without its head."""
    if task_of(model) != "causal" or model.base_model is model:
        raise ValueError(f"a {type(model).__name__} predicts no next token, and has no perplexity: take a causal model")


def bits_per_byte(nats: float, blocks: Int[Tensor, "block token"], tokenizer: PreTrainedTokenizerBase) -> float:
    """Return a loss in bits per byte of text, from its mean in nats a token; ValueError for blocks without text."""
    size = count_bytes(blocks, tokenizer)
    if not size:
        raise ValueError("The blocks hold no text but special tokens: give blocks made with this tokenizer.")
    return nats * blocks.numel() / size / math.log(2)
