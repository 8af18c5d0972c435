"""Models to pretrain, by name: their shapes, and how a run of such a size is best set up."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from transformers import MistralConfig

from ..lookup import named


def pocket(vocab_size: int = 2048) -> MistralConfig:
    """Describe the pocket model: a Mistral-style decoder, as in the paper, of 8 layers and width 128.

    With 2,048 tokens it has 1.44 M parameters, 2.9 MB in bfloat16: small enough to ship inside the package and to
    train on a laptop, deep enough for a profile over layers.
    """
    return MistralConfig(
        vocab_size=vocab_size,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=512,
        sliding_window=None,  # 512 positions need no window, and without one attention takes torch's causal fast path
        tie_word_embeddings=True,
        initializer_range=0.02,
        bos_token_id=None,  # the tokenizer's names for them are filled in by whoever trains one
        eos_token_id=None,
        pad_token_id=None,
    )


def nano(vocab_size: int = 1024) -> MistralConfig:
    """Describe the smallest model: 6 layers of width 64, 0.3 M parameters, trained in some 20 s on one thread.

    For what takes hundreds of runs: sweeps of learning rates and weights of penalties, with seeds.
    """
    return _wider(pocket(vocab_size), hidden_size=64, intermediate_size=128, num_hidden_layers=6, head_dim=16)


def mini(vocab_size: int = 4096) -> MistralConfig:
    """Describe the model between the pocket's and the paper's: 12 layers, width 256, 9.9 M parameters."""
    return _wider(
        pocket(vocab_size),
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=12,
        head_dim=64,
    )


def paper_150m(vocab_size: int = 32_000) -> MistralConfig:
    """Describe a model of the paper's smaller size: 12 layers, width 768, 151 M parameters.

    The paper names the architecture and the size alone: the number of layers and the widths are ours. As in Mistral 7B,
    four heads share one key and value, and the embeddings are not tied.
    """
    return _wider(
        pocket(vocab_size),
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=3,
        head_dim=64,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
    )


def paper_650m(vocab_size: int = 32_000) -> MistralConfig:
    """Describe a model of the paper's larger size: 24 layers, width 1,280, 652 M parameters.

    Its number of layers is read off the axis of the paper's Figure 4; the rest is as in :func:`paper_150m`.
    """
    return _wider(
        paper_150m(vocab_size),
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=24,
        num_attention_heads=20,
        num_key_value_heads=5,
    )


@dataclass(frozen=True)
class Preset:
    """A shape, and how a run of it is set up unless somebody says otherwise."""

    size: str  # in the names of its models
    shape: Callable[[int], MistralConfig]
    vocab_size: int
    length: int  # tokens a block
    batch: int  # blocks a step
    tokens: int  # seen in a run
    peak_rate: float


PRESETS = {
    "nano": Preset("300k", nano, 1024, length=256, batch=4, tokens=262_144, peak_rate=6e-3),
    # Blocks longer than nearly every story: beyond the length it was trained on a model falls apart.
    "pocket": Preset("1m", pocket, 2048, length=512, batch=4, tokens=10_000_000, peak_rate=6e-3),
    "mini": Preset("10m", mini, 4096, length=256, batch=32, tokens=100_000_000, peak_rate=3e-3),
    "150m": Preset("150m", paper_150m, 32_000, length=512, batch=64, tokens=1_000_000_000, peak_rate=1e-3),
    "650m": Preset("650m", paper_650m, 32_000, length=512, batch=128, tokens=2_000_000_000, peak_rate=4e-4),
}


def preset_named(name: str, *, layers: int | None = None) -> Preset:
    """Return a preset by its name, with another number of layers where ``layers`` says one.

    Raises ValueError for a name that is none, and for fewer layers than 1.
    """
    preset = named(PRESETS, name, "preset")
    if layers is None:
        return preset
    if layers < 1:
        raise ValueError(f"a model of {layers} layers cannot be made: give 1 or more")
    size = f"{preset.size}-{layers}-layers"
    return replace(preset, size=size, shape=lambda words: _wider(preset.shape(words), num_hidden_layers=layers))


def _wider(config: MistralConfig, **changes: int | bool) -> MistralConfig:
    return MistralConfig(**(config.to_dict() | changes))
