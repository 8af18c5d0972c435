"""A model and a text as long runs name them, and the columns that several tables have."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

LENGTH = 256  # tokens a block
SCORES = ("linearity_raw", "update_linearity_raw", "linearity", "update_linearity", "floor", "update_ratio")
SCORES += ("norm_ratio", "cosine", "anisotropy", "feature_linearity")
SCORES += ("linearity_standardised", "update_linearity_standardised")


@dataclass(frozen=True)
class Source:
    """A model and a text: what the tables call them, and where they are."""

    model: str
    revision: str  # "" while the model is not here
    place: str | Path  # a name or a folder for linstudy.load
    corpus: str
    text: str | Path  # a name or a file for linstudy.token_blocks
    commit: str | None = None  # on the hub
    framed: bool = True  # whether blocks begin and end as the tokenizer frames a text

    @property
    def key(self) -> dict[str, object]:
        """Return the key columns that it fills; of a model that is not here, rows of any revision will do."""
        return {"model": self.model, "corpus": self.corpus} | ({"revision": self.revision} if self.revision else {})

    def load(self, **options: Any) -> tuple[Any, Any]:
        """Return model and tokenizer."""
        from linstudy import load

        return load(self.place, **{"revision": self.commit} | options)


@dataclass(frozen=True)
class Text:
    """A text on which something is measured that was fitted on the source's: what tables call it, and where it is."""

    name: str
    place: str | Path  # a name or a file for linstudy.token_blocks

    @property
    def key(self) -> dict[str, object]:
        """Return the key column that it fills."""
        return {"text": self.name}


def blocks_of(text: str | Path | Sequence[str], tokenizer: Any, count: int, *, framed: bool = True) -> Any:
    """Return the first blocks of a text."""
    from linstudy.text import token_blocks

    return token_blocks(text, tokenizer, tokens=count * LENGTH, length=LENGTH, framed=framed)


def text_of(blocks: Any) -> dict[str, object]:
    """Return the columns that say of which text a row is."""
    return {"length": blocks.shape[1], "text_hash": text_hash(blocks)}


def text_hash(blocks: Any) -> str:
    """Return 12 digits that tell token blocks from others."""
    return hashlib.sha256(blocks.cpu().numpy().astype("<i8").tobytes()).hexdigest()[:12]


def task_examples(name: str, count: int, model: Any, tokenizer: Any, *, split: str = "test") -> list[Any]:
    """Return so many examples of a task; those longer than the model has positions are left out."""
    from linstudy.models import positions

    from ..stories import task

    room = positions(model)

    def fits(one: Any) -> bool:
        texts = [one.text, *map(one.whole, range(len(one.choices)))]
        return max(map(len, tokenizer(texts, verbose=False)["input_ids"])) <= room

    return list(islice(filter(fits, task(name, split=split)), count))
