"""Shapes of models to pretrain, by name."""

from transformers import MistralConfig


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
