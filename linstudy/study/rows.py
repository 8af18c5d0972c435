"""Measure a model for the tables of long runs: rows without their provenance."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

LENGTH = 256  # tokens a block
HELDOUT = 0.2  # of the blocks: scored, not fitted
SEEDS = 3  # shards of the text, and draws of random weights
FAMILY_TOKENS = 64 * LENGTH  # of a small model's text: 500 a dimension
LENS_BLOCKS = 32  # blocks read through the logit lens, which runs the head once a layer
POINTS = 4096  # tokens whose intrinsic dimension is taken

# Names of linstudy.models.SMALL, which the list of runs needs without importing torch; a test keeps them equal.
SMALL = (
    *("bloom", "falcon", "falcon new", "falcon sequential", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo"),
    *("gpt_neox", "gpt_neox sequential", "gptj", "llama", "mamba", "mistral", "olmo2", "opt", "opt postnorm", "phi"),
    *("phi3", "qwen2", "qwen3", "stablelm", "stablelm parallel", "bert", "roberta", "bart", "t5"),
)


@dataclass(frozen=True)
class Source:
    """A model and a text: what the tables call them, and where they are."""

    model: str
    revision: str
    place: str | Path  # a name or a folder for linstudy.load
    corpus: str
    text: str | Path  # a name or a file for linstudy.token_blocks
    commit: str | None = None  # on the hub


def profile_rows(source: Source, *, tokens: int, weights: str, dtype: str) -> pd.DataFrame:
    """Return rows for profiles.csv: of blocks on three shards of the text and on shuffled tokens, and of their parts.

    With random weights, three draws of them, all on the first shard, take the place of the shards.
    """
    from .. import linearity_profile
    from ..models import parts_of
    from ..text import shuffled

    model, shards = _load(source, tokens=tokens, dtype=dtype, shards=SEEDS if weights == "trained" else 1)
    tables = []

    def add(one: Any, blocks: Any, *, part: str = "block", seed: int = 0, shard: int = 0, mixed: bool = False) -> None:
        profile = linearity_profile(one, blocks, part=part, heldout=HELDOUT)
        key = _key(source, weights, tokens) | {"seed": seed, "shard": shard, "step": None, "part": part}
        key["corpus"] += ", shuffled" if mixed else ""
        tables.append(profile.assign(**key, heldout=HELDOUT, **text_of(blocks, dtype)))

    if weights == "trained":
        for shard, blocks in enumerate(shards):
            add(model, blocks, shard=shard)
        add(model, shuffled(shards[0]), mixed=True)
    else:
        for seed, twin in _twins(model):
            add(twin, shards[0], seed=seed)
        model = next(_twins(model))[1]
        add(model, shuffled(shards[0]), mixed=True)
    for part in parts_of(model)[1:]:
        add(model, shards[0], part=part)
    return pd.concat(tables, ignore_index=True)


def outlier_rows(source: Source, *, tokens: int, weights: str, dtype: str) -> pd.DataFrame:
    """Return rows for outliers.csv: the scores with first tokens and outliers left out."""
    from ..measure import outlier_ablation

    model, (blocks,) = _load(source, tokens=tokens, dtype=dtype)
    table = outlier_ablation(model, blocks).drop(columns="tokens")  # which differ; the column `kept` says so
    return table.assign(**_key(source, weights, tokens), seed=0, **text_of(blocks, dtype))


def boundary_rows(source: Source, *, tokens: int, weights: str, dtype: str) -> pd.DataFrame:
    """Return rows for boundaries.csv: outliers, dimension, lens and errors between the layers."""
    from ..measure import anisotropy, intrinsic_dimension, logit_lens, massive_activations, sample_states, token_errors

    model, (blocks,) = _load(source, tokens=tokens, dtype=dtype)
    if weights == "random":
        model = next(_twins(model))[1]
    table = massive_activations(model, blocks)
    states = sample_states(model, blocks, min(POINTS, blocks.numel()))
    lens = logit_lens(model, blocks[:LENS_BLOCKS])
    bare = logit_lens(model, blocks[:LENS_BLOCKS], norm=False)
    relative = token_errors(model, blocks).relative.flatten(1)
    errors = [dict.fromkeys(("median", "p90", "p99", "p999", "max", "worst_percent"), float("nan"))]
    errors += [error_summary(layer.numpy()) for layer in relative]
    return table.assign(
        intrinsic_dimension=[intrinsic_dimension(state) for state in states],
        anisotropy=[anisotropy(state) for state in states],
        lens_nats=lens.loss.double().mean((1, 2)).tolist(),
        bare_lens_nats=bare.loss.double().mean((1, 2)).tolist(),
        **{name if name == "worst_percent" else f"error_{name}": [row[name] for row in errors] for name in errors[0]},
        **_key(source, weights, tokens),
        seed=0,
        **text_of(blocks, dtype),
    )


def error_summary(errors: Any) -> dict[str, float]:
    """Sum up the relative errors of a layer's tokens: quantiles, and the worst per cent's share of their squares."""
    import numpy as np

    squares = np.sort(errors.astype(float)) ** 2
    named = {"median": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    worst = squares[-max(1, round(len(squares) / 100)) :].sum() / squares.sum()
    return {name: float(np.quantile(errors, share)) for name, share in named.items()} | {"worst_percent": float(worst)}


def family_rows(name: str) -> pd.DataFrame:
    """Return rows for families.csv: one small random model, on stories and on their tokens in random order."""
    from .. import linearity_profile, load, token_blocks
    from ..models import parts_of, small_model
    from ..models.families import family_of
    from ..text import shuffled

    _, tokenizer = load("stories-1m")
    blocks = token_blocks("stories", tokenizer, tokens=FAMILY_TOKENS, length=LENGTH) + 3  # 0, 1 and 2 are special
    tables = []
    for seed in range(SEEDS):
        model = small_model(name, seed=seed, vocab_size=len(tokenizer) + 3)
        for stack in family_of(model).stacks or (None,):
            for corpus, text in (("stories", blocks), ("stories, shuffled", shuffled(blocks, seed=seed))):
                for part in parts_of(model, stack=stack)[: None if corpus == "stories" else 1]:
                    profile = linearity_profile(model, text, part=part, stack=stack)
                    key = {"model": name, "stack": stack, "seed": seed, "corpus": corpus, "part": part}
                    tables.append(profile.assign(**key, length=LENGTH, text_hash=text_hash(text)))
    return pd.concat(tables, ignore_index=True).drop(columns="revision")


def task_examples(name: str, count: int, model: Any, tokenizer: Any, *, split: str = "test") -> list[Any]:
    """Return so many examples of a task; those longer than the model has positions are left out."""
    from ..models import positions
    from ..text import task

    room = positions(model)

    def fits(one: Any) -> bool:
        texts = [one.text, *map(one.whole, range(len(one.choices)))]
        return max(map(len, tokenizer(texts, verbose=False)["input_ids"])) <= room

    return list(islice(filter(fits, task(name, split=split)), count))


def _load(source: Source, *, tokens: int, dtype: str, shards: int = 1) -> tuple[Any, list[Any]]:
    from .. import load, token_blocks

    model, tokenizer = load(source.place, revision=source.commit, dtype=dtype)
    blocks = token_blocks(source.text, tokenizer, tokens=shards * tokens, length=LENGTH)
    return model, list(blocks.split(tokens // LENGTH))


def _twins(model: Any) -> Iterator[tuple[int, Any]]:
    from .. import untrained

    for seed in range(SEEDS):
        yield seed, untrained(model, seed=seed)


def _key(source: Source, weights: str, tokens: int) -> dict[str, object]:
    named: Mapping = {"model": source.model, "revision": source.revision, "corpus": source.corpus}
    return {**named, "weights": weights, "tokens": tokens}


def text_of(blocks: Any, dtype: str) -> dict[str, object]:
    """Return the columns that say of which text a row is."""
    return {"length": LENGTH, "dtype": dtype, "text_hash": text_hash(blocks)}


def text_hash(blocks: Any) -> str:
    """Return 12 digits that tell token blocks from others."""
    return hashlib.sha256(blocks.cpu().numpy().astype("<i8").tobytes()).hexdigest()[:12]
