"""What a model that is no decoder is trained for: masked tokens, or the second half of a block after the first."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from linstudy.train.descent import Number, descend
from linstudy.train.pretrain import next_token_nats, over_blocks
from linstudy.train.recipe import Recipe
from linstudy.train.rows import Row

Ids = Int[Tensor, "block token"]
Half = Int[Tensor, "block half"]
MASKED = 0.15  # of the tokens are guessed; of these 80 % are hidden, 10 % exchanged and 10 % left (BERT, section 3.1)


def pretrain_for(task: str, model: PreTrainedModel, blocks: Ids, recipe: Recipe) -> Iterator[Row]:
    """Train a model in place for a task, and yield the rows of :func:`linstudy.train.descend`, with its loss.

    Raises what ``descend`` raises, and ValueError for a recipe with a penalty, which is for decoders alone, and blocks
    that are too few, too short or of another tokenizer.
    """
    if recipe.penalty is not None:
        raise ValueError("training for a task has no penalty: leave it out of the recipe, or take linstudy.pretrain")

    def loss(ids: Ids) -> tuple[Number, dict[str, Number]]:
        nats = language_nats(model, ids, task)
        return nats, {"training_nats": nats}

    yield from descend(model, over_blocks(model, blocks, recipe, loss, ("training_nats",)), recipe)


def language_nats(model: nn.Module, ids: Ids, task: str) -> Number:
    """Return the mean loss in nats a token, of the tokens that a task guesses: causal, masked or seq2seq.

    What is masked is drawn from torch's generator; the mask is the last token of the vocabulary, which no text holds.
    """
    return {"causal": next_token_nats, "masked": masked_nats, "seq2seq": second_half_nats}[task](model, ids)


def masked_nats(model: nn.Module, ids: Ids) -> Number:
    """Return the loss of 15 % of the tokens, from what stands on both sides of them."""
    mask = model.config.vocab_size - 1
    lot, fate = torch.rand(2, *ids.shape, device=ids.device)
    hidden = torch.where(fate < 0.8, mask, torch.where(fate < 0.9, torch.randint_like(ids, mask), ids))
    guessed = lot < MASKED
    logits = model(input_ids=torch.where(guessed, hidden, ids)).logits
    return F.cross_entropy(logits[guessed], ids[guessed])


def second_half_nats(model: nn.Module, ids: Ids) -> Number:
    """Return the loss of the second half of every block, for a model whose encoder reads the first."""
    first, said, wanted = halves(ids)
    logits = model(input_ids=first, decoder_input_ids=said, use_cache=False).logits
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())


def halves(ids: Ids) -> tuple[Half, Half, Half]:
    """Return what an encoder reads, what its decoder has said so far, and what it is to say, one token further."""
    half = ids.shape[1] // 2
    return ids[:, :half], ids[:, half - 1 : -1], ids[:, half:]
