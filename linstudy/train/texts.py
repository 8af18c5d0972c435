"""What a model is pretrained on: one text or several in turns, a tokenizer of its own, and a part that is held out."""

from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..text import corpus, token_blocks, train_tokenizer
from .presets import Preset

TOKENIZER_DOCUMENTS = {"text": 3_000, "pydocs": 200}  # pydocs so that other English does not fall apart into bytes


def draw(
    text: str, preset: Preset, *, blocks: int, heldout: int, seed: int = 0
) -> tuple[PreTrainedTokenizerBase, Int[Tensor, "heldout token"], Int[Tensor, "block token"]]:
    """Return a tokenizer of a text, its first blocks, to measure on, and those after them, to train on.

    ``preset`` says the vocabulary and the length of a block; ``text`` is a corpus by name, the path of a text file, or
    several with ``+`` between.
    """
    tokenizer = make_tokenizer(text, vocab_size=preset.vocab_size, seed=seed)
    source = documents(text, seed=seed) if len(parts(text)) > 1 else text
    tokens = (heldout + blocks) * preset.length
    both = token_blocks(source, tokenizer, tokens=tokens, length=preset.length, seed=seed)
    return tokenizer, both[:heldout], both[heldout:]


def make_tokenizer(text: str, *, vocab_size: int, seed: int) -> PreTrainedTokenizerBase:
    """Train a tokenizer on the beginning of the text and on some real English."""
    own = islice(documents(text, seed=seed), TOKENIZER_DOCUMENTS["text"])
    english = islice(corpus("pydocs", seed=seed), TOKENIZER_DOCUMENTS["pydocs"])
    return train_tokenizer(chain(own, english), vocab_size=vocab_size)


def documents(text: str, *, seed: int) -> Iterator[str]:
    """Read a text, or several with ``+`` between: a document of each in turns, until the last has ended."""
    rounds = zip_longest(*(corpus(part, seed=seed) for part in parts(text)))
    return (document for one_round in rounds for document in one_round if document is not None)


def parts(text: str) -> list[str]:
    """Take several texts apart; a file may have a + in its name."""
    return [text] if Path(text).is_file() else text.split("+")


def shown(text: str) -> str:
    """Return a text's name, without the folders of this machine."""
    return "+".join(Path(part).name for part in parts(text))
