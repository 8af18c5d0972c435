"""Training: one descent for pretraining, fine-tuning and healing; penalties and their controls; what a run leaves."""

from .checkpoint import latest_checkpoint, load_snapshot, snapshots_in
from .controls import Scaling, fold, scaled
from .descent import Objective, descend
from .parse import from_word
from .penalties import Penalty, neighbour_penalty
from .presets import PRESETS, Preset, make_model, preset_named
from .pretrain import next_token_nats, pretrain
from .recipe import Recipe
from .release import pretrain_to
from .rows import with_bar
from .texts import documents, draw, make_tokenizer
