"""What a model says of itself: its name in tables, how many tokens it can read, what it was trained for."""

import math
import os

from transformers import PreTrainedModel
from transformers.models.auto import modeling_auto


def name_of(model: PreTrainedModel) -> str:
    """Return the name that tables give a model: its id on the hub, its pocket name, or its folder without the way."""
    name = model.config.name_or_path or ""
    return os.path.basename(os.path.normpath(name)) if os.path.isdir(name) else name


def positions(model: PreTrainedModel) -> int | float:
    """Return how many tokens a model has positions for; infinity where its config sets no limit."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None) or math.inf
    return limit if limit > 0 else math.inf  # XLNet's is -1


def task_of(model: PreTrainedModel) -> str:
    """Say what a model is trained for: causal, masked or seq2seq language modelling."""
    return task_for(model.config.model_type, type(model).__name__)


def task_for(kind: str, architecture: str) -> str:
    """Say what models of this model_type and class are trained for."""
    if architecture in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        return "causal"
    if kind in modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return "seq2seq"
    return "masked" if kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES else "causal"
