"""What models of this book are trained for besides the next token: tasks, masked tokens, the second half of a text."""

from .finetune import TUNING, dealt_again, finetune
from .objectives import halves, language_nats, pretrain_for
