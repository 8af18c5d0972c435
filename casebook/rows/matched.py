"""Train models alike in all but their architecture: is the score the decoder's? Each stack stands beside its twins."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import profile_of_states
from linstudy.models import blocks, capture, stacks_of, untrained
from linstudy.models.parts import leaving
from linstudy.train import PRESETS, Scaling, draw, fold

from ..models import ARCHITECTURES, matched_model
from ..models.twins import twin
from ..reach import beside
from ..table import Keep
from ..train import halves, language_nats, pretrain_for
from .profiles import HELDOUT
from .source import text_of

Ids = Int[Tensor, "block token"]
Other = Int[Tensor, "other length"]  # blocks that were not trained on
States = list[Float[Tensor, "state dim"]]  # L + 1: what enters the first layer, and what leaves every layer

STEPS, BLOCKS = 256, 1024  # steps of 4 blocks each: the text is read once
MEASURED = 128  # blocks that are not trained on
SEEDS = (1, 2, 3)
WARMUP = 0.25  # of the steps
AT_ONCE = 16  # blocks of a pass
INNER = ("attention", "cross-attention", "mlp")  # of a layer that reads an encoder


def matched(keep: Keep, *, architecture: str, corpus: str) -> None:
    """Train one architecture with three seeds, and measure it beside its twins."""

    def made(seed: int) -> pd.DataFrame:
        tokenizer, measured, blocks = text_for(corpus)
        options = {"vocabulary": len(tokenizer), "steps": STEPS, "heldout": HELDOUT}
        rows = grown(architecture, blocks, measured, seed=seed, **options)
        return rows.assign(heldout=HELDOUT, **text_of(measured))

    for seed in SEEDS:
        keep(partial(made, seed), seed=seed)


@lru_cache(maxsize=1)
def text_for(corpus: str) -> tuple[Any, Ids, Ids]:
    """Return a tokenizer of a text beside the checkout, blocks to measure on, and others to train on."""
    return draw(beside(corpus), PRESETS["nano"], blocks=BLOCKS, heldout=MEASURED)


def grown(
    name: str, blocks: Ids, measured: Other, *, vocabulary: int, seed: int, steps: int, heldout: float
) -> pd.DataFrame:
    """Train one model of ``ARCHITECTURES`` and return the rows of its layers, as trained and of two twins.

    ``random`` are the very weights that training began with, ``permuted`` the trained entries of every matrix in a
    random order. One token more than the text has is the mask; the models that need none have it as well.
    """
    chosen = ARCHITECTURES[name]
    scaling = Scaling("norms") if "scaled" in chosen.norm else None
    model = matched_model(name, vocab_size=vocabulary + 1, seed=seed)
    recipe = PRESETS["nano"].recipe(
        steps=steps, peak_rate=chosen.rate, warmup=round(WARMUP * steps), scaling=scaling, seed=seed, log_every=steps
    )
    for _ in pretrain_for(chosen.task, model, blocks, recipe):
        pass
    first = untrained(model, seed=seed)
    fold(first, scaling)
    models = {"trained": model, "random": first, "permuted": twin(model, "permuted", seed=seed)}
    rows = pd.concat(
        measured_on(one, measured, chosen.task, heldout).assign(
            weights=weights, nats=mean_nats(one, measured, chosen.task)
        )
        for weights, one in models.items()
    )
    return rows.assign(
        kind=chosen.kind,
        norm=chosen.norm,
        task=chosen.task,
        rate=chosen.rate,
        training_tokens=steps * recipe.batch * blocks.shape[1],
        parameters=sum(weight.numel() for weight in model.parameters()),
        unigram_nats=unigram_nats(blocks, measured, vocabulary),
        uniform_nats=math.log(vocabulary),
    )


def measured_on(model: PreTrainedModel, ids: Ids, task: str, heldout: float) -> pd.DataFrame:
    """Return the scores of every layer of every stack, and of the parts of layers that read an encoder.

    Models are measured at what they were trained for: an encoder-decoder's encoder reads the first half of every
    block and its decoder says the second, so that each of its stacks sees half of the tokens. The others read as many
    tokens, in half of the blocks.
    """
    ids = ids if task == "seq2seq" else ids[: len(ids) // 2]
    tables = []
    for stack in stacks_of(model) or (None,):
        states = read(model, ids, task, stack)
        tables.append(profile_of_states(states, heldout=heldout).assign(stack=stack))
        if stack == "decoder":
            inner = profile_of_states(read(model, ids, task, stack, inner=True), heldout=heldout)
            places = inner.layer - 1
            parts = [INNER[place % len(INNER)] for place in places]
            tables.append(inner.assign(stack=stack, layer=places // len(INNER) + 1, part=parts))
    return pd.concat(tables, ignore_index=True).drop(columns=["model", "revision"])


@torch.no_grad()
def read(model: PreTrainedModel, ids: Ids, task: str, stack: str | None, *, inner: bool = False) -> States:
    """Return the states of a stack between its layers, or with ``inner`` between the parts of its layers, too."""
    batches = [_states(model, some, task, stack, inner) for some in ids.split(AT_ONCE)]
    return [torch.cat(states) for states in zip(*batches, strict=True)]


def _states(model: PreTrainedModel, ids: Ids, task: str, stack: str | None, inner: bool) -> States:
    given = {"input_ids": ids}
    if task == "seq2seq":
        given = dict(zip(("input_ids", "decoder_input_ids"), halves(ids)[:2], strict=True))
    after: list[Tensor] = []
    with ExitStack() as hooks, capture(model, stack=stack) as stream:
        for part in _parts(model, stack) if inner else ():
            hooks.callback(part.register_forward_hook(lambda one, args, output: after.append(leaving(output))).remove)
        model.base_model(**given, use_cache=False)
        return [state.flatten(0, 1) for state in ([stream[0], *after] if inner else stream)]


def _parts(model: PreTrainedModel, stack: str | None) -> Iterator[torch.nn.Module]:
    """Yield the parts of T5's layers: each adds what it makes to the stream, and returns the stream, or it first."""
    for block in blocks(model, stack=stack):
        yield from block.layer


@torch.no_grad()
def mean_nats(model: PreTrainedModel, ids: Ids, task: str) -> float:
    """Return the loss on text that was not trained on; which tokens are masked is the same for every model."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        losses = [language_nats(model, some, task).item() * len(some) for some in ids.split(AT_ONCE)]
    return sum(losses) / len(ids)


def unigram_nats(blocks: Ids, measured: Other, vocabulary: int) -> float:
    """Return what guessing every token by its frequency in the training text loses: what reading nothing can do."""
    counts = torch.bincount(blocks.flatten(), minlength=vocabulary).double() + 1
    return float(-(counts / counts.sum()).log()[measured.flatten()].mean())
