"""What models can do: stories graded, choices without training, probes of every layer."""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

import pandas as pd

from linstudy.models import positions, untrained
from linstudy.text import stories
from storyworld import reference_index

from ..evaluate import Sampling, grade_model, probe, zero_shot
from ..evaluate.zero_shot import accuracy
from ..table import Keep
from .source import Source, task_examples

PROMPTS = 100  # stories continued
SAMPLES = (0, 1, 2)  # seeds of the sampling
CHOSEN = ("question", "entailment", "cause", "sense", "ending")  # tasks whose choices are scored without training
CHOICES = 300  # examples of each
PROBED = ("entailment", "cause", "ending")  # the last as in the paper's Figure 5
EXAMPLES = 600  # of each, 30 % of which test the probe
KNOWN = 20_000  # training stories that copies are looked for in
GRADES = ("grammar", "consistency", "plot", "novelty", "finished")


def runs(keep: Keep, source: Source) -> None:
    """Give a number and its standard error a task, metric, predictor, layer and seed.

    Each task comes with what knows nothing of it: random weights, the commonest label, shuffled labels, shared words.
    """
    model, tokenizer = source.load(dtype="float32")
    knowing_nothing = untrained(model)
    known = cache(lambda: reference_index(islice(stories(0), KNOWN)))
    for predictor, one in (("model", model), ("random weights", knowing_nothing)):
        for seed in SAMPLES:
            make = partial(grades, one, tokenizer, known, seed=seed)
            keep(make, task="stories", predictor=predictor, seed=seed, layer=math.nan)
    for task in CHOSEN:
        key = {"task": task, "metric": "zero-shot accuracy", "seed": 0, "layer": math.nan}
        keep(partial(choices, task, model, tokenizer), **key)
    for task in PROBED:
        keep(partial(probes, task, model, knowing_nothing, tokenizer), task=task, metric="probe accuracy")


def grades(model: Any, tokenizer: Any, known: Callable[[], Any], *, seed: int) -> pd.DataFrame:
    """Grade continued stories, a row a grade; ``known`` gives the reference in which copies are looked for."""
    sampling = Sampling(tokens=room(model), seed=seed)
    graded = grade_model(model, tokenizer, sampling, prompts=PROMPTS, reference=known())
    found = graded[list(GRADES)].astype(float)
    rows = {"metric": list(GRADES), "value": found.mean(), "standard_error": found.sem(), "examples": found.count()}
    return pd.DataFrame(rows)


def choices(task: str, model: Any, tokenizer: Any) -> pd.DataFrame:
    """Let the model choose without training, beside the commonest choice and the one that shares most words."""
    examples = [(one.context, one.choices, one.label) for one in task_examples(task, CHOICES, model, tokenizer)]
    right = pd.Series([most_shared(context, given) == label for context, given, label in examples])
    shared = pd.DataFrame([{"predictor": "shared words"} | accuracy(right.to_numpy())])
    return pd.concat([zero_shot(model, tokenizer, examples), shared]).rename(columns={"accuracy": "value"})


def probes(task: str, model: Any, knowing_nothing: Any, tokenizer: Any) -> pd.DataFrame:
    """Probe the state of the last token in every layer, and the mean of the embeddings, which knows words alone."""
    examples = [(one.text, one.label) for one in task_examples(task, EXAMPLES, model, tokenizer)]
    tables = []
    for name, one in (("probe", model), ("probe of random weights", knowing_nothing)):
        found = probe(one, examples, tokenizer, seeds=SAMPLES)
        words = probe(one, examples, tokenizer, layers=[0], pool="mean", seeds=SAMPLES)
        named = {"probe": name, "shuffled": f"{name}, shuffled labels"}
        tables.append(found.assign(predictor=found.predictor.replace(named)))
        tables.append(words[words.predictor == "probe"].assign(predictor=f"{name}, mean of the embeddings"))
    table = pd.concat(tables).rename(columns={"accuracy": "value"}).drop(columns="penalty")
    return table.drop_duplicates(["predictor", "layer", "seed"])  # the constant predictor is there twice


def room(model: Any) -> int:
    """Return how many tokens a continuation may have: nearly all stories end within 320."""
    return min(320, positions(model) - 192)


def most_shared(context: str, given: Sequence[str]) -> int:
    """Return the choice of whose words most stand in the context."""
    words = set(context.lower().split())
    shares = [len(words & set(choice.lower().split())) / len(choice.split()) for choice in given]
    return shares.index(max(shares))
