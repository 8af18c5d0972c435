"""Prune a model: what layers cost, and what orders and actions leave."""

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from linstudy.models import blocks as blocks_in
from linstudy.prune import ORDERS, choices, layer_scores, pruned, pruning_table

from ..costs import single_costs
from ..evaluate import probe, zero_shot
from ..table import Keep
from .source import LENGTH, Source, blocks_of, task_examples, text_of

SHARDS = 3  # stretches of the text: each layer's cost is measured on every one
SHARD_BLOCKS = 32  # of a shard, on which costs are measured; others before them are fitted
EVALUATED = {True: 32, False: 16}  # blocks on which perplexity is measured, of the text that was fitted and of others
STRETCH = 3  # blocks are drawn from so many times as many, for a text may change on its way
BUDGETS = (1, 2, 3, 4, 6, 8, 12, 16)  # layers that go, up to four in five
ASKED, ASKED_ACTIONS = "greedy_replaced", ("remove", "affine", "sequential")  # these are asked what they know
EXAMPLES = 100  # of a task, from stories that no model was trained on
KNOWN = ["accuracy", "accuracy_error", "probe_accuracy", "probe_error", "probe_constant"]
CHOICE = ("order", "action", "layers", "seed")  # one pruned model


def layer_costs(keep: Keep, source: Source, *, tokens: int, dtype: str) -> None:
    """Measure what each layer costs, removed and replaced by itself, beside its scores, on every shard of the text."""
    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, SHARDS * (tokens // LENGTH + SHARD_BLOCKS), framed=source.framed)

    def costs(some: Any) -> pd.DataFrame:
        fitted, evaluated = some[:-SHARD_BLOCKS], some[-SHARD_BLOCKS:]
        table = single_costs(model, fitted, evaluated, actions=("remove", "affine", "merge"))
        return table.merge(layer_scores(model, fitted), on="layer").assign(dtype=dtype, **text_of(some))

    for shard, some in enumerate(blocks.chunk(SHARDS)):
        keep(partial(costs, some), shard=shard)


def pruning(
    keep: Keep,
    source: Source,
    texts: Mapping[str, str | Path],
    *,
    tokens: int,
    dtype: str,
) -> None:
    """Prune a model by all orders, actions and budgets; measure perplexity on ``texts`` by name, and what it knows.

    Of the text that was fitted other blocks are measured. Some of the models are asked to choose the told story of a
    spoilt one, and a probe reads their last state on questions about a story; what they know stands also where others
    are the same.
    """
    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + EVALUATED[True], framed=source.framed)
    blocks, own = blocks[: tokens // LENGTH], blocks[tokens // LENGTH :]
    evaluated = {source.corpus: own} if source.corpus in texts else {}
    others = {name: text for name, text in texts.items() if name != source.corpus}
    for name, text in others.items():
        evaluated[name] = drawn(text, tokenizer, EVALUATED[False], framed=source.framed)

    answers = keep.there.dropna(subset="accuracy").groupby(["action", "which"])[KNOWN]
    answers = {what: dict(rows.iloc[0]) for what, rows in answers}
    done = set(keep.there[list(CHOICE)].itertuples(index=False, name=None))
    whole = choices(
        orders=(ASKED, *(order for order in ORDERS if order != ASKED)),  # first the one that is asked
        budgets=[budget for budget in BUDGETS if budget <= 0.8 * len(blocks_in(model))],
    )
    left = [choice for choice in whole if choice not in done]
    for choice, rows in groupby(pruning_table(model, blocks, evaluated, left), itemgetter(*CHOICE)):
        found = pd.DataFrame(rows)
        order, action, which = found.loc[0, ["order", "action", "which"]]
        if order in ("whole", ASKED) and action in ("whole", *ASKED_ACTIONS) and (action, which) not in answers:
            answers[action, which] = known(model, tokenizer, blocks, action, which)
        found = found.assign(**answers.get((action, which), {}))
        found = found.assign(dtype=dtype, task="preference", **text_of(blocks))
        keep(lambda found=found: found, **dict(zip(CHOICE, choice, strict=True)))


def known(model: Any, tokenizer: Any, blocks: Any, action: str, which: str) -> dict[str, float]:
    """Return what a pruned model knows: how often it chooses right, and a probe's accuracy, with standard errors."""
    layers = [int(layer) for layer in which.split()]
    with pruned(model, layers, action, blocks=blocks) if layers else nullcontext():
        pairs = task_examples("preference", EXAMPLES, model, tokenizer, split="train")
        right = zero_shot(model, tokenizer, [(one.context, one.choices, one.label) for one in pairs]).iloc[0]
        questions = task_examples("question", EXAMPLES, model, tokenizer, split="train")
        asked = [(one.text, one.label) for one in questions]
        table = probe(model, asked, tokenizer, layers=[len(blocks_in(model))])
    read = table.groupby("predictor")[["accuracy", "standard_error"]].mean()
    known = {"accuracy": right["accuracy"], "accuracy_error": right["standard_error"]}
    known |= {"probe_accuracy": read["accuracy"]["probe"], "probe_error": read["standard_error"]["probe"]}
    return known | {"probe_constant": read["accuracy"]["constant"]}


def drawn(text: str | Path, tokenizer: Any, count: int, *, framed: bool = True) -> Any:
    """Return so many blocks of a text, drawn from a longer stretch of it, always the same ones."""
    blocks = blocks_of(text, tokenizer, STRETCH * count, framed=framed)
    return blocks[torch.randperm(len(blocks), generator=torch.Generator().manual_seed(0))[:count]]
