"""How good a model is: its loss on a text."""

from .loss import bits_per_byte, cross_entropy
