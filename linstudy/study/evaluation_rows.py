"""What models can do, for the tables of long runs: stories graded, choices without training, probes of every layer."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pandas as pd

from .rows import Source, task_examples

PROMPTS = 100  # stories continued
SAMPLES = (0, 1, 2)  # seeds of the sampling
CHOSEN = ("question", "entailment", "cause", "sense", "ending")  # tasks whose choices are scored without training
CHOICES = 300  # examples of each
PROBED = ("entailment", "cause", "ending")  # the last as in the paper's Figure 5
EXAMPLES = 600  # of each, 30 % of which test the probe
KNOWN = 20_000  # training stories that copies are looked for in
GRADES = ("grammar", "consistency", "plot", "novelty", "finished")


def evaluation_rows(source: Source) -> pd.DataFrame:
    """Return rows for evaluations.csv: a number and its standard error a task, metric, predictor, layer and seed.

    Each task comes with what knows nothing of it: random weights, the commonest label, shuffled labels, shared words.
    """
    from .. import load, untrained

    model, tokenizer = load(source.place, revision=source.commit)
    knowing_nothing = untrained(model)
    parts = [*grades(model, tokenizer, predictor="model"), *choices(model, tokenizer)]
    parts += grades(knowing_nothing, tokenizer, predictor="random weights")
    parts += probes(model, tokenizer, predictor="probe")
    parts += probes(knowing_nothing, tokenizer, predictor="probe of random weights")
    table = pd.concat(parts, ignore_index=True)
    return table.assign(model=source.model, revision=source.revision)


def grades(model: Any, tokenizer: Any, *, predictor: str) -> Iterator[pd.DataFrame]:
    """Grade continued stories, a row a grade and seed."""
    from ..evaluate import grade_model, reference_index
    from ..text import stories

    reference = reference_index(islice(stories(0), KNOWN))
    for seed in SAMPLES:
        graded = grade_model(model, tokenizer, prompts=PROMPTS, tokens=_room(model), seed=seed, reference=reference)
        found = graded[list(GRADES)].astype(float)
        rows = {"metric": list(GRADES), "value": found.mean(), "standard_error": found.sem(), "examples": found.count()}
        yield pd.DataFrame(rows).assign(task="stories", predictor=predictor, seed=seed)


def choices(model: Any, tokenizer: Any) -> Iterator[pd.DataFrame]:
    """Let the model choose without training, beside the commonest choice and the one that shares most words."""
    from ..evaluate import zero_shot
    from ..evaluate.zero_shot import accuracy

    for name in CHOSEN:
        examples = [(one.context, one.choices, one.label) for one in task_examples(name, CHOICES, model, tokenizer)]
        right = pd.Series([_most_shared(context, given) == label for context, given, label in examples])
        shared = pd.DataFrame([{"predictor": "shared words"} | accuracy(right.to_numpy())])
        table = pd.concat([zero_shot(model, tokenizer, examples), shared]).rename(columns={"accuracy": "value"})
        yield table.assign(task=name, metric="zero-shot accuracy", seed=0)


def probes(model: Any, tokenizer: Any, *, predictor: str) -> Iterator[pd.DataFrame]:
    """Probe the state of the last token in every layer, and the mean of the embeddings, which knows words alone."""
    from ..evaluate import probe

    for name in PROBED:
        examples = [(one.text, one.label) for one in task_examples(name, EXAMPLES, model, tokenizer)]
        found = probe(model, examples, tokenizer, seeds=SAMPLES)
        words = probe(model, examples, tokenizer, layers=[0], pool="mean", seeds=SAMPLES)
        named = {"probe": predictor, "shuffled": f"{predictor}, shuffled labels"}
        found = found.assign(predictor=found.predictor.replace(named))
        words = words[words.predictor == "probe"].assign(predictor=f"{predictor}, mean of the embeddings")
        table = pd.concat([found, words]).rename(columns={"accuracy": "value"}).drop(columns="penalty")
        if predictor != "probe":
            table = table[table.predictor != "constant"]  # there already
        yield table.assign(task=name, metric="probe accuracy")


def _room(model: Any) -> int:
    """Return how many tokens a continuation may have: nearly all stories end within 320."""
    from ..models import positions

    return min(320, positions(model) - 192)


def _most_shared(context: str, given: Sequence[str]) -> int:
    words = set(context.lower().split())
    shares = [len(words & set(choice.lower().split())) / len(choice.split()) for choice in given]
    return shares.index(max(shares))
