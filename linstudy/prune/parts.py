"""Where inside a block its attention, its MLP and the last matrix of its MLP are, family by family."""

from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel

from ..models import blocks as model_blocks


@dataclass(frozen=True)
class Inside:
    """Dotted names in a block; None where there is no such module.

    ``attention`` and ``mlp`` are modules whose output is added to the stream by the block (after a norm, in some
    families). ``down`` is the last matrix of the block: what it gives is added to the stream as it is.
    """

    attention: str | None
    mlp: str | None
    down: str | None


_LLAMA = Inside("self_attn", "mlp", "mlp.down_proj")
_NORM_AFTER = Inside("self_attn", "mlp", None)  # a norm stands between the last matrix and the stream

INSIDE: dict[str, Inside] = {
    "bloom": Inside(None, None, "mlp.dense_4h_to_h"),  # its attention and MLP add the stream themselves
    "falcon": Inside("self_attention", "mlp", "mlp.dense_4h_to_h"),
    "gemma": _LLAMA,
    "gemma2": _NORM_AFTER,
    "gemma3_text": _NORM_AFTER,
    "gpt2": Inside("attn", "mlp", "mlp.c_proj"),
    "gpt_neo": Inside("attn", "mlp", "mlp.c_proj"),
    "gpt_neox": Inside("attention", "mlp", "mlp.dense_4h_to_h"),
    "gptj": Inside("attn", "mlp", "mlp.fc_out"),
    "llama": _LLAMA,
    "mamba": Inside(None, None, "mixer.out_proj"),
    "mistral": _LLAMA,
    "olmo2": _NORM_AFTER,
    "opt": Inside("self_attn", None, "fc2"),  # its MLP is two matrices in the block itself
    "phi": Inside("self_attn", "mlp", "mlp.fc2"),
    "phi3": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "stablelm": _LLAMA,
}


def parts_in(model: PreTrainedModel) -> tuple[str, ...]:
    """Return which parts of its blocks can go by themselves: "attention", "mlp", both, or none."""
    inside = INSIDE.get(model.config.model_type, Inside(None, None, None))
    return tuple(part for part in ("attention", "mlp") if getattr(inside, part))


def part_at(model: PreTrainedModel, layer: int, part: str) -> tuple[nn.Module, str]:
    """Return the block of a layer, counted from 1, and the name of its attention or its MLP.

    Raises ValueError where that is no module of its own.
    """
    kind, block = model.config.model_type, model_blocks(model)[layer - 1]
    name = getattr(INSIDE[kind], part) if kind in INSIDE else None
    if name is None or not hasattr(block, name):
        raise ValueError(
            f"the {part} of layer {layer}, a {type(block).__name__} of a {kind!r} model, is no module that can be "
            'taken out by itself: use part="block"'
        )
    return block, name


def down_at(model: PreTrainedModel, layer: int) -> tuple[nn.Module, str]:
    """Return the module that holds the last matrix of a layer, counted from 1, and that matrix's name in it.

    Raises ValueError where something stands between that matrix and the stream.
    """
    instead = 'use action="run" or action="remove"'
    if layer < 1:
        raise ValueError(f"layer 1 cannot be merged into the layer before it, because there is none: {instead}")
    kind, block = model.config.model_type, model_blocks(model)[layer - 1]
    name = INSIDE[kind].down if kind in INSIDE else None
    reason = f"what follows layer {layer} cannot be merged into it, because "
    if name is None:
        raise ValueError(f"{reason}a {kind!r} block has no last matrix that writes to the stream as it is: {instead}")
    if not getattr(block, "do_layer_norm_before", True):  # OPT-350m
        raise ValueError(f"{reason}a norm follows its MLP: {instead}")
    parent, _, last = name.rpartition(".")
    try:
        holder = block.get_submodule(parent)
        holder.get_submodule(last)
    except AttributeError:
        raise ValueError(f"{reason}it is a {type(block).__name__} by now: {instead}") from None
    return holder, last
