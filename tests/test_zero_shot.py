"""Zero-shot choices by hand, and bits per byte."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from tiny_models import tiny_model

import linstudy
from casebook.evaluate import zero_shot
from casebook.evaluate.zero_shot import log_likelihoods
from linstudy.evaluate import bits_per_byte
from linstudy.text import stories, train_tokenizer
from storyworld import story_seed, tell


@pytest.fixture(scope="module")
def pocket():
    return linstudy.load("stories-1m")


def next_words(count: int) -> list[tuple[str, list[str], int]]:
    """Beginnings of sentences with the word that follows and two words that do not."""
    draw, examples = np.random.default_rng(0), []
    for position in range(count):
        words = tell(story_seed(3, position)).text.replace("\n\n", " ").split(" ")
        at = int(draw.integers(20, 60))
        others = [word for word in draw.choice(words, 8) if word != words[at]][:2]
        choices = [*others, words[at]]
        label = int(draw.integers(3))
        choices[label], choices[2] = choices[2], choices[label]
        examples.append((" ".join(words[:at]), choices, label))
    return examples


def by_hand(model, tokenizer, context, continuation):
    """The sum of the log probabilities of a continuation's tokens."""
    ids = torch.tensor([tokenizer(context + continuation)["input_ids"]])
    before = len(tokenizer(context)["input_ids"])
    with torch.no_grad():
        log_p = model(ids).logits[0].double().log_softmax(-1)
    return sum(float(log_p[at - 1, ids[0, at]]) for at in range(before, ids.shape[1]))


def test_a_log_likelihood_is_the_sum_over_the_tokens_of_the_continuation(pocket):
    context, continuation = "Once upon a time, a", " curious little fox"
    expected = by_hand(*pocket, context, continuation)
    moved = (context + " ", continuation[1:])  # blanks belong to what follows
    assert log_likelihoods(*pocket, [(context, continuation), moved]) == pytest.approx([expected] * 2, abs=1e-3)


def test_a_trained_model_chooses_what_follows_and_an_untrained_one_does_not(pocket):
    model, tokenizer = pocket
    examples = next_words(40)
    trained, untrained = (
        zero_shot(one, tokenizer, examples).set_index("predictor")["accuracy"]
        for one in (model, linstudy.untrained(model))
    )
    assert trained["likelihood"] > 0.8
    assert untrained["likelihood"] < 0.6
    assert trained["constant"] == untrained["constant"] < 0.5


def likelier_but_not_by_the_letter(model, tokenizer, context):
    """Two animals of which the first is likelier and the second likelier per character, whatever the model's taste."""
    animals = ["fox", "cat", "dog", "owl", "hedgehog", "squirrel", "chipmunk", "butterfly", "grasshopper", "elephant"]
    logs = {name: by_hand(model, tokenizer, context, f" {name}") for name in animals}
    return next(
        [short, long]
        for short, long in permutations(animals, 2)
        if logs[short] > logs[long] + 0.1 and logs[short] / len(short) < logs[long] / len(long) - 0.01
    )


def test_the_table_by_hand(pocket):
    model, tokenizer = pocket
    context = "Once upon a time, a shy little"
    example = (context, likelier_but_not_by_the_letter(model, tokenizer, context), 1)
    table = zero_shot(model, tokenizer, [example] * 3 + [("Once upon a", ["time", "xqz"], 0)])
    assert list(table["predictor"]) == ["likelihood", "likelihood per character", "constant"]
    assert table["accuracy"].tolist() == [0.25, 1.0, 0.75]
    assert table["standard_error"].tolist() == pytest.approx([0.25, 0, 0.25])
    assert (table["examples"] == 4).all()


@pytest.mark.parametrize("family", ["gpt2", "bloom"])
def test_padding_changes_no_family(family):
    tokenizer = train_tokenizer([next(stories(0))], vocab_size=300)
    model = tiny_model(family, vocab_size=len(tokenizer))
    pairs = [("Once upon a time", " there was a fox"), ("He", " ran")]
    alone = [log_likelihoods(model, tokenizer, [pair])[0] for pair in pairs]
    assert log_likelihoods(model, tokenizer, pairs) == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "There is no example to choose in"),
        ([("a", ["b"], 0)], r"Example 1 has the choices \['b'\]: give two or more, none of them empty"),
        ([("a", ["b", "c"], 0), ("a", ["b", ""], 0)], r"Example 2 has the choices \['b', ''\]"),
        ([("a", ["b", "c"], 2)], r"Example 1 has the label 2 and 2 choices: give the place .* from 0 to 1"),
        ([("a " * 600, ["b", "c"], 0)], r"begins 'a a a.* has \d+ tokens with its choice and the model 512 positions"),
    ],
)
def test_bad_examples_are_named(pocket, examples, message):
    with pytest.raises(ValueError, match=message):
        zero_shot(*pocket, examples)


def test_bits_per_byte_of_one_byte_a_token_and_of_no_text(pocket):
    tokenizer = train_tokenizer(["ab"], vocab_size=257)  # a token a byte
    blocks = torch.tensor([tokenizer("hello")["input_ids"]])
    assert bits_per_byte(math.log(2), blocks, tokenizer) == pytest.approx(1)
    assert bits_per_byte(math.log(256), blocks, tokenizer) == pytest.approx(8)
    with pytest.raises(ValueError, match=r"hold no text but special tokens"):
        bits_per_byte(1.0, torch.zeros(1, 4, dtype=torch.int64), pocket[1])


def test_bits_per_byte_do_not_depend_on_how_a_text_is_cut_into_tokens():
    text, found = next(stories(0)), []
    for size in (257, 400):
        tokenizer = train_tokenizer([text], vocab_size=size)
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        found.append(bits_per_byte(100 / ids.numel(), ids, tokenizer))  # 100 nats for the whole text
    assert found[0] == pytest.approx(found[1])
