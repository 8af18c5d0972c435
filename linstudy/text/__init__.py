"""Texts: corpora by name, stories made here, documents into blocks of tokens."""

from storyworld import Story, stories, tell

from .corpora import CORPORA, corpus
from .pack import count_bytes, distinct_share, shuffled, token_blocks
from .pydocs import pydocs
from .tokenizer import train_tokenizer
