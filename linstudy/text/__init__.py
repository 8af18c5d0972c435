"""Texts: corpora by name, stories made here, documents into blocks of tokens."""

from .corpora import CORPORA, corpus
from .pack import count_bytes, shuffled, token_blocks
from .pydocs import pydocs, pydocs_fingerprint
from .stories import Story, stories, tell
from .tokenizer import train_tokenizer

__all__ = [
    "CORPORA",
    "Story",
    "corpus",
    "count_bytes",
    "pydocs",
    "pydocs_fingerprint",
    "shuffled",
    "stories",
    "tell",
    "token_blocks",
    "train_tokenizer",
]
