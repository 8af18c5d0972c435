"""Measure random networks of several widths: what of an untrained score is the architecture's, and what the size's."""

from functools import partial
from typing import Any

from ..table import Keep, Table
from .profiles import SEEDS, profile_small
from .source import LENGTH, SCORES, blocks_of

WIDTHS = (32, 128, 512)
LAYERS, HEAD = 4, 32  # a head of 32 dimensions at every width
FAMILIES = {"llama": 3, "gpt2": 4, "olmo2": 3, "bert": 4}  # how many times as wide their MLPs are inside


def config(family: str, width: int) -> dict[str, int]:
    """Return the fields of a config that make a family's model so wide."""
    heads = dict.fromkeys(("num_attention_heads", "num_key_value_heads"), max(1, width // HEAD))
    inside = {"intermediate_size": FAMILIES[family] * width}
    return {"hidden_size": width, "num_hidden_layers": LAYERS, **inside, **heads}


def widths(keep: Keep, *, model: str, width: int) -> None:
    """Measure blocks with random weights, three draws of them, on 100 tokens of stories a dimension."""
    from ... import load
    from ...models import small_model

    tokenizer = load("stories-1m")[1]
    blocks = blocks_of("stories", tokenizer, max(64, -(-100 * width // LENGTH))) + 3  # 0, 1 and 2 are special

    def measure(seed: int) -> Any:
        return profile_small(
            small_model(model, seed=seed, vocab_size=len(tokenizer) + 3, **config(model, width)), blocks
        )

    for seed in range(SEEDS):
        keep(partial(measure, seed), seed=seed, corpus="stories")


# random networks by their width, a row a layer
RANDOM_WIDTHS = Table(
    "widths",
    key=("model", "width", "seed", "corpus", "tokens", "part", "layer"),
    measured=("length", "text_hash", *SCORES),
    maker=widths,
)
