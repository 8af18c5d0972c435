"""Models to pretrain, by name: Mistral-style decoders, as in the paper, and how a run of such a size is best set up."""

from dataclasses import dataclass, replace

import torch
from transformers import MistralConfig, MistralForCausalLM, PreTrainedTokenizerBase

from ..lookup import named
from .recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A model's shape, and how a run of it is set up unless somebody says otherwise."""

    name: str
    size: str  # in the names of its models
    layers: int
    width: int
    inner: int  # width of the MLPs inside
    heads: int
    shared: int  # heads of keys and values
    head_dim: int
    vocab_size: int
    length: int  # tokens a block
    batch: int  # blocks a step
    tokens: int  # seen in a run
    peak_rate: float
    positions: int = 512
    tied: bool = True  # whether embeddings and head are the same matrix

    def shape(self, vocab_size: int | None = None) -> MistralConfig:
        """Describe the model, for a vocabulary of another size where one is given."""
        return MistralConfig(
            vocab_size=vocab_size or self.vocab_size,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.shared,
            head_dim=self.head_dim,
            max_position_embeddings=self.positions,
            sliding_window=None,  # without one attention takes torch's causal fast path
            tie_word_embeddings=self.tied,
            bos_token_id=None,  # the tokenizer's names for them are filled in with its vocabulary
            eos_token_id=None,
            pad_token_id=None,
        )

    def recipe(self, *, tokens: int | None = None, **changes: object) -> Recipe:
        """Return the recipe of a run, with changes: for so many ``tokens``, where no ``steps`` are given.

        The warm-up is a tenth of the steps and at most 200.
        """
        batch, tokens = changes.get("batch", self.batch), self.tokens if tokens is None else tokens
        if tokens < 1 or batch < 1:
            raise ValueError(f"a run of {tokens} tokens in batches of {batch} trains nothing: give 1 or more of each")
        steps = changes.get("steps", max(tokens // (batch * self.length), 1))
        usual = {"steps": steps, "batch": batch, "peak_rate": self.peak_rate, "warmup": min(200, steps // 10)}
        return Recipe(**usual | {"log_every": 20, "validate_every": 200, "checkpoint_every": 200} | changes)


# nano, of 0.3 M parameters and trained in some 20 s on one thread, is for what takes hundreds of runs. The pocket model
# has 1.44 M, 2.9 MB in bfloat16: small enough to ship and to train on a laptop; its blocks are longer than nearly every
# story, for beyond the length it was trained on a model falls apart. Of the last two the paper names the architecture
# and the size alone: the widths are ours, as is the number of layers of the smaller one, that of the larger one is read
# off the axis of its Figure 4. As in Mistral 7B, four heads share one key and value, and embeddings are not tied.
_ALL = (
    Preset("nano", "300k", 6, 64, 128, 4, 2, 16, 1024, 256, 4, 262_144, 6e-3),
    Preset("pocket", "1m", 8, 128, 256, 4, 2, 32, 2048, 512, 4, 10_000_000, 6e-3),
    Preset("mini", "10m", 12, 256, 704, 4, 2, 64, 4096, 256, 32, 100_000_000, 3e-3),
    Preset("150m", "150m", 12, 768, 3072, 12, 3, 64, 32_000, 512, 64, 1_000_000_000, 1e-3, 2048, tied=False),
    Preset("650m", "650m", 24, 1280, 5120, 20, 5, 64, 32_000, 512, 128, 2_000_000_000, 4e-4, 2048, tied=False),
)
DEEPEST = 1000  # layers of a model, ten times those of the deepest ones
PRESETS = {preset.name: preset for preset in _ALL}


def preset_named(name: str, *, layers: int | None = None) -> Preset:
    """Return a preset by its name, with another number of layers where ``layers`` says one.

    Raises ValueError for a name that is none, and for layers that no model has.
    """
    preset = named(PRESETS, name, "preset")
    if layers is None:
        return preset
    if not 1 <= layers <= DEEPEST:
        raise ValueError(f"a model of {layers} layers cannot be made: give 1 to {DEEPEST}")
    return replace(preset, size=f"{preset.size}-{layers}-layers", layers=layers)


def make_model(tokenizer: PreTrainedTokenizerBase, preset: Preset | str, *, seed: int) -> MistralForCausalLM:
    """Make an untrained model of a preset for a tokenizer, its weights decided by the seed."""
    config = (preset_named(preset) if isinstance(preset, str) else preset).shape(len(tokenizer))
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, name, getattr(tokenizer, name))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MistralForCausalLM(config)
