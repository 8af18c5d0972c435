"""How good a model is: its loss on a text."""

from .loss import bits_per_byte, check_causal, cross_entropy
