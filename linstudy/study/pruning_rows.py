"""Prune a model for the tables of long runs: what layers cost, what orders and actions leave, what healing brings."""

import copy
import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from .rows import LENGTH, Source, task_examples, text_of

SHARDS = 3  # stretches of the text: each layer's cost is measured on every one
SHARD_BLOCKS = 32  # of a shard, on which costs are measured; others before them are fitted
EVALUATED = {True: 32, False: 16}  # blocks on which perplexity is measured, of the text that was fitted and of others
STRETCH = 3  # blocks are drawn from so many times as many, for a text may change on its way
BUDGETS = (1, 2, 3, 4, 6, 8, 12, 16)  # layers that go, up to four in five
ASKED, ASKED_ACTIONS = "greedy_replaced", ("remove", "affine", "sequential")  # these are asked what they know
EXAMPLES = 100  # of a task, from stories that no model was trained on
KNOWN = ("accuracy", "accuracy_error", "probe_accuracy", "probe_error", "probe_constant")
LESS = 1 / 3  # share of the layers that a healed model has lost
HEALED = {"steps": 50, "batch": 8, "warmup": 5, "log_every": 50, "validate_every": 50}
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
        tables.append(both.assign(**_key(source, tokens), shard=shard, **text_of(some, dtype)))
    return pd.concat(tables, ignore_index=True)


def pruning_rows(
    source: Source, texts: Mapping[str, str | Path], *, tokens: int, dtype: str, task: str
) -> pd.DataFrame:
    """Return rows for pruning.csv: all orders, actions and budgets, on ``texts`` by name, and accuracy on a task.

    Of the text that was fitted, other blocks are evaluated. The ``task`` is "preference", for stories told against
    spoilt ones and a probe of the last state on questions about a story, or the name of one of lm-evaluation-harness.
    """
    from ..models import blocks as blocks_of
    from ..prune import pruning_table

    model, tokenizer, blocks, evaluated = _texts(source, texts, tokens, dtype)
    budgets = [budget for budget in BUDGETS if budget <= 0.8 * len(blocks_of(model))]
    table = pd.DataFrame(pruning_table(model, blocks, evaluated, budgets=budgets))
    asked = table[table["order"].isin(("whole", ASKED)) & table["action"].isin(("whole", *ASKED_ACTIONS))]
    known = [
        {"action": action, "which": which} | _known(model, tokenizer, task, action, which, blocks)
        for action, which in asked[["action", "which"]].drop_duplicates().itertuples(index=False)
    ]
    table = table.merge(
        pd.DataFrame(known, columns=["action", "which", *KNOWN]), on=["action", "which"], how="left"
    ).assign(task=task)
    return table.assign(**_key(source, tokens), healing="none", **text_of(blocks, dtype))


def healing_rows(source: Source, texts: Mapping[str, str | Path], *, tokens: int, dtype: str) -> pd.DataFrame:
    """Return rows for pruning.csv: a third of the layers gone, trained by every recipe, each with three seeds.

    The layers are those that a greedy search would replace. Without training they are in the table already.
    """
    from ..evaluate import cross_entropy
    from ..models import blocks as blocks_of
    from ..prune import choose, count_parameters, heal, prune, randomise_
    from ..prune.healing import HEALING

    model, _, blocks, evaluated = _texts(source, texts, tokens, dtype)
    count = max(1, round(LESS * len(blocks_of(model))))
    layers = sorted(choose(model, blocks, "greedy_replaced", count=count))
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
    return pd.DataFrame(rows).assign(**_key(source, tokens), **text_of(blocks, dtype)).pipe(_filled)


def _load(source: Source, count: int, dtype: str) -> tuple[Any, Any, Any]:
    from .. import load

    model, tokenizer = load(source.place, revision=source.commit, dtype=dtype)
    return model, tokenizer, _drawn(source.text, tokenizer, count)


def _drawn(text: str | Path, tokenizer: Any, count: int) -> Any:
    """Return so many blocks of a text, drawn from a longer stretch of it, always the same ones."""
    import torch

    from .. import token_blocks

    blocks = token_blocks(text, tokenizer, tokens=STRETCH * count * LENGTH, length=LENGTH)
    return blocks[torch.randperm(len(blocks), generator=torch.Generator().manual_seed(0))[:count]]


def _texts(source: Source, texts: Mapping[str, str | Path], tokens: int, dtype: str) -> tuple[Any, Any, Any, Any]:
    """Return model, tokenizer, the blocks to fit on, and those of each text on which perplexity is measured."""
    fitted = tokens // LENGTH
    model, tokenizer, own = _load(source, fitted + EVALUATED[True], dtype)
    others = {name: _drawn(text, tokenizer, EVALUATED[False]) for name, text in texts.items() if name != source.corpus}
    mine = {source.corpus: own[fitted:]} if source.corpus in texts else {}
    return model, tokenizer, own[:fitted], mine | others


def _known(model: Any, tokenizer: Any, task: str, action: str, which: str, blocks: Any) -> dict[str, float]:
    """Return what a pruned model knows: how often it chooses right, and a probe's accuracy, with standard errors."""
    from ..evaluate import harness, probe, zero_shot
    from ..models import blocks as blocks_of
    from ..prune import pruned

    layers = [int(layer) for layer in which.split()]
    with pruned(model, layers, action, blocks=blocks) if layers else nullcontext():
        if task != "preference":
            found = harness(model, tokenizer, tasks=(task,)).set_index("metric").loc["acc"]
            return {"accuracy": found["value"], "accuracy_error": found["standard_error"]}
        pairs = task_examples("preference", EXAMPLES, model, tokenizer, split="train")
        right = zero_shot(model, tokenizer, [(one.context, one.choices, one.label) for one in pairs]).iloc[0]
        questions = task_examples("question", EXAMPLES, model, tokenizer, split="train")
        asked = [(one.text, one.label) for one in questions]
        table = probe(model, asked, tokenizer, layers=[len(blocks_of(model))])
    read = table.groupby("predictor")[["accuracy", "standard_error"]].mean()
    known = {"accuracy": right["accuracy"], "accuracy_error": right["standard_error"]}
    known |= {"probe_accuracy": read["accuracy"]["probe"], "probe_error": read["standard_error"]["probe"]}
    return known | {"probe_constant": read["accuracy"]["constant"]}


def _key(source: Source, tokens: int) -> dict[str, object]:
    return {"model": source.model, "revision": source.revision, "corpus": source.corpus, "tokens": tokens}


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that were not measured."""
    from .results import TABLES

    absent = [name for name in TABLES["pruning"].measured if name not in table]
    return table.assign(**dict.fromkeys(absent, math.nan))
