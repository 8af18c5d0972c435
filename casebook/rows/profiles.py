"""Measure a model: profiles and their controls, outliers, what lies between layers; small models of all families."""

from functools import partial
from typing import Any

import pandas as pd

from linstudy import linearity_profile, load, untrained
from linstudy.measure import joint_moments
from linstudy.models import parts_of, small_model, stacks_of
from linstudy.text import shuffled

from ..geometry import anisotropy, intrinsic_dimension
from ..models import twin
from ..outliers import massive_activations, outlier_ablation
from ..table import Keep
from ..tokens import QUANTILES, error_summary, logit_lens, sample_states, token_errors
from .chosen import SEEDS, WIDENED
from .source import LENGTH, Source, blocks_of, text_of

HELDOUT = 0.2  # of the blocks: scored, not fitted
LENS_BLOCKS = 8  # blocks read through the logit lens, which runs the head once a layer
POINTS = 4096  # tokens whose intrinsic dimension is taken
LAYERS, HEAD = 4, 32  # of a network that is widened; a head of 32 dimensions at every width


def profiles(keep: Keep, source: Source, *, tokens: int, weights: str, dtype: str) -> None:
    """Measure blocks on three shards (or three draws of random weights), on shuffled tokens, and their parts."""
    model, (first, *others) = read(source, tokens, dtype, shards=SEEDS if weights == "trained" else 1)
    common = {"seed": 0, "shard": 0, "step": None, "part": "block"}

    def measure(one: Any, blocks: Any, **key: Any) -> None:
        keep(partial(profile, one, blocks, dtype, part=key.get("part", "block")), **common | key)

    if weights == "trained":
        for shard, blocks in enumerate((first, *others)):
            measure(model, blocks, shard=shard)
    else:
        trained = model
        for seed in reversed(range(SEEDS)):  # the last of them, of seed 0, is measured further
            model = untrained(trained, seed=seed)
            measure(model, first, seed=seed)
    measure(model, shuffled(first), corpus=f"{source.corpus}, shuffled")
    for part in parts_of(model)[1:]:
        measure(model, first, part=part)


def profile(model: Any, blocks: Any, dtype: str, *, part: str) -> pd.DataFrame:
    """Return a model's profile, also on blocks that were not fitted."""
    scores = linearity_profile(model, blocks, part=part, heldout=HELDOUT)
    return scores.assign(heldout=HELDOUT, dtype=dtype, **text_of(blocks))


def outliers(keep: Keep, source: Source, *, tokens: int, weights: str, dtype: str) -> None:
    """Measure with first tokens and outliers left out."""
    model, (blocks,) = read(source, tokens, dtype, weights=weights)
    keep(lambda: outlier_ablation(model, blocks).assign(dtype=dtype, **text_of(blocks)), seed=0)


def boundaries(keep: Keep, source: Source, *, tokens: int, weights: str, dtype: str) -> None:
    """Look at the stream between the layers: outliers, dimension, lens and errors."""
    model, (blocks,) = read(source, tokens, dtype, weights=weights)
    keep(lambda: between(model, blocks).assign(dtype=dtype, **text_of(blocks)), seed=0)


def between(model: Any, blocks: Any) -> pd.DataFrame:
    """Return a row a boundary; errors are of the layer before it, fitted on one half of the text, on the other."""
    fitted, fresh = blocks[: len(blocks) // 2], blocks[len(blocks) // 2 :]
    states = sample_states(model, blocks, min(POINTS, blocks.numel()))
    first = blocks[:LENS_BLOCKS]
    lenses = {name: logit_lens(model, first, norm=name == "lens") for name in ("lens", "bare_lens")}
    errors = token_errors(model, fresh, moments=joint_moments(model, fitted))
    errors = [error_summary(layer.numpy()) for layer in errors.relative.flatten(1)]
    errors.insert(0, dict.fromkeys(errors[0], float("nan")))
    return massive_activations(model, blocks).assign(
        intrinsic_dimension=[intrinsic_dimension(state) for state in states],
        anisotropy=[anisotropy(state) for state in states],
        **{f"{name}_nats": lens.loss.double().mean((1, 2)).tolist() for name, lens in lenses.items()},
        **pd.DataFrame(errors).rename(columns={name: f"error_{name}" for name in QUANTILES}),
    )


def families(keep: Keep, *, model: str, tokens: int) -> None:
    """Measure a small model with random weights, three draws of them, on stories and on their tokens shuffled."""
    tokenizer = load("stories-1m")[1]
    blocks = blocks_of("stories", tokenizer, tokens // LENGTH) + 3  # 0, 1 and 2 are special

    for seed in range(SEEDS):
        small = small_model(model, seed=seed, vocab_size=len(tokenizer) + 3)
        for stack in stacks_of(small) or (None,):
            for corpus, text in (("stories", blocks), ("stories, shuffled", shuffled(blocks, seed=seed))):
                for part in parts_of(small, stack=stack)[: None if corpus == "stories" else 1]:
                    make = partial(profile_small, small, text, part=part, stack=stack)
                    keep(make, stack=stack, seed=seed, corpus=corpus, part=part)


def widths(keep: Keep, *, model: str, width: int) -> None:
    """Measure a network of a width, three draws of its weights, on 100 tokens a dimension: what is owed to the size?"""
    tokenizer = load("stories-1m")[1]
    blocks = blocks_of("stories", tokenizer, max(64, -(-100 * width // LENGTH))) + 3  # 0, 1 and 2 are special

    def measured(seed: int) -> pd.DataFrame:
        one = small_model(model, seed=seed, vocab_size=len(tokenizer) + 3, **widened(model, width))
        return profile_small(one, blocks)

    for seed in range(SEEDS):
        keep(partial(measured, seed), seed=seed, corpus="stories")


def widened(family: str, width: int) -> dict[str, int]:
    """Return the fields of a config that make a family's model so wide."""
    heads = dict.fromkeys(("num_attention_heads", "num_key_value_heads"), max(1, width // HEAD))
    inside = {"intermediate_size": WIDENED[family] * width}
    return {"hidden_size": width, "num_hidden_layers": LAYERS, **inside, **heads}


def profile_small(model: Any, blocks: Any, **of: Any) -> pd.DataFrame:
    """Return the profile of a small model, which has no revision."""
    return linearity_profile(model, blocks, **of).drop(columns="revision").assign(**text_of(blocks))


def read(
    source: Source, tokens: int, dtype: str, *, weights: str = "trained", shards: int = 1
) -> tuple[Any, list[Any]]:
    """Return a model, or one with random weights, and so many stretches of its text."""
    model, tokenizer = source.load(dtype=dtype)
    count = tokens // LENGTH
    blocks = blocks_of(source.text, tokenizer, shards * count, framed=source.framed)
    return twin(model, weights), list(blocks.split(count))
