"""Prune a model for the tables of long runs: what layers cost, what orders and actions leave, what healing brings."""

import copy
import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from .rows import LENGTH, Source, _text

SHARDS = 3  # stretches of the text: each layer's cost is measured on every one
SHARD_BLOCKS = 32  # of a shard, on which costs are measured; others before them are fitted
EVALUATED = {True: 64, False: 32}  # blocks on which perplexity is measured, of the text that was fitted and of others
BUDGETS = (1, 2, 3, 4, 6, 8, 12, 16)  # layers that go, up to four in five
PROBED = ("linearity", "greedy", "greedy_replaced")  # orders whose choices are also asked what they know
QUESTIONS = 400
LESS = 1 / 3  # share of the layers that a healed model has lost
HEALED = {"steps": 150, "batch": 8, "warmup": 15, "log_every": 50, "validate_every": 150}
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: what was done with its layers, the options of ``heal``, from random maps or not."""

    action: str
    options: Mapping[str, Any] = field(default_factory=dict)
    random: bool = False


_FINE_TUNING = {"trained": "all", "states": 0.0, "nats": 1.0}
RECIPES: dict[tuple[str, str], Recipe] = {  # by what the table calls their action and healing
    ("affine", "stand-ins"): Recipe("affine"),  # the paper's
    ("affine", "stand-ins, random start"): Recipe("affine", random=True),
    ("affine", "stand-ins, with loss"): Recipe("affine", {"nats": 1.0}),
    ("affine", "all"): Recipe("affine", {"trained": "all"}),
    ("affine", "all, with loss"): Recipe("affine", {"trained": "all", "nats": 1.0}),
    ("affine", "fine-tuning"): Recipe("affine", _FINE_TUNING),
    ("sequential", "stand-ins"): Recipe("sequential"),
    ("remove", "all"): Recipe("remove", {"trained": "all"}),  # the fourth line of the paper's Figure 7
    ("remove", "all, with loss"): Recipe("remove", {"trained": "all", "nats": 1.0}),
    ("remove", "fine-tuning"): Recipe("remove", _FINE_TUNING),
    ("whole", "fine-tuning"): Recipe("whole", _FINE_TUNING),  # the control: nothing is pruned
}


def cost_rows(source: Source, *, tokens: int, dtype: str) -> pd.DataFrame:
    """Return rows for layer_costs.csv: each layer removed and replaced by itself, and its scores, on every shard."""
    from ..prune import layer_scores, single_costs

    model, blocks = _load(source, SHARDS * (tokens // LENGTH + SHARD_BLOCKS), dtype)[0::2]
    tables = []
    for shard, some in enumerate(blocks.chunk(SHARDS)):
        fitted, evaluated = some[:-SHARD_BLOCKS], some[-SHARD_BLOCKS:]
        costs = single_costs(model, fitted, evaluated, actions=("remove", "affine", "merge"))
        both = costs.merge(layer_scores(model, fitted), on="layer")
        tables.append(both.assign(**_key(source, tokens), shard=shard, **_text(some, dtype)))
    return pd.concat(tables, ignore_index=True)


def pruning_rows(
    source: Source, texts: Mapping[str, str | Path], *, tokens: int, dtype: str, task: str
) -> pd.DataFrame:
    """Return rows for pruning.csv: all orders, actions and budgets, on ``texts`` by name, and accuracy on a task.

    Of the text that was fitted, what follows is evaluated. The ``task`` is "question", for a probe of the last state,
    or the name of one of lm-evaluation-harness.
    """
    from ..models import blocks as blocks_of
    from ..prune import pruning_table

    model, tokenizer, blocks = _load(source, tokens // LENGTH, dtype)
    budgets = [budget for budget in BUDGETS if budget <= 0.8 * len(blocks_of(model))]
    table = pd.DataFrame(pruning_table(model, blocks, _evaluated(source, texts, tokens, tokenizer), budgets=budgets))
    probed = table[table["order"].isin(("whole", *PROBED))][["action", "which"]].drop_duplicates()
    known = [
        {"action": action, "which": which} | _accuracy(model, tokenizer, task, action, which, blocks)
        for action, which in probed.itertuples(index=False)
    ]
    table = table.merge(pd.DataFrame(known), on=["action", "which"], how="left").assign(task=task)
    return table.assign(**_key(source, tokens), healing="none", **_text(blocks, dtype))


def healing_rows(source: Source, texts: Mapping[str, str | Path], *, tokens: int, dtype: str) -> pd.DataFrame:
    """Return rows for pruning.csv: a third of the layers gone, trained by every recipe, each with three seeds.

    The layers are those that a greedy search would replace. Without training they are in the table already.
    """
    from ..evaluate import cross_entropy
    from ..models import blocks as blocks_of
    from ..prune import ORDERS, count_parameters, heal, prune, randomise_
    from ..prune.healing import HEALING

    model, tokenizer, blocks = _load(source, tokens // LENGTH, dtype)
    evaluated = _evaluated(source, texts, tokens, tokenizer)
    count = max(1, round(LESS * len(blocks_of(model))))
    layers = sorted(ORDERS["greedy_replaced"](model, blocks, count=count))
    rows = []
    for (action, healing), recipe in RECIPES.items():
        whole = action == "whole"
        start = copy.deepcopy(model) if whole else prune(copy.deepcopy(model), layers, action, blocks=blocks)
        what = {"order": "whole" if whole else "greedy_replaced", "action": action, "healing": healing}
        what |= {"layers": 0 if whole else count, "which": "" if whole else " ".join(map(str, layers))}
        for seed in SEEDS:
            healed = copy.deepcopy(start)
            if recipe.random:
                randomise_(healed, seed=seed)
            list(heal(healed, blocks, replace(HEALING, **HEALED, seed=seed), teacher=model, **recipe.options))
            for text, some in evaluated.items():
                row = what | {"text": text, "perplexity": math.exp(cross_entropy(healed, some)), "seed": seed}
                rows.append(row | {"parameters": count_parameters(healed)})
    return pd.DataFrame(rows).assign(**_key(source, tokens), **_text(blocks, dtype), **_not_measured())


def _load(source: Source, blocks: int, dtype: str) -> tuple[Any, Any, Any]:
    from .. import load, token_blocks

    model, tokenizer = load(source.place, revision=source.commit, dtype=dtype)
    return model, tokenizer, token_blocks(source.text, tokenizer, tokens=blocks * LENGTH, length=LENGTH)


def _evaluated(source: Source, texts: Mapping[str, str | Path], tokens: int, tokenizer: Any) -> dict[str, Any]:
    """Return the blocks of each text on which perplexity is measured: none that was fitted."""
    from .. import token_blocks

    found = {}
    for name, text in texts.items():
        before = tokens // LENGTH if name == source.corpus else 0
        count = EVALUATED[name == source.corpus]
        found[name] = token_blocks(text, tokenizer, tokens=(before + count) * LENGTH, length=LENGTH)[before:]
    return found


def _accuracy(model: Any, tokenizer: Any, task: str, action: str, which: str, blocks: Any) -> dict[str, float]:
    """Return what a pruned model knows: the accuracy of a probe or of its choices, with the standard error."""
    from ..evaluate import harness, probe
    from ..models import blocks as blocks_of
    from ..prune import pruned
    from ..text import task as examples_of

    layers = [int(layer) for layer in which.split()]
    with pruned(model, layers, action, blocks=blocks) if layers else nullcontext():
        if task != "question":
            found = harness(model, tokenizer, tasks=(task,)).set_index("metric").loc["acc"]
            return {"accuracy": found["value"], "accuracy_error": found["standard_error"]}
        room = model.config.max_position_embeddings
        asked = ((example.text, example.label) for example in examples_of(task))
        short = (one for one in asked if len(tokenizer(one[0], verbose=False)["input_ids"]) <= room)
        table = probe(model, list(islice(short, QUESTIONS)), tokenizer, layers=[len(blocks_of(model))])
    found = table[table["predictor"] == "probe"][["accuracy", "standard_error"]].mean()
    return {"accuracy": found["accuracy"], "accuracy_error": found["standard_error"]}


def _key(source: Source, tokens: int) -> dict[str, object]:
    return {"model": source.model, "revision": source.revision, "corpus": source.corpus, "tokens": tokens}


def _not_measured() -> dict[str, object]:
    from .results import TABLES

    times = [name for name in TABLES["pruning"].measured if name.startswith(("prefill", "decode"))]
    return dict.fromkeys((*times, "accuracy", "accuracy_error"), math.nan) | {"task": ""}
