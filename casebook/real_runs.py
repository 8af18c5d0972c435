"""The runs on real models that `linstudy fetch` brings: the protocol on its texts and shards, and the controls."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from linstudy.fetched import SOURCES

from .reach import BESIDE
from .rows import TABLES
from .rows.chosen import ACTIONS, ALONE, FEWER, GAUSSIAN, PUBLISHED, TOGETHER, TRIED
from .rows.source import LENGTH, Source, Text
from .runs import Run

TEXTS = ("wikitext-2-valid", "tinystories-train-sample")
BLOCKS = {"smollm2-135m": 225, "gemma3-270m": 250, "minilm": 150}  # a shard: 100 tokens a dimension, a floor of 0.01
SHARDS, SEEDS = 3, 3
CONTROLLED = 4  # controls read a fourth of a shard, and so does the trained model that they are compared with
# Of twins of seed 0 a whole shard is read as well: what they score in sample falls with the number of tokens.
DECODERS, FITTED = ("smollm2-135m", "gemma3-270m"), 112  # that are pruned, by maps fitted on so many blocks
HEALED, HEALING_RATES = 32 * LENGTH, (2e-5, 8e-5, 3.2e-4)  # tokens that a pruned model is trained on; rates to begin at
TWINS = ("random", "permuted")
# What a quantised model is given besides its own errors, and what shows on a whole one that this tells them.
NOISE = ("noise", "noise + noise")
ROUNDED = ("Q8_0", "Q4_1", "Q4_1 + noise", "Q4_1 + noise + noise")


def real_runs() -> Iterator[Run]:
    """List the runs by the protocol, first one shard a text, then the controls, then the other shards; and losses."""
    for shard in range(SHARDS):
        for name, text in ((name, text) for name in BLOCKS for text in TEXTS):
            yield _protocol(name, text, shard=shard)
        if shard == 0:
            yield from _controls()
            yield from _losses()
            yield from _boundaries()
            yield from _derivatives()
            yield from _healing()


def _controls() -> Iterator[Run]:
    for name, blocks in BLOCKS.items():
        fewer = blocks // CONTROLLED
        yield _protocol(name, TEXTS[0], blocks=fewer)
        for seed in range(SEEDS):
            for weights in (*TWINS, *(NOISE if SOURCES[name].quantisation else ROUNDED)):
                if seed == 0 or ("0" not in weights and weights != "Q4_1"):  # which draw nothing
                    yield _protocol(name, TEXTS[0], blocks=fewer, weights=weights, seed=seed)
        for weights in TWINS:
            yield _protocol(name, TEXTS[0], weights=weights)
        for seed in range(SEEDS if name in DECODERS else 0):
            yield _protocol(name, TEXTS[0], blocks=fewer, weights=GAUSSIAN, seed=seed)


def _losses() -> Iterator[Run]:
    choices = (*((part, ALONE) for part in ("block", "attention", "mlp")), ("block", TOGETHER))
    for name, text, (part, choice), action in product(DECODERS, TEXTS, choices, ACTIONS):
        yield losses_run(fetched_source(name, text), part, choice, action, needs=name)
    for action in ACTIONS:
        yield losses_run(fetched_source("gemma3-270m", TEXTS[0]), "block", PUBLISHED, action, needs="gemma3-270m")
    name = "smollm2-135m"
    for action in ACTIONS:
        yield losses_run(fetched_source(name, TEXTS[0]), "block", TRIED, action, needs=name)
    for fitted, text in (TEXTS, TEXTS[::-1]):
        other = Text(text, fetched_source(name, text).text)
        yield losses_run(fetched_source(name, fitted), "block", ALONE, "affine", tested=other, needs=name)


def losses_run(source: Source, part: str, choice: str, action: str, *, tested: Text | None = None, **where: Any) -> Run:
    """Return the run that measures what a model loses with these parts of it, chosen so, removed or replaced."""
    name = f"losses-{source.model}-{source.corpus}-{part}-{choice}-{action}"
    name += f"-on-{tested.name}" if tested else ""
    arguments = {"source": source, "tested": tested or Text(source.corpus, source.text)}
    arguments |= {"tokens": FITTED * LENGTH, "part": part, "choice": choice, "action": action}
    return Run(name, TABLES["losses"], arguments, **where)


def _boundaries() -> Iterator[Run]:
    for name, weights in product(DECODERS, ("trained", *TWINS)):
        arguments = {"source": fetched_source(name, TEXTS[0]), "tokens": FITTED * LENGTH, "weights": weights}
        run = f"boundaries-{name}-{TEXTS[0]}-{weights}"
        yield Run(run, TABLES["boundaries"], arguments | {"dtype": "float32"}, needs=name)


def _derivatives() -> Iterator[Run]:
    for name in DECODERS:
        # Derivatives of 64 features of 576 or more: each takes a backward pass over the sample.
        arguments = {"source": fetched_source(name, TEXTS[0]), "tokens": FITTED * LENGTH, "sampled": 4, "features": 64}
        run = f"derivatives-{name}-{TEXTS[0]}"
        yield Run(run, TABLES["derivatives"], arguments | {"dtype": "float32"}, needs=name)


def _healing() -> Iterator[Run]:
    name = "smollm2-135m"
    arguments = {"source": fetched_source(name, TEXTS[0]), "elsewhere": fetched_source(name, TEXTS[1]).text}
    arguments |= {"tokens": HEALED, "order": "linearity", "recipes": FEWER, "rates": HEALING_RATES}
    yield Run(f"healing-{name}-{TEXTS[0]}", TABLES["healing"], arguments, needs=name)


def fetched_source(name: str, text: str) -> Source:
    """Return a model that was fetched, with a text beside the checkout."""
    return Source(name, SOURCES[name].sha256[:12], name, text, BESIDE / "data" / f"{text}.txt")


def _protocol(
    name: str, text: str, *, shard: int = 0, blocks: int | None = None, weights: str = "trained", seed: int = 0
) -> Run:
    tokens = LENGTH * (blocks or BLOCKS[name])
    arguments = {"source": fetched_source(name, text), "tokens": tokens, "shard": shard, "weights": weights}
    parts = [name, text, weights.replace(" + ", "-"), str(seed)] if blocks else [name, text, str(shard)]
    parts = [*parts[:2], weights, str(seed), "whole"] if weights in TWINS and not blocks else parts
    arguments |= {"seed": seed, "dtype": "float32"}
    return Run("-".join(["protocol", *parts]), TABLES["protocol"], arguments, needs=name)
