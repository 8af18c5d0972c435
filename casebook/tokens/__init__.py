"""Single tokens, as chapter 7 asks about them: what they are, how far off, what is read from them and added to them."""

from .classes import TokenClasses, token_classes, token_texts
from .errors import QUANTILES, TokenErrors, error_summary, layer_contributions, sample_states, token_errors
from .lens import Lens, logit_lens
from .questions import class_errors, every_token, geometry, tails, worst_tokens
from .taggers import word_classes
