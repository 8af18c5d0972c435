"""How good a model is: its loss on a text."""

from .loss import cross_entropy

__all__ = ["cross_entropy"]
