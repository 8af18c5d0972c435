"""What models of this book are trained for besides the next token: tasks, masked tokens, half a text, healing."""

from .finetune import TUNING, dealt_again, finetune
from .healing import HEALING, STARTS, heal, restart_
from .hub_tasks import HUB_TASKS, hub_task
from .objectives import halves, language_nats, pretrain_for
from .which_weights import low_rank
