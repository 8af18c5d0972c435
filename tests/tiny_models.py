"""Tiny random models of many families: width 32, 3 layers, seeded, in eval mode."""

import torch
from transformers import PreTrainedModel

from linstudy.models import SMALL, small_model

VOCABULARY, WIDTH, LAYERS, HEADS = 99, 32, 3, 4
ALL = SMALL
ENCODERS = ("bert", "roberta")
ENCODER_DECODERS = ("bart", "t5")
EVERY_STACK = [(n, s) for n in ALL for s in (("encoder", "decoder") if n in ENCODER_DECODERS else (None,))]
DECODERS = [name for name in SMALL if name not in (*ENCODERS, *ENCODER_DECODERS)]
SOME = ["gpt2", "llama", "mamba", "opt postnorm"]  # unlike in norms and parts: for what reads a stream that is proven


def tiny_model(name: str, *, seed: int = 0, spread: float = 0.1, **changes) -> PreTrainedModel:
    """Make a tiny model of a variant named above, its weights drawn from ``seed``; ``changes`` go to the config.

    ``spread`` is the standard deviation of the linear layers: wide enough that no block is nearly the identity.
    """
    model = small_model(name, seed=seed, **{"vocab_size": VOCABULARY, "max_position_embeddings": 128} | changes)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.normal_(std=spread)
            elif model.config.model_type != "mamba":  # norms and biases: not all 1 and 0, or a mix-up goes unseen
                weight.add_(torch.randn_like(weight), alpha=spread)
    # Configs take any misspelt field in silence, and the model is then the full-sized one.
    assert model.num_parameters() < 100_000, f"{name}: {model.num_parameters()} parameters"
    assert model.config.model_type == name.split()[0]
    return model


def tiny_ids(*, batch: int = 2, length: int = 12, seed: int = 0) -> torch.Tensor:
    """Draw token ids, none of them special."""
    return torch.randint(3, VOCABULARY, (batch, length), generator=torch.Generator().manual_seed(seed))


def hooks(model: PreTrainedModel) -> int:
    """Count what hangs on a model."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def run(model: PreTrainedModel, ids: torch.Tensor, **options):
    """Call the model on ids, as decoder input too where it has an encoder."""
    if model.config.is_encoder_decoder:
        options["decoder_input_ids"] = ids.flip(1)
    return model(ids, **options)
