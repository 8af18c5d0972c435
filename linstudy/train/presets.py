"""Models to pretrain, by name: Mistral-style decoders, as in the paper, and how a run of such a size is best set up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from transformers import MistralConfig, MistralForCausalLM, PreTrainedTokenizerBase

from ..lookup import named
from .recipe import Recipe

# 1.44 M parameters, 2.9 MB in bfloat16: small enough to ship inside the package and to train on a laptop, deep enough
# for a profile over layers.
POCKET = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 512,
    "sliding_window": None,  # 512 positions need no window, and without one attention takes torch's causal fast path
    "tie_word_embeddings": True,
    "bos_token_id": None,  # the tokenizer's names for them are filled in with its vocabulary
    "eos_token_id": None,
    "pad_token_id": None,
}
NANO = POCKET | {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 6, "head_dim": 16}
MINI = POCKET | {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 12, "head_dim": 64}
# The paper names the architecture and two sizes: the widths, and the smaller one's number of layers, are ours. As in
# Mistral 7B, four heads share one key and value, and the embeddings are not tied.
PAPER_150M = MINI | {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "num_key_value_heads": 3,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
PAPER_650M = PAPER_150M | {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 24,  # read off the axis of the paper's Figure 4
    "num_attention_heads": 20,
    "num_key_value_heads": 5,
}


@dataclass(frozen=True)
class Preset:
    """A model's shape, and how a run of it is set up unless somebody says otherwise."""

    name: str
    size: str  # in the names of its models
    config: Mapping[str, object]  # of a MistralConfig
    vocab_size: int
    length: int  # tokens a block
    batch: int  # blocks a step
    tokens: int  # seen in a run
    peak_rate: float

    def shape(self, vocab_size: int | None = None) -> MistralConfig:
        """Describe the model, for a vocabulary of another size where one is given."""
        return MistralConfig(**self.config, vocab_size=vocab_size or self.vocab_size)

    def recipe(self, *, tokens: int | None = None, **changes: object) -> Recipe:
        """Return the recipe of a run, with changes: for so many ``tokens``, where no ``steps`` are given.

        The warm-up is a tenth of the steps and at most 200.
        """
        batch = changes.get("batch", self.batch)
        steps = changes.get("steps", max((tokens or self.tokens) // (batch * self.length), 1))
        usual = {"steps": steps, "batch": batch, "peak_rate": self.peak_rate, "warmup": min(200, steps // 10)}
        return Recipe(**usual | {"log_every": 20, "validate_every": 200, "checkpoint_every": 200} | changes)


_ALL = (
    # Trained in some 20 s on one thread, for what takes hundreds of runs: sweeps of rates and weights, with seeds.
    Preset("nano", "300k", NANO, 1024, length=256, batch=4, tokens=262_144, peak_rate=6e-3),
    # Blocks longer than nearly every story: beyond the length it was trained on a model falls apart.
    Preset("pocket", "1m", POCKET, 2048, length=512, batch=4, tokens=10_000_000, peak_rate=6e-3),
    Preset("mini", "10m", MINI, 4096, length=256, batch=32, tokens=100_000_000, peak_rate=3e-3),
    Preset("150m", "150m", PAPER_150M, 32_000, length=512, batch=64, tokens=1_000_000_000, peak_rate=1e-3),
    Preset("650m", "650m", PAPER_650M, 32_000, length=512, batch=128, tokens=2_000_000_000, peak_rate=4e-4),
)
PRESETS = {preset.name: preset for preset in _ALL}


def preset_named(name: str, *, layers: int | None = None) -> Preset:
    """Return a preset by its name, with another number of layers where ``layers`` says one.

    Raises ValueError for a name that is none, and for fewer layers than 1.
    """
    preset = named(PRESETS, name, "preset")
    if layers is None:
        return preset
    if layers < 1:
        raise ValueError(f"a model of {layers} layers cannot be made: give 1 or more")
    fewer = {**preset.config, "num_hidden_layers": layers}
    return replace(preset, size=f"{preset.size}-{layers}-layers", config=fewer)


def make_model(tokenizer: PreTrainedTokenizerBase, preset: Preset | str, *, seed: int) -> MistralForCausalLM:
    """Make an untrained model of a preset for a tokenizer, its weights decided by the seed."""
    chosen = preset_named(preset) if isinstance(preset, str) else preset
    config = chosen.shape(len(tokenizer))
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, name, getattr(tokenizer, name))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MistralForCausalLM(config)
