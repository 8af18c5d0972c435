"""How much of a text was copied: the share of its word sequences that a reference does not have."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Reference:
    """All sequences of `words` words of some texts, as sorted 64-bit hashes: 8 bytes for each different one."""

    words: int
    hashes: np.ndarray


def reference_index(texts: Iterable[str], *, words: int = 8) -> Reference:
    """Index the texts a model was trained on, once for all grades. Words are what blanks separate.

    Eight words is where stories can be told apart: of the sequences of an unseen story, some 60 % are not in 10,000
    others, 20 % of those of four words and nearly all of those of twenty.

    Raises:
        ValueError: for sequences of no word, for one string in place of several, and for texts without a sequence.

    """
    if words < 1:
        raise ValueError(f"words={words} make no sequence: take one word or more.")
    if isinstance(texts, str):
        raise ValueError("An index is made of several texts, and this is one string: put it into a list, [text].")
    hashes = np.zeros(0, np.uint64)
    batch: list[np.ndarray] = []
    for text in texts:
        batch.append(_hashes(text, words))
        if len(batch) == 10_000:  # repeated sequences go early, or the memory would hold them all
            hashes, batch = np.unique(np.concatenate([hashes, *batch])), []
    hashes = np.unique(np.concatenate([hashes, *batch]))
    if not len(hashes):
        raise ValueError(f"The texts have no sequence of {words} words: give longer ones, or a smaller `words`.")
    return Reference(words, hashes)


def novelty(text: str, reference: Reference) -> float:
    """Return the share of a text's word sequences, in [0, 1], that the reference does not have.

    Every occurrence counts. A copied text has 0; NaN for a text shorter than one sequence.
    """
    hashes = _hashes(text, reference.words)
    if not len(hashes):
        return math.nan
    at = np.searchsorted(reference.hashes, hashes).clip(max=len(reference.hashes) - 1)
    return float((reference.hashes[at] != hashes).mean())


def _hashes(text: str, words: int) -> np.ndarray:
    single = np.array([_hash(word) for word in text.split()], np.uint64)
    count = max(0, len(single) - words + 1)
    total = np.zeros(count, np.uint64)
    for first in range(words):  # wraps around at 2^64, as it should
        total = total * MULTIPLIER + single[first : first + count]
    return total


@lru_cache(maxsize=100_000)
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
