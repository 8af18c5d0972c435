"""What fine-tuning does to the linearity of every layer (the paper's Table 1), and what of it is owed to the task."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, lru_cache, partial
from itertools import islice, product
from statistics import fmean
from typing import Any

import pandas as pd

from linstudy.lookup import entries

from ..sweeps import CHOOSING, bracketed
from ..table import Keep
from .source import Source, blocks_of, text_of

TASKS = ("source", "order", "preference")
HUB_TASKS = tuple(entries("train/hub_tasks.toml", "casebook"))
PAIRS = ("preference", "helpful")
LABELS = ("true", "shuffled", "no labels")  # the last: language modelling of the same texts
ALL, LOW_RANK, RANK = "all weights", "low rank", 8  # what is trained, and the rank of the corrections
ARMS = {ALL: LABELS, LOW_RANK: LABELS[:1]}  # the labels that each is trained with
JUDGES = 5  # fresh seeds of each
EXAMPLES, TESTED = 512, 200
STEPS, BATCH, READ = 64, 8, 128  # tokens of an example that are read
RATES = {ALL: (1e-3, 2e-3), LOW_RANK: (4e-3, 8e-3)}  # for models as small as ours; a sweep goes on from there
CHARACTERS = 500  # of a piece of text that is to be told from others
TEXTS = ("stories", "pydocs")  # that linearity is measured on, beside the task's own
BLOCKS = 64  # of each
DELTAS = ("linearity", "update_linearity", "norm_ratio", "cosine", "nats")


def finetuning(
    keep: Keep, source: Source, task: str, *, trained: str = ALL, rates: Sequence[float] = RATES[ALL]
) -> None:
    """Measure what a task changes in every layer, as book/preregistration.md has it, beside its two controls.

    ``task`` is one of ``TASKS`` or of the hub's. Its rate is that of the lowest mean loss with true labels over the
    seeds that choose, on examples that nothing is judged by. At this rate it is learnt anew, with fresh seeds: from its
    labels, from the same labels dealt out by chance, and by modelling its texts without any. What is ``trained`` is all
    weights, or corrections of low rank, which have no controls but the former.
    """

    def rows(labels: str, rate: float, seed: int) -> pd.DataFrame:
        split = "choose" if seed in CHOOSING else "test"
        make = partial(tuned, source, task, recipe(rate=rate, seed=seed), labels=labels, trained=trained, split=split)
        return keep(make, labels=labels, trained=trained, rate=rate, seed=seed)

    def loss(rate: float) -> float:
        return fmean(float(rows("true", rate, seed).loss.iloc[0]) for seed in CHOOSING)

    best = bracketed(loss, rates)
    arms = [(one, labels) for one in ARMS for labels in ARMS[one]]  # no seed judges two
    for place, labels in product(range(JUDGES), ARMS[trained]):
        rows(labels, best, 100 * (1 + arms.index((trained, labels))) + place)


def recipe(*, rate: float, seed: int, steps: int = STEPS, batch: int = BATCH) -> Any:
    """Return the recipe of one fine-tuning, which is told of once, at its end."""
    from ..train import TUNING

    return replace(TUNING, peak_rate=rate, steps=steps, warmup=steps // 10, batch=batch, seed=seed, log_every=steps)


def tuned(
    source: Source,
    task: str,
    recipe: Any,
    *,
    labels: str,
    trained: str = ALL,
    split: str = "test",
    counts: tuple[int, int] = (EXAMPLES, TESTED),
) -> pd.DataFrame:
    """Return the rows of one seed, after tuning on so many examples and testing on so many others, of ``split``.

    A run that diverges has rows with a NaN loss and NaN changes.
    """
    from ..train import dealt_again, finetune, low_rank

    training, test = examples(task, "train", counts[0]), examples(task, split, counts[1])
    objective = "lm" if labels == "no labels" else "preference" if task in PAIRS else "classify"
    of_test = [label for _, label in test]
    constant = max(map(of_test.count, set(of_test))) / len(of_test) if objective == "classify" else 0.5
    if labels == "shuffled":
        training = dealt_again(training, objective, recipe.seed)
    model, tokenizer = source.load(dtype="float32")
    try:
        options = {"objective": objective, "validation": test, "length": READ}
        with low_rank(model, RANK, seed=recipe.seed) if trained == LOW_RANK else nullcontext():
            *_, last = finetune(model, tokenizer, training, recipe, **options)
        table = changed(model, begun(source, task))
    except FloatingPointError:
        last = {"validation_accuracy": None, "validation_loss": math.nan}
        table = changed(None, begun(source, task))
    reached = {"accuracy": last["validation_accuracy"], "loss": last["validation_loss"]}
    reached |= {"constant": None if objective == "lm" else constant, "steps": recipe.steps}
    return table.assign(**reached)


def changed(model: Any, since: Mapping[str, tuple[Any, pd.DataFrame]]) -> pd.DataFrame:
    """Return the rows of a model beside what it was on each text, as :func:`begun` has that; NaN changes for None."""
    tables = []
    for name, (blocks, before) in since.items():
        table = before[["layer"]].assign(**{f"{score}_before": before[score] for score in DELTAS})
        change = (measured(model, blocks) if model else math.nan * before) - before
        table = table.assign(**{f"delta_{score}": change[score] for score in DELTAS})
        tables.append(table.assign(text=name, tokens=blocks.numel(), **text_of(blocks)))
    return pd.concat(tables, ignore_index=True)


@lru_cache(maxsize=1)
def begun(source: Source, task: str = "") -> dict[str, tuple[Any, pd.DataFrame]]:
    """Return the blocks of every text that is measured, and the scores of the model as it came."""
    model, tokenizer = source.load(dtype="float32")
    texts: dict[str, Any] = {name: name for name in TEXTS}
    if task:  # of pairs the preferred one, of labelled texts the text: what the tuned model is made to read
        parts = (("test", TESTED), ("train", EXAMPLES))
        texts["task"] = [first for split, count in parts for first, _ in examples(task, split, count)]
    blocks = {name: blocks_of(text, tokenizer, BLOCKS) for name, text in texts.items()}
    return {name: (some, measured(model, some)) for name, some in blocks.items()}


def measured(model: Any, blocks: Any) -> pd.DataFrame:
    """Return what is compared of every layer, and the loss of the next token on every fourth block."""
    from linstudy import cross_entropy, linearity_profile

    scores = linearity_profile(model, blocks)[["layer", *(score for score in DELTAS if score != "nats")]]
    return scores.assign(nats=cross_entropy(model, blocks[::4]))


@cache
def examples(task: str, split: str, count: int) -> Sequence[tuple[str, str | int]]:
    """Return examples for :func:`casebook.train.finetune`.

    ``source``: a piece of a story (0) or of pydocs (1). ``order``: a piece of a story, as it is (0) or with words that
    are neighbours exchanged (1). ``preference``: a story as it was told, and a spoilt one. Those of ``choose`` are
    neither trained nor tested on. A task of the hub that has few to train on gives a fifth of them to choose by.
    """
    from ..stories import task as labelled
    from ..train import hub_task

    if task in HUB_TASKS:
        if split == "test":
            return list(islice(hub_task(task, split=split), count))
        found = list(islice(hub_task(task), TESTED + EXAMPLES))
        held = TESTED if len(found) == TESTED + EXAMPLES else len(found) // 5
        return (found[:held] if split == "choose" else found[held:])[:count]
    if split == "choose":
        return examples(task, "train", EXAMPLES + count)[EXAMPLES:]
    if task == "preference":
        found = islice(labelled(task, split=split), count)
        return [(one.whole(one.label), one.whole(1 - one.label)) for one in found]
    first = 0 if split == "test" else TESTED
    told, written = (islice(pieces(name), first, first + count) for name in TEXTS)
    if task == "source":
        return [(piece, label) for two in zip(told, written, strict=True) for label, piece in enumerate(two)][:count]
    return [(exchanged(piece) if place % 2 else piece, place % 2) for place, piece in enumerate(told)]


def pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of one length, which tells nothing of where they come from; what is left over goes."""
    from linstudy.text import corpus

    for document in corpus(text, seed=1):  # other stories than the model was pretrained on
        joined = " ".join(document.split())
        for start in range(0, len(joined) - CHARACTERS + 1, CHARACTERS):
            yield joined[start : start + CHARACTERS]


def exchanged(text: str) -> str:
    """Return the text with every other word and the one after it in each other's place."""
    words = text.split()
    words[1::2], words[: len(words) // 2 * 2 : 2] = words[: len(words) // 2 * 2 : 2], words[1::2]
    return " ".join(words)
