"""Training: the pretraining loop, its checkpoints, and the command that makes a pocket model."""

from .checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from .pocket import pretrain_to
from .presets import pocket
from .pretrain import TrainConfig, next_token_nats, pretrain

__all__ = [
    "TrainConfig",
    "latest_checkpoint",
    "load_checkpoint",
    "next_token_nats",
    "pocket",
    "pretrain",
    "pretrain_to",
    "save_checkpoint",
]
