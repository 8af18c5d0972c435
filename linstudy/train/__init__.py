"""Training: the pretraining loop, penalties and their controls, checkpoints, and the command that makes a model."""

from .checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from .config import TrainConfig
from .controls import Scaling, fold, scaled
from .finetune import finetune
from .penalties import Penalty, neighbour_penalty
from .pocket import make_model, make_tokenizer, pretrain_to
from .presets import PRESETS, mini, nano, paper_150m, paper_650m, pocket
from .pretrain import pretrain
from .progress import with_bar
from .snapshots import load_snapshot, save_snapshot, snapshots_in
from .steps import next_token_nats
from .words import from_word

__all__ = [
    "PRESETS",
    "Penalty",
    "Scaling",
    "TrainConfig",
    "finetune",
    "fold",
    "from_word",
    "latest_checkpoint",
    "load_checkpoint",
    "load_snapshot",
    "make_model",
    "make_tokenizer",
    "mini",
    "nano",
    "neighbour_penalty",
    "next_token_nats",
    "paper_150m",
    "paper_650m",
    "pocket",
    "pretrain",
    "pretrain_to",
    "save_checkpoint",
    "save_snapshot",
    "scaled",
    "snapshots_in",
    "with_bar",
]
