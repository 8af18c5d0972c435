"""Pretraining: token blocks in, a trained model in place, one row of numbers every few steps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from ..models import capture, final_norm
from .descent import Number, Objective, Rows, descend, precision
from .penalties import neighbour_penalty
from .processes import mean_over_processes, processes
from .recipe import Recipe
from .rows import Row

Ids = Int[Tensor, "block token"]


def pretrain(
    model: PreTrainedModel,
    blocks: Ids,
    recipe: Recipe,
    *,
    folder: str | Path | None = None,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a model in place and yield one row every ``recipe.log_every`` steps and after the last.

    Columns: ``training_nats`` and ``penalty`` (weighted, 0 without one; the loss is the sum of the two),
    ``validation_nats`` (all three in nats per token), and those of every descent: ``step``, ``tokens``, ``rate``,
    ``gradient_norm``, ``tokens_per_second``. For these, ``folder``, snapshots, several processes and what is raised,
    see :func:`linstudy.train.descend`; ValueError too for blocks that are too few, too short or of another tokenizer.
    """

    def loss(ids: Ids) -> tuple[Number, dict[str, Number]]:
        return penalised(model, ids, recipe)

    objective = over_blocks(model, blocks, recipe, loss, ("training_nats", "penalty", "validation_nats"))
    if validation is not None:
        objective = replace(objective, validate=lambda: {"validation_nats": mean_nats(model, validation, recipe)})
    fingerprint = sha256(np.ascontiguousarray(blocks.cpu().numpy())).hexdigest()[:16]
    yield from descend(model, replace(objective, settings={"blocks": fingerprint}), recipe, folder=folder)


def over_blocks(
    model: PreTrainedModel, blocks: Ids, recipe: Recipe, loss: Callable[[Ids], Any], columns: tuple[str, ...]
) -> Objective:
    """Return the objective of a loss of token ids; refuse blocks that would fail only after minutes."""
    if len(blocks) < recipe.batch or blocks.shape[1] < 2:
        raise ValueError(
            f"a step takes {recipe.batch} blocks of at least 2 tokens, but there are {len(blocks)} of "
            f"{blocks.shape[1]}; draw more tokens or make the batch smaller"
        )
    vocabulary = model.get_input_embeddings().num_embeddings
    if int(blocks.max()) >= vocabulary:
        raise ValueError(
            f"the blocks hold token {int(blocks.max())}, but the model knows only {vocabulary} tokens; "
            "use the tokenizer that belongs to the model"
        )

    def of_rows(rows: Rows) -> tuple[Number, dict[str, Number]]:
        return loss(blocks[rows].to(model.device).long())

    return Objective(loss=of_rows, count=len(blocks), unit=("tokens", blocks.shape[1]), columns=columns)


def penalised(model: PreTrainedModel, ids: Ids, recipe: Recipe) -> tuple[Number, dict[str, Number]]:
    """Return the loss of the next token with the weighted penalty, and the two apart."""
    with precision(model.device):
        if recipe.penalty is None:
            nats = next_token_nats(model, ids)
            return nats, {"training_nats": nats, "penalty": torch.zeros_like(nats)}
        with capture(model) as stream:
            nats = next_token_nats(model, ids)
        penalty = neighbour_penalty(stream, recipe.penalty, final_norm=final_norm(model))
        stream.clear()  # or the states would wait, with their graph, for the garbage collector
    if recipe.penalty.tokens == "sum":
        # Losses are averaged over the parts of a step; a sum over all its tokens is the mean of so many times theirs.
        penalty = penalty * (recipe.batch / len(ids))
    return nats + penalty, {"training_nats": nats, "penalty": penalty}


def next_token_nats(model: nn.Module, ids: Ids) -> Number:
    """Return the mean cross-entropy of every token given those before it, in nats: the loss of a training step."""
    logits = model(input_ids=ids, use_cache=False).logits
    # The targets are moved, not the logits: a slice of the logits would have to be copied, the largest tensor here.
    targets = F.pad(ids[:, 1:], (0, 1), value=-100)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def mean_nats(model: PreTrainedModel, blocks: Ids, recipe: Recipe) -> float:
    """Measure the loss on blocks, shared out over the processes, in nats per token."""
    state = processes()
    total = 0.0
    batches = blocks.split(recipe.batch // (recipe.accumulation * state.num_processes))
    for part in batches[state.process_index :: state.num_processes]:
        with precision(model.device):
            total += next_token_nats(model, part.to(model.device).long()).item() * len(part)
    if state.num_processes > 1:
        mine = torch.tensor(total, dtype=torch.float64, device=model.device)
        total = mean_over_processes(mine).item() * state.num_processes
    return total / len(blocks)
