"""Writes a small Llama as a GGUF file, the way llama.cpp's converter does."""

import json
from pathlib import Path

from gguf import GGUFWriter


def llama_cpp_order(weight, heads):
    """Bring the rows of a query or key matrix into the order in which llama.cpp rotates them."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(path: Path, model, tokenizer) -> Path:
    config, name = model.config, "llama"
    writer = GGUFWriter(path, name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    kept = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(kept["vocab"], key=kept["vocab"].get))
    writer.add_token_types([1] * len(kept["vocab"]))
    writer.add_token_merges([" ".join(pair) for pair in kept["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    names |= {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"}
    names |= {"mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    whole = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for key, value in model.state_dict().items():
        stem, weight = key.removesuffix(".weight"), value.float().numpy()
        if stem in whole:
            found = whole[stem]
        else:
            _, _, layer, part = stem.split(".", 3)
            found = f"blk.{layer}.{names[part]}"
            if names[part] in heads:
                weight = llama_cpp_order(weight, heads[names[part]])
        writer.add_tensor(f"{found}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
