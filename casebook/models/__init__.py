"""Models of this book: alike in all but architecture, twins with other weights, one with a spike planted in it."""

from .given import Given
from .matched import ARCHITECTURES, matched_model
from .spikes import planted
from .twins import twin
