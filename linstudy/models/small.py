"""Small models with random weights, one or more of a family: what an architecture scores before any training."""

import torch
import transformers
from transformers import PreTrainedModel

from ..lookup import named

WIDTH, LAYERS, HEADS = 32, 3, 4

# What nearly every config knows by these names, or under others that it maps to them.
_PLAIN = dict(vocab_size=2048, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS)
_ENDS = dict(bos_token_id=1, eos_token_id=2)
_LONG = dict(max_position_embeddings=256)
_BERT = _PLAIN | _LONG | dict(intermediate_size=64)
_NEOX = _BERT | _ENDS | dict(pad_token_id=0)
_LLAMA = _NEOX | dict(num_key_value_heads=2)
_GEMMA = _LLAMA | dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=8)
_GPT2 = _PLAIN | _LONG | _ENDS
_FALCON = _PLAIN | _ENDS
_OPT = _PLAIN | _LONG | dict(ffn_dim=64, word_embed_proj_dim=WIDTH)

# Name of the variant: (class, fields of its config). The first word of a name is the model_type.
DECODERS = {
    "bloom": ("BloomForCausalLM", _PLAIN),
    "falcon": ("FalconForCausalLM", _FALCON),
    "falcon new": ("FalconForCausalLM", _FALCON | dict(new_decoder_architecture=True, num_kv_heads=2)),
    "falcon sequential": (
        "FalconForCausalLM",
        _FALCON | dict(parallel_attn=False, alibi=True, multi_query=False, bias=True),
    ),
    "gemma": ("GemmaForCausalLM", _LLAMA | dict(head_dim=8)),
    "gemma2": ("Gemma2ForCausalLM", _GEMMA),
    "gemma3_text": ("Gemma3ForCausalLM", _GEMMA | dict(sliding_window_pattern=2)),
    "gpt2": ("GPT2LMHeadModel", _GPT2),
    "gpt_neo": (
        "GPTNeoForCausalLM",
        _GPT2 | dict(window_size=8, attention_types=[[["global"], 1], [["local"], 2]]),
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", _NEOX),
    "gpt_neox sequential": ("GPTNeoXForCausalLM", _NEOX | dict(use_parallel_residual=False)),
    "gptj": ("GPTJForCausalLM", _GPT2 | dict(rotary_dim=4)),
    "llama": ("LlamaForCausalLM", _LLAMA),
    "mamba": (
        "MambaForCausalLM",
        dict(vocab_size=2048, hidden_size=WIDTH, num_hidden_layers=LAYERS, state_size=4) | _ENDS,
    ),
    "mistral": ("MistralForCausalLM", _LLAMA | dict(sliding_window=None)),
    "olmo2": ("Olmo2ForCausalLM", _LLAMA),
    "opt": ("OPTForCausalLM", _OPT),
    "opt postnorm": ("OPTForCausalLM", _OPT | dict(do_layer_norm_before=False)),
    "phi": ("PhiForCausalLM", _LLAMA | dict(num_key_value_heads=HEADS)),
    "phi3": ("Phi3ForCausalLM", _LLAMA),
    "qwen2": (
        "Qwen2ForCausalLM",
        _LLAMA | dict(use_sliding_window=True, sliding_window=8, max_window_layers=1),
    ),
    "qwen3": ("Qwen3ForCausalLM", _LLAMA | dict(head_dim=8)),
    "stablelm": ("StableLmForCausalLM", _LLAMA),
    "stablelm parallel": ("StableLmForCausalLM", _LLAMA | dict(use_parallel_residual=True)),
}
ENCODERS = {
    "bert": ("BertForMaskedLM", _BERT),
    "roberta": ("RobertaForMaskedLM", _BERT | dict(max_position_embeddings=258)),
}
ENCODER_DECODERS = {
    "bart": (
        "BartForConditionalGeneration",
        dict(vocab_size=2048, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS)
        | dict(encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, max_position_embeddings=256)
        | dict(encoder_ffn_dim=64, decoder_ffn_dim=64),
    ),
    "t5": (
        "T5ForConditionalGeneration",
        dict(vocab_size=2048, d_model=WIDTH, d_ff=64, d_kv=8, num_layers=LAYERS, num_heads=HEADS),
    ),
}
SMALL = DECODERS | ENCODERS | ENCODER_DECODERS


def small_model(name: str, *, seed: int = 0, **changes: object) -> PreTrainedModel:
    """Make a model of width 32 and 3 layers with the random weights that its family starts training from.

    ``name`` is one in ``SMALL``: a model_type, and a word more where a family has several kinds of block
    ("falcon sequential", "opt postnorm"). ``changes`` go to the config. In eval mode, on the CPU.

    Raises ValueError for an unknown name.
    """
    kind, fields = named(SMALL, name, "small model")
    maker = getattr(transformers, kind)
    # Under the family's own names: of a common name and its own, GPT-2 would take the one it was given first.
    own = maker.config_class.attribute_map
    named_by_it = {own.get(field, field): value for field, value in (fields | changes).items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return maker(maker.config_class(**named_by_it)).eval()
