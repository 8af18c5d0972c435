"""Models that are alike in width, depth and vocabulary and differ in architecture: what is measured is that."""

from dataclasses import dataclass
from typing import Any

import torch
import transformers
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from linstudy.lookup import entries, named

WIDTH, DEPTH, PLAIN = 64, 6, 192  # an MLP without a gate is 192 wide inside and one with it 128: as many weights
STD = 0.02  # of the first weights of the stack of recurrent networks, as in the other families


@dataclass(frozen=True)
class Architecture:
    """What a model is: its kind, where it normalises, how it is trained, and the class that builds it."""

    kind: str  # decoder, encoder, encoder-decoder, state space, convolution or recurrent
    norm: str  # pre or post; or pre, and scaled by 1 / √layer
    task: str  # causal, masked or seq2seq
    rate: float  # that of the preset nano, and half of it for networks that normalise last; none was swept
    maker: str  # a class of transformers, or of this module
    fields: dict[str, Any]  # of its config


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


# In the order in which they are trained. A pair of decoders and one of encoders differ in where they normalise; OPT's
# two in nothing else. The encoder's window is as wide as any text, and turned like full attention: not every
# transformers takes full attention by name. The state space is Mamba-2, for without a kernel Mamba's scan takes a step
# a token; the convolution has no cache, for that asks for a layer of attention.
ARCHITECTURES = {name: Architecture(**entry) for name, entry in entries("matched.json", __package__).items()}


def matched_model(name: str, *, vocab_size: int, seed: int = 0) -> PreTrainedModel:
    """Make an untrained model of one of ``ARCHITECTURES``: 64 wide, 6 layers deep, in eval mode, on the CPU.

    An encoder-decoder has 6 layers in each of its stacks. Raises ValueError for an unknown name.
    """
    chosen = named(ARCHITECTURES, name, "architecture")
    maker = globals().get(chosen.maker) or getattr(transformers, chosen.maker)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return maker(maker.config_class(**chosen.fields | {"vocab_size": vocab_size})).eval()
