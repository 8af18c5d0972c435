from itertools import islice

import pytest

from linstudy.text import stories, train_tokenizer

TEXTS = list(islice(stories(seed=0), 200))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=512)


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def test_training_repeats(tokenizer):
    again = train_tokenizer(iter(TEXTS), vocab_size=512)
    assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    other = train_tokenizer(TEXTS[100:], vocab_size=512)
    assert other.backend_tokenizer.to_str() != tokenizer.backend_tokenizer.to_str()


def test_vocabulary_has_the_size_asked_and_pays(tokenizer):
    assert len(tokenizer) == 512
    text = TEXTS[0]
    bytes_only = train_tokenizer(TEXTS, vocab_size=257)
    assert len(ids(bytes_only, text)) == len(text.encode())
    assert len(ids(tokenizer, text)) < len(text.encode()) / 1.5
    assert len(train_tokenizer(["ab ab"], vocab_size=512)) < 512


def test_end_of_text_is_one_token_and_both_ends(tokenizer):
    assert tokenizer.bos_token == tokenizer.eos_token == "<|endoftext|>"
    assert ids(tokenizer, "<|endoftext|>") == [tokenizer.eos_token_id]
    assert tokenizer("word")["input_ids"] == ids(tokenizer, "word")  # nothing is added unasked


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"vocab_size=256 has no room for the 256 bytes .* take 257 or more"):
        train_tokenizer(TEXTS, vocab_size=256)
    with pytest.raises(ValueError, match=r"this is one string: put it into a list"):
        train_tokenizer("one text")
    for nothing in ([], [""]):
        with pytest.raises(ValueError, match="no text in the iterable of texts: give one that has some"):
            train_tokenizer(nothing)
