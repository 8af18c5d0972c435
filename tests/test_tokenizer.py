from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from linstudy.text import stories, train_tokenizer

TEXTS = list(islice(stories(seed=0), 200))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=512)


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two blanks ,  and a stop .\n\n\ttab\r\n",
        "\N{CAT FACE} caf\u00e9 e\u0301 \N{FAMILY}\N{ZERO WIDTH JOINER}\N{WOMAN}",
        "从前有一只狐狸。",
        '<b onclick="alert(1)">&amp;</b><!-- </script> -->',
        "def f(x):\n    return x[0] ** 2  # 1234567890 {}|~^\\\x00\x7f",
        "one<|endoftext|>two",
    ],
)
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(ids(tokenizer, text)) == text


@settings(deadline=None, derandomize=True)
@given(text=st.text())
def test_every_string_comes_back(tokenizer, text):
    assert tokenizer.decode(ids(tokenizer, text)) == text


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


def test_saved_and_loaded_it_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert (loaded.bos_token_id, loaded.eos_token_id) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
    text = "It works , does n't it ? \N{CAT FACE}"
    assert ids(loaded, text) == ids(tokenizer, text)
    assert loaded.decode(ids(loaded, text)) == text


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"vocab_size=256 has no room for the 256 bytes .* take 257 or more"):
        train_tokenizer(TEXTS, vocab_size=256)
    with pytest.raises(ValueError, match=r"this is one string: put it into a list"):
        train_tokenizer("one text")
    for nothing in ([], [""]):
        with pytest.raises(ValueError, match="no text in the iterable of texts: give one that has some"):
            train_tokenizer(nothing)
