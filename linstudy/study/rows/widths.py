"""Measure random networks of several widths: what of an untrained score is the architecture's, and what the size's."""

from functools import partial
from typing import Any

from ..table import Keep, Table
from .profiles import SEEDS
from .source import LENGTH, SCORES, blocks_of, text_of

WIDTHS = (32, 128, 512)
LAYERS, HEAD = 4, 32  # a head of 32 dimensions at every width
_LLAMA = {"num_hidden_layers": LAYERS, "num_attention_heads": 1 / HEAD, "num_key_value_heads": 1 / HEAD}
# Fields of the config, numbers in terms of the width but for the layers.
FAMILIES: dict[str, dict[str, float]] = {
    "llama": {"hidden_size": 1, "intermediate_size": 3, **_LLAMA},
    "gpt2": {"n_embd": 1, "n_head": 1 / HEAD, "n_layer": LAYERS},
    "olmo2": {"hidden_size": 1, "intermediate_size": 3, **_LLAMA},
    "bert": {"hidden_size": 1, "intermediate_size": 4}
    | {name: _LLAMA[name] for name in ("num_hidden_layers", "num_attention_heads")},
}


def config(family: str, width: int) -> dict[str, int]:
    """Return the fields of a config that make a family's model so wide."""
    return {
        field: LAYERS if field.endswith(("_layers", "_layer")) else max(1, round(times * width))
        for field, times in FAMILIES[family].items()
    }


def widths(keep: Keep, *, model: str, width: int) -> None:
    """Measure blocks with random weights, three draws of them, on 100 tokens of stories a dimension."""
    from ... import linearity_profile, load
    from ...models import small_model

    tokenizer = load("stories-1m")[1]
    blocks = blocks_of("stories", tokenizer, max(64, -(-100 * width // LENGTH))) + 3  # 0, 1 and 2 are special

    def measure(seed: int) -> Any:
        small = small_model(model, seed=seed, vocab_size=len(tokenizer) + 3, **config(model, width))
        return linearity_profile(small, blocks).drop(columns="revision").assign(**text_of(blocks))

    for seed in range(SEEDS):
        keep(partial(measure, seed), seed=seed, corpus="stories")


# random networks by their width, a row a layer
RANDOM_WIDTHS = Table(
    "widths",
    key=("model", "width", "seed", "corpus", "tokens", "part", "layer"),
    measured=("length", "text_hash", *SCORES),
    maker=widths,
)
