"""Documents into blocks of tokens, all of one length and full."""

import os
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .corpora import corpus

# Few tokens of real text are longer. Only a guess of how far to read: a wrong one costs time, never tokens.
CHARACTERS_A_TOKEN = 8
CHARACTERS_AT_ONCE = 4_000_000  # bounds the memory of one call to the tokenizer


def token_blocks(
    source: str | os.PathLike | Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    *,
    tokens: int,
    length: int = 256,
    seed: int = 0,
    framed: bool = True,
) -> Int[Tensor, "block token"]:
    """Read the first `tokens` tokens of a text as full blocks of `length`; what fills no block is left out.

    The tokenizer's end-of-text token goes between documents, if it has one, and no block is padded. Every block is
    read alone, so it is framed as the tokenizer frames a text: behind the beginning-of-text token of Gemma, between
    BERT's [CLS] and [SEP], bare where a tokenizer adds nothing. The frame's tokens are among `length` and `tokens`.

    Args:
        source: a name in `CORPORA`, a path, or documents: see `corpus`.
        tokenizer: any tokenizer of `transformers`.
        tokens: rounded down to a multiple of `length`.
        length: tokens a block.
        seed: see `corpus`.
        framed: without it blocks hold text alone, whatever the tokenizer would add.

    Raises ValueError for `tokens` below `length` and for a text with too few tokens, and whatever `corpus` raises.
    """
    if length < 1 or tokens < length:
        raise ValueError(
            f"tokens={tokens} fill no block of length={length}: ask for at least one block, of at least one token."
        )
    before, after = frame(tokenizer) if framed else ([], [])
    room = length - len(before) - len(after)  # for text, in a block
    if room < 1:
        raise ValueError(f"length={length} has no room for text in this tokenizer's frame: make blocks longer.")
    wanted = tokens // length * room
    pieces, have = [], 0
    for piece in _tokens(corpus(source, seed=seed), tokenizer, wanted):
        pieces.append(piece[: wanted - have])
        have += len(pieces[-1])
        if have == wanted:
            text = torch.cat(pieces).view(-1, room)
            ends = [torch.tensor(ids, dtype=text.dtype).expand(len(text), -1) for ids in (before, after)]
            return torch.cat([ends[0], text, ends[1]], dim=1)
    name = repr(str(source)) if isinstance(source, str | os.PathLike) else "of the given documents"
    enough = have // room * length
    raise ValueError(
        f"The text {name} has {have:,} tokens by this tokenizer and {wanted:,} were asked for: "
        + (f"ask for tokens={enough} or fewer, " if enough else f"ask for length={have} or shorter, ")
        + "or give more text."
    )


def frame(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the tokens that a tokenizer puts before a text, and those that it puts after one."""
    bare, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return whole[:start], whole[start + len(bare) :]
    return [], []


def shuffled(blocks: Int[Tensor, "block token"], *, seed: int = 0) -> Int[Tensor, "block token"]:
    """Return the same tokens in a random order, across all blocks: the control for what is owed to tokens alone."""
    order = torch.randperm(blocks.numel(), generator=torch.Generator().manual_seed(seed))
    return blocks.flatten()[order.to(blocks.device)].view_as(blocks)


def count_bytes(blocks: Int[Tensor, "block token"], tokenizer: PreTrainedTokenizerBase) -> int:
    """Count the UTF-8 bytes of the text in blocks that follow each other, special tokens not counted.

    Makes losses of different tokenizers comparable: a loss of `nats` per token is
    `nats * blocks.numel() / count_bytes(blocks, tokenizer) / log(2)` bits per byte.
    """
    # All at once: a letter whose bytes lie in two blocks would count wrongly in each.
    text = tokenizer.decode(blocks.flatten().tolist(), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return len(text.encode())


def distinct_share(blocks: Int[Tensor, "block token"], *, run: int = 32) -> float:
    """Return which share of the text's runs of `run` tokens (a power of 2) are different ones, in (0, 1].

    About 1 for a text of its own, one over the number of copies for one that repeats itself: a model's states of a
    token it has read before, behind the same tokens, are nearly the same again, and tell a fit nothing new.
    """
    names, step = blocks.cpu(), 1
    while step < min(run, names.shape[1]):  # a run of 2 is a pair of tokens, one of 4 a pair of pairs
        pairs = names[:, :-step] * (names.max() + 1) + names[:, step:]
        names, step = torch.unique(pairs, return_inverse=True)[1], 2 * step
    return len(names.unique()) / names.numel()


def _tokens(
    documents: Iterator[str], tokenizer: PreTrainedTokenizerBase, wanted: int
) -> Iterator[Int[Tensor, " token"]]:
    """Yield the tokens of the documents one by one, each after the first behind the end of text."""
    end: list[int] = []
    while batch := _batch(documents, wanted):
        for ids in _encode(batch, tokenizer, wanted):
            piece = torch.tensor(end + ids, dtype=torch.int64)
            end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
            wanted -= len(piece)
            yield piece


def _batch(documents: Iterator[str], wanted: int) -> list[str]:
    batch, room = [], min(wanted * CHARACTERS_A_TOKEN // 2, CHARACTERS_AT_ONCE)
    while room > 0 and (document := next(documents, None)) is not None:
        batch.append(document)
        room -= len(document)
    return batch


def _encode(batch: list[str], tokenizer: PreTrainedTokenizerBase, wanted: int) -> list[list[int]]:
    # A book of which a page is asked is not encoded whole. The margin keeps the cut away from the tokens that are kept.
    margin = 100
    heads = [document[: (wanted + margin) * CHARACTERS_A_TOKEN] for document in batch]
    for texts in (heads, batch):
        # `verbose` would warn of a document longer than the model's context, as nearly every document is.
        ids = tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
        pieces = zip(texts, batch, ids, strict=True)
        if all(len(text) == len(whole) or len(some) >= wanted + margin for text, whole, some in pieces):
            break  # no head was cut too short
    return ids
