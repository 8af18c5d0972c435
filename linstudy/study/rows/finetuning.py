"""What fine-tuning does to the linearity of every layer (the paper's Table 1)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pandas as pd

from ..table import Keep, Table
from .source import Source, blocks_of, text_of

CLASSIFIED = ("question", "entailment", "cause", "sense")
HUB_CLASSIFIED = ("boolq", "cb", "multirc", "rte", "wic", "copa")
PAIRS = ("preference", "helpful")
CONTINUED = ("stories", "pydocs")  # language modelling goes on: on the model's own text, and on another
TASKS = (*CLASSIFIED, "preference", *CONTINUED)
HUB_TASKS = (*HUB_CLASSIFIED, "helpful")
SEEDS = (0, 1, 2)
EXAMPLES, TESTED = 960, 300
STEPS, BATCH, RATE = 60, 16, 1e-3  # a rate for models as small as these
BLOCKS = 64  # of each text that linearity is measured on
DELTAS = ("linearity", "update_linearity", "norm_ratio", "cosine")


def finetuning(keep: Keep, source: Source, task: str, *, shuffled: bool, rate: float | None = None) -> None:
    """Measure what fine-tuning changed in every layer, on the task's text and on a fixed one, with three seeds.

    ``task`` is one of the story world's or of the hub's, or a text to go on modelling. With ``shuffled`` its labels are
    dealt out by chance: what is left of a change is no matter of the task.
    """
    options = {"rate": rate or RATE, "steps": STEPS, "batch": BATCH}
    counts = (EXAMPLES, TESTED)
    for seed in SEEDS:
        make = partial(tuned, source, task, recipe(**options, seed=seed), shuffled=shuffled, counts=counts)
        keep(make, seed=seed)


def recipe(*, rate: float, steps: int, batch: int, seed: int = 0) -> Any:
    """Return the recipe of one fine-tuning, which is told of once, at its end."""
    from ...train import TUNING

    return replace(TUNING, peak_rate=rate, steps=steps, warmup=steps // 10, batch=batch, seed=seed, log_every=steps)


def tuned(source: Source, task: str, recipe: Any, *, shuffled: bool, counts: tuple[int, int]) -> pd.DataFrame:
    """Return the rows of one seed, after tuning on so many examples and testing on so many others."""
    from ... import linearity_profile
    from ...train import finetune

    objective = "lm" if task in CONTINUED else "preference" if task in PAIRS else "classify"
    training, test = examples(task, "train", counts[0]), examples(task, "test", counts[1])
    constant = None if objective == "lm" else 0.5
    if objective == "classify":
        labels = [label for _, label in test]
        constant = max(map(labels.count, set(labels))) / len(labels)
    model, tokenizer = source.load()
    # Of pairs the preferred one, of labelled texts the text: what the tuned model is made to read.
    texts = {"task": [first for first, _ in (*test, *training)], "fixed": source.text}
    blocks = {name: blocks_of(text, tokenizer, BLOCKS) for name, text in texts.items()}
    before = {name: linearity_profile(model, some) for name, some in blocks.items()}
    *_, last = finetune(
        model, tokenizer, training, recipe, objective=objective, shuffle_labels=shuffled, validation=test
    )
    reached = {"accuracy": last["validation_accuracy"], "loss": last["validation_loss"], "constant": constant}
    tables = []
    for name, some in blocks.items():
        after = linearity_profile(model, some)
        table = after[["layer"]].assign(**{f"{score}_before": before[name][score] for score in DELTAS})
        table = table.assign(**{f"delta_{score}": after[score] - before[name][score] for score in DELTAS})
        tables.append(table.assign(text=name, tokens=some.numel(), **text_of(some), **reached))
    return pd.concat(tables, ignore_index=True).assign(steps=recipe.steps, rate=recipe.peak_rate)


def examples(task: str, split: str, count: int) -> Sequence[tuple[str, str | int]]:
    """Return examples for :func:`linstudy.train.finetune`; of a text, pieces, those for testing first."""
    from ...text import corpus, hub_task
    from ...text import task as labelled

    if task in CONTINUED:
        # Other stories than the model was pretrained on; pydocs has one order a seed and is read past the test's part.
        pieces = (piece for document in corpus(task, seed=1) for piece in pieces_of(document))
        first = 0 if split == "test" else TESTED
        return [(piece, "") for piece in islice(pieces, first, first + count)]
    if task in (*HUB_CLASSIFIED, "helpful"):
        return list(islice(hub_task(task, split=split), count))
    found = islice(labelled(task, split=split), count)
    if task == "preference":
        return [(one.whole(one.label), one.whole(1 - one.label)) for one in found]
    return [(one.text, one.label) for one in found]


def pieces_of(document: str, *, characters: int = 1000) -> Sequence[str]:
    """Cut a document where fine-tuning, which reads the last tokens of a text, would leave much of it out."""
    starts = range(0, len(document), characters)
    return [piece for start in starts if (piece := document[start : start + characters].strip())]


# what fine-tuning changed, a row a layer, on the text of the task and on a fixed one
FINETUNING = Table(
    "finetuning",
    key=("model", "revision", "task", "shuffled", "text", "seed", "layer"),
    measured=(
        *("tokens", "length", "text_hash", "steps", "rate", "accuracy", "constant", "loss"),
        *(f"{name}_before" for name in DELTAS),
        *(f"delta_{name}" for name in DELTAS),
    ),
    maker=finetuning,
)
