"""The logit lens: what the model would predict if it stopped after a layer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure.reading import TOKENS_A_BATCH, check_text, fitting, known, read
from linstudy.models import blocks as model_blocks
from linstudy.models import final_norm, replaced, task_of, without

from ..models import Given

LOGITS_A_BATCH = 2**27  # half a gibibyte in float32


@dataclass(frozen=True, eq=False)
class Lens:
    """What is read at layer boundaries: 0 is what enters the first layer, l what leaves layer l.

    ``loss`` is that of the true next token, in nats; the last token of a block has none. ``top`` is the most likely
    next token, ``entropy`` how unsure the reading is, in nats, from 0 to log(vocabulary).
    """

    layers: tuple[int, ...]
    loss: Float[Tensor, "boundary block predicted"]
    top: Int[Tensor, "boundary block token"]
    entropy: Float[Tensor, "boundary block token"]


@torch.no_grad()
def logit_lens(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    layers: Sequence[int] | None = None,
    norm: bool = True,
    batch_size: int | None = None,
) -> Lens:
    """Read the stream at layer boundaries as the model reads its last one (nostalgebraist 2020, "logit lens").

    Each state is given to the model itself, with all blocks out of the way, so that the family's own final norm, head,
    scaling and soft-capping apply: a boundary reads what the model would predict if later layers were left out, and
    the last one what it does predict. LLM-Microscope leaves the final norm out, which no model was trained for;
    ``norm=False`` does so too, for comparison (post-norm models have none to leave out).

    Args:
        model: a causal language model; it is left as it was.
        blocks: token ids, every block full and of two tokens at least.
        layers: which boundaries, from 0 to the number of layers; all by default.
        norm: whether the final norm is applied.
        batch_size: blocks in a pass; by default some 4,096 tokens, fewer where the vocabulary is large. Logits are
            held of one boundary at a time.

    Raises ValueError for models that do not predict the next token, and for texts as
    :func:`linstudy.linearity_profile` does; IndexError for a boundary that the model does not have.
    """
    _check_model(model)
    layers = tuple(known(layers, "boundary", 0, len(model_blocks(model))))
    check_text(model, blocks)
    length = blocks.shape[1]
    if length < 2:
        raise ValueError(f"blocks of {length} token hold none to predict: give two tokens a block or more")
    tokens = min(TOKENS_A_BATCH, LOGITS_A_BATCH // model.config.get_text_config().vocab_size)
    loss = torch.empty(len(layers), len(blocks), length - 1)
    entropy, top = torch.empty(len(layers), *blocks.shape), torch.empty(len(layers), *blocks.shape, dtype=torch.long)
    for rows, ids, stream, _ in read(model, blocks, batch_size=batch_size or max(1, tokens // length)):
        with _head(model, norm) as given, fitting(ids):
            for place, boundary in enumerate(layers):
                given.state = stream[boundary]
                for block, logits in enumerate(model(ids, use_cache=False).logits, start=rows.start):
                    log_share = logits.float().log_softmax(-1)  # block by block: it is a copy
                    following = ids[block - rows.start, 1:, None].to(logits.device)
                    loss[place, block] = -log_share[:-1].gather(1, following)[:, 0]
                    top[place, block] = log_share.argmax(-1)
                    entropy[place, block] = torch.special.entr(log_share.exp()).sum(-1)
    return Lens(layers, loss, top, entropy)


@contextmanager
def _head(model: PreTrainedModel, norm: bool) -> Iterator[Given]:
    """Leave of the model what reads its last state; it is whole again on exit, also after an error."""
    given, last = Given(), final_norm(model)
    hook = None if norm or last is None else last.register_forward_hook(lambda module, args, output: args[0])
    try:
        with without(model, range(1, len(model_blocks(model)))), replaced(model, {0: given}):
            yield given
    finally:
        if hook:
            hook.remove()


def _check_model(model: PreTrainedModel) -> None:
    kind, task = model.config.model_type, task_of(model)
    if task != "causal":
        does = {"masked": "fills gaps", "seq2seq": "reads with an encoder what its decoder continues"}[task]
        raise ValueError(f"a {kind!r} model {does}: the logit lens needs a causal one, which predicts the next token")
    if model.get_output_embeddings() is None:
        raise ValueError(
            f"this {type(model).__name__} has no language-model head to read states with: "
            "load the model with linstudy.load or AutoModelForCausalLM"
        )
