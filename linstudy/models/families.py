"""Where the parts of each model family are: its blocks, its final norm, the stream between attention and MLP."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torch import nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class Family:
    """One line of the table: dotted names of a family's parts.

    ``blocks`` and ``final_norm`` count from ``model.base_model``, so that models with and without a head are
    alike; ``{stack}`` stands for ``encoder`` or ``decoder``. The rest counts from a block.
    """

    blocks: str
    final_norm: str | None
    between: str | Callable[[nn.Module], nn.Module | None] | None = None
    """The module whose *input* is the stream after attention and before the MLP, by name or as a function of the
    block. That holds for norms before, after and around a part, and where modules add the stream themselves
    (BLOOM). None where attention and MLP read the same stream side by side."""
    attention: str | None = None
    """For families that can be parallel: the module whose output is added to the stream; with ``mlp`` likewise."""
    mlp: str | None = None
    returns: int = 0
    """How many values a block returns in a tuple, the stream first; 0 for the bare stream."""
    task: str = "causal"
    """What its models are trained for: ``causal``, ``masked`` or ``seq2seq`` language modelling."""

    @property
    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks to choose from; empty where there is one."""
        return ("encoder", "decoder") if "{stack}" in self.blocks else ()


def _llama(between: str = "post_attention_layernorm") -> Family:
    return Family("layers", "norm", between)


def _bert() -> Family:
    return Family("encoder.layer", None, "intermediate", task="masked")


FAMILIES: dict[str, Family] = {
    "bart": Family("{stack}.layers", None, "fc1", task="seq2seq"),
    "bert": _bert(),
    "bloom": Family("h", "ln_f", "post_attention_layernorm", returns=2),
    "falcon": Family(
        "h",
        "ln_f",
        lambda b: getattr(b, "post_attention_layernorm", None),
        attention="self_attention",
        mlp="mlp",
        returns=2,
    ),
    "gemma": _llama(),
    "gemma2": _llama("pre_feedforward_layernorm"),
    "gemma3_text": _llama("pre_feedforward_layernorm"),
    "gpt2": Family("h", "ln_f", "ln_2"),
    "gpt_neo": Family("h", "ln_f", "ln_2", returns=2),
    "gpt_neox": Family(
        "layers",
        "final_layer_norm",
        lambda b: None if b.use_parallel_residual else b.post_attention_layernorm,
        attention="attention",
        mlp="mlp",
    ),
    "gptj": Family("h", "ln_f", attention="attn", mlp="mlp", returns=2),
    "llama": _llama(),
    "mamba": Family("layers", "norm_f"),  # one mixer a block: there is nothing between
    "mistral": _llama(),
    "olmo2": _llama("mlp"),  # norms stand after attention and after the MLP, none before
    "opt": Family(  # 350m normalises after each part, the others before
        "decoder.layers",
        "decoder.final_layer_norm",
        lambda b: b.final_layer_norm if b.do_layer_norm_before else b.fc1,
    ),
    "phi": Family("layers", "final_layernorm", attention="self_attn", mlp="mlp"),
    "phi3": _llama(),
    "qwen2": _llama(),
    "qwen3": _llama(),
    "roberta": _bert(),
    "stablelm": Family(
        "layers",
        "norm",
        lambda b: None if b.use_parallel_residual else b.post_attention_layernorm,
        attention="self_attn",
        mlp="mlp",
    ),
    "t5": Family("{stack}.block", "{stack}.final_layer_norm", lambda b: b.layer[-1], returns=3, task="seq2seq"),
}


def family_of(model: PreTrainedModel) -> Family:
    """Look the model's family up in :data:`FAMILIES`.

    Raises ValueError for a family that is not in the table, with what to add.
    """
    kind = model.config.model_type
    if kind not in FAMILIES:
        raise ValueError(
            f"where the blocks of a {kind!r} model are is not known (known: {', '.join(FAMILIES)}): add one line, "
            f'linstudy.models.FAMILIES["{kind}"] = Family(blocks=..., final_norm=...), with their names under '
            "model.base_model"
        )
    return FAMILIES[kind]


def blocks(model: PreTrainedModel, *, stack: str | None = None) -> nn.ModuleList:
    """Return the list of blocks, first to last.

    ``stack`` is ``"encoder"`` or ``"decoder"`` for models that have both, and left out for all others.
    Raises ValueError for an unknown family or stack.
    """
    return _find(model, family_of(model).blocks, stack)


def final_norm(model: PreTrainedModel, *, stack: str | None = None) -> nn.Module | None:
    """Return the norm that the stream passes after the last block; None where the family has none."""
    name = family_of(model).final_norm
    return name and _find(model, name, stack)


def stack_of(model: PreTrainedModel, *, stack: str | None = None) -> nn.Module:
    """Return the module that holds the list of blocks and runs them."""
    parent = family_of(model).blocks.rpartition(".")[0]
    return _find(model, parent, stack) if parent else model.base_model


def _find(model: PreTrainedModel, name: str, stack: str | None) -> Any:
    stacks = family_of(model).stacks
    if stack not in (stacks or (None,)):
        kind = model.config.model_type
        choice = f"give stack={' or stack='.join(map(repr, stacks))}" if stacks else "leave stack out"
        raise ValueError(f"stack={stack!r} does not say which blocks of a {kind!r} model are meant: {choice}")
    return attrgetter(name.format(stack=stack))(model.base_model)
