"""Turn tokens back into the pieces of text they stand for, and say which class of word each belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .taggers import Span, word_classes


@dataclass(frozen=True)
class TokenClasses:
    """What is known of each token: `pd.DataFrame(vars(...))` has a row a token."""

    text: list[str]
    word_class: list[str]  # one of `WORD_CLASSES`, "space" or "special"
    first: list[bool]  # the word begins in this token


def token_texts(ids: Int[Tensor, " token"], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the text that each token adds to those before it; joined, they are the decoded whole.

    A letter whose bytes are spread over several tokens goes to the one that completes it; the others add "". Special
    tokens show by their own names. The whole is decoded without the cleaning up of blanks that some tokenizers do by
    default, for that would change text already told.
    """
    ids = ids.tolist()

    def decode(some: list[int]) -> str:
        return tokenizer.decode(some, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    # A token is decoded behind the one before it, not alone: alone it would lose its blank (SentencePiece) or keep its
    # "##" (WordPiece). Only lengths are taken from these pieces, so whatever the bytes, nothing is lost or added.
    lengths = []
    start = stop = 0  # tokens start:stop are told and end with a whole letter
    told = ""
    for index in range(len(ids)):
        longer = decode(ids[start : index + 1])
        if longer.endswith("\N{REPLACEMENT CHARACTER}") or len(longer) <= len(told):
            lengths.append(0)
            continue
        lengths.append(len(longer) - len(told))
        start, stop = stop, index + 1
        told = decode(ids[start:stop])
    whole = decode(ids)
    texts, end = [], 0
    for length in lengths:
        texts.append(whole[end : end + length])
        end += length
    if texts:
        texts[-1] += whole[end:]
    return texts


def token_classes(
    ids: Int[Tensor, " token"],
    tokenizer: PreTrainedTokenizerBase,
    *,
    tagger: str | Callable[[str], list[Span]] = "stories",
) -> TokenClasses:
    """Return of each token its text, the class of the word it mostly lies in, and whether that word begins there.

    A token of blanks alone is "space", a special token "special"; the text between two special tokens is tagged by
    itself. A token that adds nothing, because its letter is not complete, has the class of that letter's word. A word
    that the beginning or end of `ids` cuts is tagged as what is left of it.

    `ids` are tokens that follow each other. For the `tagger`, and what it raises, see `word_classes`.
    """
    texts = token_texts(ids, tokenizer)
    special = set(tokenizer.all_special_ids)
    classes: list[str] = []
    first: list[bool] = []
    document: list[str] = []
    for token, text in [*zip(ids.tolist(), texts, strict=True), (None, "")]:
        if token is not None and token not in special:
            document.append(text)
            continue
        for word_class, begins in _of_document(document, tagger):
            classes.append(word_class)
            first.append(begins)
        document = []
        if token is not None:
            classes.append("special")
            first.append(True)
    return TokenClasses(texts, classes, first)


def _of_document(texts: list[str], tagger: str | Callable[[str], list[Span]]) -> list[tuple[str, bool]]:
    whole = "".join(texts)
    spans = word_classes(whole, tagger=tagger) if whole.strip() else []
    word_at: list[int | None] = [None] * (len(whole) + 1)  # one more, for a letter that is never completed
    for index, (start, stop, _) in enumerate(spans):
        word_at[start:stop] = [index] * (stop - start)
    found, end = [], 0
    for text in texts:
        start, end = end, end + len(text)
        words = [word for word in word_at[start : max(end, start + 1)] if word is not None]
        if words:
            word = max(words, key=words.count)  # the first of equals
            found.append((spans[word][2], start <= spans[word][0] < end))
        else:
            found.append(("space", False))
    return found
