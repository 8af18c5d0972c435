"""What a model says of itself: its name in tables, how many tokens it can read."""

import math
import os

from transformers import PreTrainedModel


def name_of(model: PreTrainedModel) -> str:
    """Return the name that tables give a model: its id on the hub, its pocket name, or its folder without the way."""
    name = model.config.name_or_path or ""
    return os.path.basename(os.path.normpath(name)) if os.path.isdir(name) else name


def positions(model: PreTrainedModel) -> int | float:
    """Return how many tokens a model has positions for; infinity where its config sets no limit."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or math.inf
