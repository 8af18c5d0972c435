"""Models that are alike in width, depth and vocabulary and differ in architecture: what is measured is that."""

from dataclasses import dataclass, field
from typing import Any

import torch
import transformers
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from ..lookup import named

WIDTH, DEPTH, HEADS, GATED, PLAIN = 64, 6, 4, 128, 192  # MLPs with a gate and without have as many weights
STD = 0.02  # of the first weights of the stack of recurrent networks, as in the other families


@dataclass(frozen=True)
class Architecture:
    """What a model is: its kind, where it normalises, how it is trained, and the class that builds it."""

    kind: str  # decoder, encoder, encoder-decoder, state space, convolution or recurrent
    norm: str  # pre or post; or pre, and scaled by 1 / √layer
    task: str  # causal, masked or seq2seq
    maker: str | type[PreTrainedModel]  # a name in transformers, or a class
    fields: dict[str, Any] = field(default_factory=dict)  # of its config


class RecurrentConfig(PretrainedConfig):
    """Width, depth and vocabulary of a stack of recurrent networks."""

    model_type = "recurrent_stack"

    def __init__(self, vocab_size: int = 1024, hidden_size: int = WIDTH, num_hidden_layers: int = DEPTH, **rest: Any):
        self.vocab_size, self.hidden_size, self.num_hidden_layers = vocab_size, hidden_size, num_hidden_layers
        super().__init__(**rest)


class MinGRU(nn.Module):
    """The recurrence h = (1 - z) h + z g of "Were RNNs All We Needed?" (arXiv 2410.01201, appendix B), all at once.

    The gate z and the candidate g depend on the token alone, so that logarithms of all states are a cumulative sum.
    """

    def __init__(self, width: int):
        super().__init__()
        self.gate, self.candidate = nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """Mix every token with those before it."""
        gate, candidate = self.gate(x), self.candidate(x)
        log_candidate = torch.where(candidate >= 0, (candidate.relu() + 0.5).log(), -F.softplus(-candidate))
        forgotten = -F.softplus(gate).cumsum(dim=1)
        return self.out((forgotten + (log_candidate - F.softplus(-gate) - forgotten).logcumsumexp(dim=1)).exp())


class RecurrentBlock(nn.Module):
    """A recurrent network and an MLP, each behind a norm and beside the stream."""

    def __init__(self, width: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6)])
        self.mixer = MinGRU(width)
        self.mlp = nn.Sequential(nn.Linear(width, PLAIN), nn.GELU(), nn.Linear(PLAIN, width))

    def forward(self, hidden_states: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """Add what the two make of the stream."""
        stream = hidden_states + self.mixer(self.norms[0](hidden_states))
        return stream + self.mlp(self.norms[1](stream))


class RecurrentForCausalLM(PreTrainedModel):
    """A language model of such blocks: the control that mixes tokens by recurrence and by nothing else."""

    config_class = RecurrentConfig
    base_model_prefix = "model"

    def __init__(self, config: RecurrentConfig):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(RecurrentBlock(config.hidden_size) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=1e-6)
        with torch.no_grad():
            for weight in self.parameters():
                if weight.ndim > 1:
                    weight.normal_(std=STD)

    def forward(self, input_ids: Int[Tensor, "batch token"], **kwargs: Any) -> CausalLMOutput:
        """Say the logits of every next token."""
        stream = self.embed_tokens(input_ids)
        for block in self.layers:
            stream = block(stream)
        return CausalLMOutput(logits=F.linear(self.norm(stream), self.embed_tokens.weight))


_NONE = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))
_PLAIN = _NONE | dict(hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS)
_LONG = _PLAIN | dict(max_position_embeddings=512)
_MISTRAL = _LONG | dict(intermediate_size=GATED, num_key_value_heads=2, head_dim=WIDTH // HEADS)
_MISTRAL |= dict(sliding_window=None, tie_word_embeddings=True)
_OPT = _LONG | dict(ffn_dim=PLAIN, word_embed_proj_dim=WIDTH, dropout=0.0, pad_token_id=0)
_BERT = _LONG | dict(intermediate_size=PLAIN, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
_MODERN = _LONG | dict(intermediate_size=GATED, cls_token_id=None, sep_token_id=None)
# A window as wide as any text, turned like full attention, is full attention; not every transformers takes it by name.
_MODERN |= dict(local_attention=2 * 512, local_rope_theta=160_000.0)
_T5 = dict(d_model=WIDTH, d_ff=GATED, d_kv=WIDTH // HEADS, num_heads=HEADS, num_layers=DEPTH, dropout_rate=0.0)
_T5 |= dict(feed_forward_proj="gated-gelu", decoder_start_token_id=0)
# Mamba-2 and not Mamba: without a kernel the first one's scan takes a step a token.
_MAMBA = _NONE | dict(hidden_size=WIDTH, num_hidden_layers=DEPTH, state_size=16, head_dim=32, num_heads=4, n_groups=1)
_MAMBA |= dict(chunk_size=16, tie_word_embeddings=True)
_LFM2 = _LONG | dict(intermediate_size=GATED, block_auto_adjust_ff_dim=False, num_key_value_heads=2)
_LFM2 |= dict(layer_types=["conv"] * DEPTH, conv_L_cache=4, tie_word_embeddings=True)
_LFM2 |= dict(use_cache=False)  # its cache asks for a layer of attention

# A pair of decoders and one of encoders differ in where they normalise; OPT's two in nothing else.
ARCHITECTURES = {
    "decoder": Architecture("decoder", "pre", "causal", "MistralForCausalLM", _MISTRAL),
    "decoder, norms / √layer": Architecture("decoder", "pre, scaled", "causal", "MistralForCausalLM", _MISTRAL),
    "decoder, OPT": Architecture("decoder", "pre", "causal", "OPTForCausalLM", _OPT),
    "decoder, OPT, post-norm": Architecture(
        "decoder", "post", "causal", "OPTForCausalLM", _OPT | dict(do_layer_norm_before=False)
    ),
    "encoder": Architecture("encoder", "pre", "masked", "ModernBertForMaskedLM", _MODERN),
    "encoder, post-norm": Architecture("encoder", "post", "masked", "BertForMaskedLM", _BERT),
    "encoder-decoder": Architecture("encoder-decoder", "pre", "seq2seq", "T5ForConditionalGeneration", _T5),
    "state space": Architecture("state space", "pre", "causal", "Mamba2ForCausalLM", _MAMBA),
    "convolution": Architecture("convolution", "pre", "causal", "Lfm2ForCausalLM", _LFM2),
    "recurrent": Architecture("recurrent", "pre", "causal", RecurrentForCausalLM),
}


def matched_model(name: str, *, vocab_size: int, seed: int = 0) -> PreTrainedModel:
    """Make an untrained model of one of ``ARCHITECTURES``: 64 wide, 6 layers deep, in eval mode, on the CPU.

    An encoder-decoder has 6 layers in each of its stacks. Raises ValueError for an unknown name.
    """
    chosen = named(ARCHITECTURES, name, "architecture")
    maker = getattr(transformers, chosen.maker) if isinstance(chosen.maker, str) else chosen.maker
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return maker(maker.config_class(**chosen.fields | {"vocab_size": vocab_size})).eval()
