"""Tokens as pieces of text: nothing lost, each letter with the token that completes it; and their classes."""

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from casebook.tokens import token_classes, token_texts
from linstudy.text import stories, train_tokenizer

TEXTS = list(islice(stories(seed=0), 60))
TEXT = "  Mila ran ,\n\nand caf\u00e9 \N{CAT FACE} unbelievable. She had two cats."


def byte_level() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS, vocab_size=400)


def sentencepiece() -> PreTrainedTokenizerFast:
    """Return a tokenizer made like Llama's: blanks are letters, one goes before the text, unknown letters are bytes."""
    blank = "\N{LOWER ONE EIGHTH BLOCK}"
    normalizer = normalizers.Sequence([normalizers.Prepend(blank), normalizers.Replace(" ", blank)])
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")  # no token over two words
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    learner.train_from_iterator(TEXTS, trainer)
    vocabulary = learner.get_vocab()
    merges = [(a, b) for a in vocabulary for b in vocabulary if a + b in vocabulary]
    merges.sort(key=lambda pair: vocabulary["".join(pair)])
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(blank, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def wordpiece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=True)
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]")


@pytest.fixture(scope="module", params=[byte_level, sentencepiece, wordpiece], ids=lambda make: make.__name__)
def tokenizer(request):
    return request.param()


def encode(tokenizer, text):
    return torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"], dtype=torch.int64)


def decode(tokenizer, ids):
    return tokenizer.decode(ids.tolist(), skip_special_tokens=False, clean_up_tokenization_spaces=False)


@pytest.mark.parametrize("text", [TEXT, TEXTS[0], "", " ", "\N{CAT FACE}", None])
def test_the_texts_are_the_decoded_whole_and_each_beginning(tokenizer, text):
    ids = torch.randint(len(tokenizer), (200,)) if text is None else encode(tokenizer, text)  # or in any order
    texts = token_texts(ids, tokenizer)
    assert len(texts) == len(ids)
    assert "".join(texts) == decode(tokenizer, ids)
    for end in range(len(ids)) if text == TEXTS[0] else ():
        assert "".join(texts[:end]) == decode(tokenizer, ids[:end])


BYTE_LEVEL = byte_level()


@settings(deadline=None, derandomize=True)
@given(text=st.text())
def test_any_string_comes_back_whole_and_in_pieces(text):
    assert "".join(token_texts(encode(BYTE_LEVEL, text), BYTE_LEVEL)) == text
    assert BYTE_LEVEL.decode(encode(BYTE_LEVEL, text)) == text


@pytest.mark.parametrize("make", [byte_level, sentencepiece])
def test_a_letter_goes_to_the_token_that_completes_it(make):
    tokenizer = make()
    ids = encode(tokenizer, "\N{CAT FACE}a\N{CAT FACE}")
    texts = token_texts(ids, tokenizer)
    blank = int(make is sentencepiece)  # the blank before the text, which is not told
    assert texts[blank:] == ["", "", "", "\N{CAT FACE}", "a", "", "", "", "\N{CAT FACE}"]
    # Cut within a letter, the bytes left over still show.
    assert "".join(token_texts(ids[:-2], tokenizer)) == decode(tokenizer, ids[:-2]) != ""


def test_special_tokens_show_their_names(tokenizer):
    special = tokenizer.all_special_ids[-1]
    ids = torch.cat([encode(tokenizer, "She ran"), torch.tensor([special]), encode(tokenizer, "He ran")])
    texts = token_texts(ids, tokenizer)
    assert tokenizer.convert_ids_to_tokens(special) in texts[len(encode(tokenizer, "She ran"))]
    assert "".join(texts) == decode(tokenizer, ids)


def test_a_real_tokenizer(shared):
    tokenizer = AutoTokenizer.from_pretrained(shared / "models" / "stories260K")
    ids = torch.tensor(tokenizer("Once upon a time\u2014\N{CAT FACE}, Tim ran.")["input_ids"])
    assert ids[0] == tokenizer.bos_token_id
    assert "".join(token_texts(ids, tokenizer)) == decode(tokenizer, ids)


# ------------------------------------------------------------------ classes of tokens


def test_a_token_has_the_class_of_its_word(tokenizer):
    text = "Mila looked behind the wooden slide and there it was: the red kite!"
    found = token_classes(encode(tokenizer, text), tokenizer)
    words = []
    for piece, word_class, first in zip(found.text, found.word_class, found.first, strict=True):
        if piece.strip():
            words += [("", word_class)] if first else []
            words[-1] = (words[-1][0] + piece.strip(), word_class)
    wanted = {"Mila": "name", "looked": "verb", "wooden": "adjective", "slide": "noun", "red": "adjective"}
    wanted |= {"kite": "noun", "!": "punctuation"}
    assert wanted == {word: word_class for word, word_class in words if word in wanted}


def test_documents_are_tagged_apart_and_blanks_and_ends_have_classes_of_their_own():
    ids = encode(BYTE_LEVEL, "She ran.\n\nMila<|endoftext|>One kite")
    found = token_classes(ids, BYTE_LEVEL)
    assert len(found.text) == len(found.word_class) == len(found.first) == len(ids)
    assert found.word_class[found.text.index("<|endoftext|>")] == "special"
    assert {c for t, c in zip(found.text, found.word_class, strict=True) if not t.strip()} == {"space"}
    seen = []
    token_classes(ids, BYTE_LEVEL, tagger=lambda text: seen.append(text) or [])
    assert seen == ["She ran.\n\nMila", "One kite"]
    letter = encode(BYTE_LEVEL, "ab \N{CAT FACE}")  # all bytes of a letter are in its word
    found = token_classes(letter, BYTE_LEVEL, tagger=lambda text: [(0, 2, "noun"), (3, 4, "other")])
    assert (found.word_class[0], found.word_class[-4:]) == ("noun", ["other"] * 4)
    assert found.first[-4:] == [False, False, False, True]


def test_a_token_over_two_words_has_the_class_of_most_of_it():
    ids = encode(BYTE_LEVEL, " the")
    assert len(ids) == 1
    for spans, expected in (
        ([(1, 2, "verb"), (2, 4, "noun")], ("noun", True)),
        ([(1, 3, "verb"), (3, 4, "noun")], ("verb", True)),
        ([(1, 2, "verb"), (2, 3, "noun")], ("verb", True)),  # the first of equals
        ([(2, 4, "noun")], ("noun", True)),
        ([], ("space", False)),
    ):
        found = token_classes(ids, BYTE_LEVEL, tagger=lambda text, spans=spans: spans)
        assert (found.word_class, found.first) == ([expected[0]], [expected[1]])
