"""Tiny random models of every family in the table: width 32, 3 layers, seeded, in eval mode."""

import torch
import transformers
from transformers import PreTrainedModel

VOCABULARY, WIDTH, LAYERS, HEADS = 99, 32, 3, 4

_LLAMA = dict(
    vocab_size=VOCABULARY,
    hidden_size=WIDTH,
    intermediate_size=64,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    num_key_value_heads=2,
    max_position_embeddings=128,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)
_GEMMA = _LLAMA | dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=8)
_GPT2 = dict(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=128) | dict(
    bos_token_id=1, eos_token_id=2
)
_BERT = dict(
    vocab_size=VOCABULARY,
    hidden_size=WIDTH,
    intermediate_size=64,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    max_position_embeddings=128,
)
_FALCON = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS) | dict(
    bos_token_id=1, eos_token_id=2
)
_NEOX = {key: value for key, value in _LLAMA.items() if key != "num_key_value_heads"}
_OPT = dict(
    vocab_size=VOCABULARY,
    hidden_size=WIDTH,
    ffn_dim=64,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    max_position_embeddings=128,
    word_embed_proj_dim=WIDTH,
)

# name of the variant: (class, fields of its config). The first word of a name is the model_type.
DECODERS = {
    "bloom": ("BloomForCausalLM", dict(vocab_size=VOCABULARY, hidden_size=WIDTH, n_layer=LAYERS, n_head=HEADS)),
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
        dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_layers=LAYERS, num_heads=HEADS, window_size=8)
        | dict(attention_types=[[["global"], 1], [["local"], 2]], max_position_embeddings=128)
        | dict(bos_token_id=1, eos_token_id=2),
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", _NEOX),
    "gpt_neox sequential": ("GPTNeoXForCausalLM", _NEOX | dict(use_parallel_residual=False)),
    "gptj": ("GPTJForCausalLM", _GPT2 | dict(rotary_dim=4)),
    "llama": ("LlamaForCausalLM", _LLAMA),
    "mamba": (
        "MambaForCausalLM",
        dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, state_size=4)
        | dict(bos_token_id=1, eos_token_id=2),
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
    "roberta": ("RobertaForMaskedLM", _BERT | dict(max_position_embeddings=130)),
}
ENCODER_DECODERS = {
    "bart": (
        "BartForConditionalGeneration",
        dict(vocab_size=VOCABULARY, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS)
        | dict(encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, max_position_embeddings=128)
        | dict(encoder_ffn_dim=64, decoder_ffn_dim=64),
    ),
    "t5": (
        "T5ForConditionalGeneration",
        dict(vocab_size=VOCABULARY, d_model=WIDTH, d_ff=64, d_kv=8, num_layers=LAYERS, num_heads=HEADS),
    ),
}
ALL = DECODERS | ENCODERS | ENCODER_DECODERS


def tiny_model(name: str, *, seed: int = 0, spread: float = 0.1, **changes) -> PreTrainedModel:
    """Make a tiny model of a variant named above, its weights drawn from ``seed``; ``changes`` go to the config.

    ``spread`` is the standard deviation of the linear layers: wide enough that no block is nearly the identity.
    """
    kind, fields = ALL[name]
    maker = getattr(transformers, kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = maker(maker.config_class(**fields | changes)).eval()
        with torch.no_grad():
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


def run(model: PreTrainedModel, ids: torch.Tensor, **options):
    """Call the model on ids, as decoder input too where it has an encoder."""
    if model.config.is_encoder_decoder:
        options["decoder_input_ids"] = ids.flip(1)
    return model(ids, **options)
