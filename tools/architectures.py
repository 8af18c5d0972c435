"""Try every causal architecture that the installed transformers can build small; ``--write`` renews the list of them.

Each is built with random weights from its own config, whose widths, depths and counts are made small by their names,
and measured. What does not work is told in a sentence.
"""

import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import transformers
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CLASSES

from linstudy import linearity_profile
from linstudy.hub import quiet
from linstudy.models import parts_of

TABLE = Path(__file__).resolve().parent.parent / "linstudy" / "results" / "architectures.csv"
WIDTH, LAYERS, HEADS, VOCABULARY = 32, 3, 4, 99
LARGEST = 3_000_000  # parameters: a config whose fields have other names gives, in silence, a full-sized model

# Patterns of the names of a config's fields, and the most that such a field may be; the first that fits counts.
MOST = {
    r"num_kv_shared_layers": 0,
    r"(.*_)?(n|num|hidden|encoder|decoder)_layers?|num_blocks": LAYERS,
    r".*vocab.*": VOCABULARY,
    r".*(per_tok|per_token|topk|top_k|moe_k)": 2,
    r".*n_groups?|topk_group|num_expert_group|o_groups|.*shared_experts": 1,
    r".*experts|.*expert_num": HEADS,
    r".*(d_head|dim_head|head_dim|headdim|head_size|kv_channels|rotary_dim|dt_rank)": WIDTH // HEADS,
    r".*(key_value_heads|kv_heads|query_groups)": HEADS // 2,
    r".*heads?": HEADS,
    r".*(positions?|position_embeddings|n_ctx|max_seq_len|context_length|max_length)": 128,
    r".*(rank|d_state|state_size|chunk_size|window.*)": WIDTH // HEADS,
    r".*(hidden_size.*|size|size_mlp|d_model|n_embd|dim|lru_width|d_ssm)": WIDTH,
    r".*(intermediate|ffn|dff|d_inner|dim_ff|feed_forward).*": WIDTH,
    r".*_token_id": 2,
}
DERIVED = ("qk_head_dim",)  # what a config works out of other fields
OPEN = ("num_key_value_heads", "head_dim", "n_routed_experts", "n_shared_experts", "num_experts_per_tok")
"""Made small, too, where a config leaves them open."""
INNER = r"mamba_d_head|mamba_head_dim|mamba_headdim"  # the heads of a state-space layer make up its inner width
OTHERS = {
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv"]},
    "qwen4_exp": {"layer_types": ["linear_attention"] * LAYERS},
    "qwen4_exp_text": {"layer_types": ["linear_attention"] * LAYERS},
    "reformer": {"axial_pos_embds": False},
    "xmod": {"default_language": "en_XX"},
}


def small_model(kind: str, *, seed: int = 0) -> PreTrainedModel:
    """Make a small model of a model_type with the random weights that it starts training from, in eval mode."""
    maker = getattr(transformers, CLASSES[kind])
    try:
        config = small_config(maker.config_class, every_kind=True, **OTHERS.get(kind, {}))
    except (ValueError, TypeError, KeyError):
        config = small_config(maker.config_class, every_kind=False, **OTHERS.get(kind, {}))
    with torch.device("meta"):  # where a model takes no memory
        size = maker(config).num_parameters()
    if size > LARGEST:
        raise ValueError(f"its small config still has {size:,} parameters")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return maker(config).eval()


def small_config(maker: type[PreTrainedConfig], *, every_kind: bool, **others: object) -> PreTrainedConfig:
    """Make a config whose numbers are small; with ``every_kind`` the last layers are of the kinds of its last ones."""
    default = maker()
    values = {name: value for name, value in default.to_dict().items() if name not in DERIVED}
    heads = next((values[name] for name in ("num_attention_heads", "n_head", "num_heads") if name in values), None)
    inner = int(WIDTH * values.get("expand", values.get("mamba_expand", 0)))
    depth = next((n for name, n in values.items() if re.fullmatch("num_hidden_layers|n_layers?|num_layers", name)), 0)
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if name == "is_decoder":
            fields[name] = True
        elif name in default.sub_configs:
            value = getattr(default, name)
            fields[name] = value and small_config(type(value), every_kind=every_kind)
        elif every_kind and isinstance(value, list) and len(value) == depth > LAYERS:
            fields[name] = smaller(name, [value[0], *value[1 - LAYERS :]])
        elif inner and (re.fullmatch(INNER, name) or ("expand" in values and name == "head_dim")):
            fields[name] = inner // HEADS
        elif name == "mamba_d_ssm":
            fields[name] = inner
        elif "key_value" in name and value in (heads, None):
            fields[name] = HEADS
        elif value is not None or name in OPEN:
            fields[name] = smaller(name, value)
    fields = {name: value for name, value in fields.items() if name in others or value != values.get(name)}
    return maker(**fields | others)


def smaller(name: str, value: Any) -> Any:
    """Make a field's number, and those inside of it, small."""
    if isinstance(value, dict):
        there = {key: one for key, one in value.items() if not str(key).isdecimal() or int(key) < LAYERS}
        return {key: smaller(str(key), one) for key, one in there.items()}
    if isinstance(value, list):
        return [smaller(name, one) for one in value]
    most = next((most for pattern, most in MOST.items() if re.fullmatch(pattern, name)), None)
    if most is None or not (value is None or type(value) is int):
        return value
    return most if value is None else min(value, most)


def outcome(kind: str) -> dict[str, str]:
    """Say whether a small model of this type can be measured, and what hinders it."""
    row = {"model_type": kind, "class": CLASSES[kind], "works": "no", "parts": "", "reason": ""}
    try:
        with quiet():
            model = small_model(kind)
    except Exception as error:
        return row | {"works": "not built", "reason": f"transformers: {sentence(error)}"}
    try:
        linearity_profile(model, text())
        return row | {"works": "yes", "parts": ", ".join(parts_of(model))}
    except ValueError as error:
        return row | {"reason": sentence(error)}


def text() -> torch.Tensor:
    """Draw token ids, enough to measure a small model."""
    return torch.randint(3, VOCABULARY, (32, 12), generator=torch.Generator().manual_seed(0))


def sentence(error: Exception) -> str:
    """Return what was wrong, in one line and without what would help."""
    return re.split(r": if it has a list|: use a language|\. (?=[A-Z])", " ".join(str(error).split()))[0]


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    table = pd.DataFrame([outcome(kind) for kind in CLASSES]).assign(transformers=transformers.__version__)
    print(table[table["works"] != "yes"].to_string(), table["works"].value_counts().to_string(), sep="\n\n")
    if "--write" in sys.argv:
        table.to_csv(TABLE, index=False, lineterminator="\n")
