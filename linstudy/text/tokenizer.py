"""A byte-level BPE tokenizer, trained here, that loses no character of any text."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from .corpora import corpus

END_OF_TEXT = "<|endoftext|>"  # stands between documents: begins one and ends another
SMALLEST_VOCABULARY = 256 + 1  # a token a byte, and the end of text


def train_tokenizer(texts: Iterable[str], *, vocab_size: int = 2048) -> PreTrainedTokenizerFast:
    """Train a tokenizer on texts, which must end; the same texts give the same tokenizer.

    The pieces are those of GPT-2 (byte-level BPE, Radford et al. 2019), so every string decodes to itself. A vocabulary
    comes out smaller than `vocab_size` when the texts have no more pairs to merge.

    Raises ValueError for a vocabulary without room for all bytes, for no text, and for one string in place of several.
    """
    if vocab_size < SMALLEST_VOCABULARY:
        raise ValueError(
            f"vocab_size={vocab_size} has no room for the 256 bytes and {END_OF_TEXT}: "
            f"take {SMALLEST_VOCABULARY} or more."
        )
    if isinstance(texts, str):
        raise ValueError("A tokenizer is trained on several texts, and this is one string: put it into a list, [text].")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        # Off, or decoding would take out the blank before a full stop.
        clean_up_tokenization_spaces=False,
    )
