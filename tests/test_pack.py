from itertools import count, islice

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from linstudy.text import count_bytes, distinct_share, shuffled, stories, token_blocks, train_tokenizer

TEXTS = list(islice(stories(seed=0), 60))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=512)


def encoded(tokenizer, text):
    """The plain encoding, around all of `transformers`."""
    return tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids


def test_blocks_are_the_documents_with_the_end_between_them_where_there_is_one(tokenizer):
    expected = encoded(tokenizer, TEXTS[0])
    for text in TEXTS[1:]:
        expected += [tokenizer.eos_token_id, *encoded(tokenizer, text)]
    blocks = token_blocks(TEXTS, tokenizer, tokens=3001, length=100)
    assert blocks.dtype == torch.int64
    assert blocks.shape == (30, 100)  # 3001 rounded down to full blocks
    assert blocks.flatten().tolist() == expected[:3000]
    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer)
    expected = [token for text in TEXTS for token in encoded(tokenizer, text)]
    assert token_blocks(TEXTS, bare, tokens=3000, length=100).flatten().tolist() == expected[:3000]


@pytest.mark.parametrize(
    ("template", "before", "after"),
    [("<s> $A", ["<s>"], []), ("[CLS] $A [SEP]", ["[CLS]"], ["[SEP]"]), ("$A </s>", [], ["</s>"]), ("$A", [], [])],
)
def test_every_block_is_framed_as_the_tokenizer_frames_a_text(tokenizer, template, before, after):
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.add_special_tokens([*before, *after])
    special = [(name, backend.token_to_id(name)) for name in (*before, *after)]
    backend.post_processor = TemplateProcessing(single=template, special_tokens=special)
    asking = PreTrainedTokenizerFast(tokenizer_object=backend)
    before, after = ([backend.token_to_id(name) for name in names] for names in (before, after))
    blocks = token_blocks(TEXTS, asking, tokens=3000, length=100).tolist()
    assert all(len(block) == 100 for block in blocks)
    assert all(block[: len(before)] == before and block[100 - len(after) :] == after for block in blocks)
    text = [token for block in blocks for token in block[len(before) : 100 - len(after)]]
    bare = token_blocks(TEXTS, asking, tokens=3000, length=100, framed=False).flatten().tolist()
    assert text == bare[: len(text)]  # and no token of the text is lost
    assert len(text) == 30 * (100 - len(before) - len(after))
    if before and after:
        with pytest.raises(
            ValueError, match="length=2 has no room for text in this tokenizer's frame: make blocks lon"
        ):
            token_blocks(TEXTS, asking, tokens=20, length=2)


def test_a_file_is_encoded_as_it_stands(tokenizer, tmp_path):
    text = "\n\n".join(TEXTS)
    (tmp_path / "mine.txt").write_text(text, encoding="utf-8", newline="")
    blocks = token_blocks(tmp_path / "mine.txt", tokenizer, tokens=2000, length=50)
    assert blocks.flatten().tolist() == encoded(tokenizer, text)[:2000]
    assert (blocks != tokenizer.eos_token_id).all()


def test_a_long_document_is_cut_but_never_wrongly():
    # Here a token is 64 characters, far over the guess of how far to read.
    tokenizer = train_tokenizer(["=" * 4096] * 4, vocab_size=263)
    text = "=" * 64_000
    expected = encoded(tokenizer, text)
    assert len(expected) == 1000
    assert token_blocks([text], tokenizer, tokens=990, length=10).flatten().tolist() == expected[:990]
    short = token_blocks(["=", text], tokenizer, tokens=900, length=10)
    assert short.flatten().tolist() == [*encoded(tokenizer, "="), tokenizer.eos_token_id, *expected][:900]


def test_no_more_is_drawn_than_is_needed(tokenizer):
    drawn = count()
    endless = (TEXTS[at % len(TEXTS)] for at in drawn)
    assert token_blocks(endless, tokenizer, tokens=5120).shape == (20, 256)
    needed = 5120 / (sum(len(encoded(tokenizer, text)) for text in TEXTS) / len(TEXTS))
    assert next(drawn) < 3 * needed + 10


def test_seed_decides_the_blocks(tokenizer):
    blocks = token_blocks("stories", tokenizer, tokens=2048)
    assert torch.equal(blocks, token_blocks("stories", tokenizer, tokens=2048, seed=0))
    assert not torch.equal(blocks, token_blocks("stories", tokenizer, tokens=2048, seed=1))
    assert torch.equal(blocks[:4], token_blocks("stories", tokenizer, tokens=1024))  # more tokens only add


def test_too_little_text_says_how_much_there_is(tokenizer):
    have = sum(len(encoded(tokenizer, text)) for text in TEXTS[:3]) + 2
    most = have // 32 * 32
    with pytest.raises(ValueError, match=rf"has {have:,} tokens .* 99,968 were asked for: ask for tokens={most} or"):
        token_blocks(TEXTS[:3], tokenizer, tokens=99_999, length=32)
    assert token_blocks(TEXTS[:3], tokenizer, tokens=most, length=32).shape == (most // 32, 32)
    with pytest.raises(ValueError, match=r"has 2 tokens .* 256 were asked for: ask for length=2 or shorter"):
        token_blocks(["!?"], tokenizer, tokens=256)
    for length in (256, 0):
        with pytest.raises(ValueError, match=rf"tokens=100 fill no block of length={length}"):
            token_blocks(TEXTS, tokenizer, tokens=100, length=length)


def test_bytes_are_those_of_the_text(tokenizer):
    texts = ["The cat \N{CAT FACE} sat. " * 20, "从前 there was a fox. " * 20]
    total = sum(len(encoded(tokenizer, text)) for text in texts) + 1
    blocks = token_blocks(texts, tokenizer, tokens=total, length=1)
    assert count_bytes(blocks, tokenizer) == sum(len(text.encode()) for text in texts)  # the end of text counts nothing
    in_sevens = token_blocks(texts, tokenizer, tokens=total // 7 * 7, length=7)
    assert count_bytes(in_sevens, tokenizer) == pytest.approx(sum(len(text.encode()) for text in texts), abs=30)
    split = sum(count_bytes(block[None], tokenizer) for block in in_sevens)
    assert split > count_bytes(in_sevens, tokenizer)  # control: block by block, letters cut in two count double


def test_a_shuffled_text_has_the_same_tokens_in_another_order(tokenizer):
    blocks = token_blocks(TEXTS, tokenizer, tokens=3000, length=100)
    mixed = shuffled(blocks, seed=1)
    assert mixed.shape == blocks.shape
    assert torch.equal(mixed.flatten().sort().values, blocks.flatten().sort().values)
    assert (mixed == blocks).float().mean() < 0.05  # the order is gone, across blocks as well
    assert torch.equal(mixed, shuffled(blocks, seed=1))
    assert not torch.equal(mixed, shuffled(blocks, seed=2))


@pytest.mark.parametrize("period", [7, 1250])  # one that fits into a block, and one that does not
def test_copies_are_told_from_a_text_of_its_own(tokenizer, period):
    blocks = token_blocks(TEXTS, tokenizer, tokens=10_000, length=100)
    own = distinct_share(blocks)
    assert own > 0.95
    runs = 100 * 69
    assert own == len({tuple(block[at : at + 32]) for block in blocks.tolist() for at in range(69)}) / runs
    once = blocks.flatten()[:period]
    again = distinct_share(once.repeat(-(-10_000 // period))[:10_000].view(100, 100))
    assert again <= period / runs  # no more different runs than places in the period
    assert distinct_share(blocks[:, :20]) > 0.9  # blocks shorter than a run: as much of one as they hold
