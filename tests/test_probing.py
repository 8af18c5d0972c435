"""Linear probes: what is planted is found, what is random is not, and no example tests what it taught."""

import re

import numpy as np
import pytest
import torch
from tiny_models import tiny_model

import linstudy
from casebook.evaluate import probe
from casebook.evaluate.probing import _fit, _split, pooled_states, probe_states
from linstudy.text import stories, train_tokenizer


def matrix(examples: int = 200, dim: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randn(examples, dim, generator=torch.Generator().manual_seed(seed))


def mean_accuracy(table, **where) -> float:
    for column, value in where.items():
        table = table[table[column] == value]
    return table["accuracy"].mean()


# ------------------------------------------------------------------ known answers


def test_a_planted_direction_is_found_and_shuffled_labels_are_not():
    x = matrix(400)
    x[:, 3] += 4 * torch.sign(x[:, 3])  # with a gap between the two sides
    table = probe_states({0: x}, (x[:, 3] > 0).tolist(), seeds=range(8))
    assert mean_accuracy(table, predictor="probe") == 1
    assert mean_accuracy(table, predictor="shuffled") == pytest.approx(0.5, abs=0.15)
    assert mean_accuracy(table, predictor="constant") == pytest.approx(0.5, abs=0.1)


def test_what_is_not_linear_is_not_found():
    x = matrix(600)
    product = (x[:, 0] * x[:, 1] > 0).tolist()
    found = probe_states({0: x, 1: torch.cat([x, x[:, :1] * x[:, 1:2]], 1)}, product)
    assert mean_accuracy(found, predictor="probe", layer=0) < 0.6
    assert mean_accuracy(found, predictor="probe", layer=1) > 0.93


def test_the_standard_error_is_that_of_the_test_examples():
    table = probe_states({0: matrix(100)}, [i % 2 for i in range(100)], seeds=[0])
    row = table.iloc[0]
    assert row["examples"] == 30
    assert row["standard_error"] == pytest.approx((row["accuracy"] * (1 - row["accuracy"]) / 29) ** 0.5)


def test_scaling_and_shifting_features_changes_nothing():
    x, labels = matrix(), [int(v) for v in (matrix()[:, 0] + matrix(seed=1)[:, 0] > 0)]
    moved = x * torch.logspace(-3, 3, 8) + 7
    moved[:, 5] = x[:, 5]
    one, two = (probe_states({0: states.double()}, labels, seeds=[0])["accuracy"] for states in (x, moved))
    assert one.tolist() == pytest.approx(two.tolist(), abs=1e-6)


def test_a_feature_that_never_moves_does_no_harm():
    x = matrix(300)
    x[:, 2] = 5.0
    assert mean_accuracy(probe_states({0: x}, (x[:, 0] > 0).tolist()), predictor="probe") > 0.9


def test_the_fit_is_at_the_minimum():
    x, y = matrix(50).double(), torch.arange(50) % 3
    weights = _fit(x, y, 0.1, torch.zeros(9, 3, dtype=torch.float64)).requires_grad_()
    logits = x @ weights[:-1] + weights[-1]
    loss = torch.nn.functional.cross_entropy(logits, y) + 0.05 * weights[:-1].square().sum()
    loss.backward()
    assert weights.grad.abs().max() < 1e-4


# ------------------------------------------------------------------ splits


def test_no_text_is_on_two_sides():
    groups = [f"text {i // 3}" for i in range(90)]
    parts = [{groups[i] for i in part.tolist()} for part in _split(groups, 0, 0.3)]
    assert sum(map(len, parts)) == 30
    assert not parts[0] & parts[1]
    assert not parts[2] & (parts[0] | parts[1])
    assert [len(part) for part in parts] == [15, 6, 9]


def test_repeated_texts_teach_nothing_about_themselves():
    # 20 texts, each ten times, with labels of no rule: a probe that saw the text would know its label
    x = matrix(20, 64).repeat_interleave(10, 0)
    labels = [int(v) for v in np.random.default_rng(0).integers(2, size=20).repeat(10)]
    leaky = probe_states({0: x}, labels, seeds=range(4))
    tight = probe_states({0: x}, labels, groups=[i // 10 for i in range(200)], seeds=range(4))
    assert mean_accuracy(leaky, predictor="probe") > 0.95
    assert mean_accuracy(tight, predictor="probe") < 0.8


def test_seeds_decide_and_nothing_else():
    x, labels = matrix(), [i % 2 for i in range(200)]
    state = torch.get_rng_state()
    assert probe_states({0: x}, labels).equals(probe_states({0: x}, labels))
    assert torch.equal(torch.get_rng_state(), state)


# ------------------------------------------------------------------ models


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([next(stories(0))], vocab_size=300)


def three_letters() -> list[tuple[str, str]]:
    """Texts whose label is their first letter; the last one does not tell it."""
    draw = np.random.default_rng(0)
    firsts, middles, lasts = (draw.choice(list(letters), (120, 3)) for letters in ("abcd", "klmnop", "xyz"))
    return [("".join([f[0], *m, z[0]]), str(f[0])) for f, m, z in zip(firsts, middles, lasts, strict=True)]


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_attention_brings_the_first_token_to_the_last(tokenizer, family):
    model = tiny_model(family, vocab_size=len(tokenizer))
    examples = three_letters()
    table = probe(model, examples, tokenizer, seeds=[0])
    assert table["layer"].unique().tolist() == [0, 1, 2, 3]
    assert mean_accuracy(table, predictor="probe", layer=0) < 0.45  # four labels; nothing was mixed in yet
    assert mean_accuracy(table, predictor="probe", layer=1) > 0.7
    last = probe(model, [(text, text[-1]) for text, _ in examples], tokenizer, layers=[0], seeds=[0])
    assert mean_accuracy(last, predictor="probe") == 1


def test_the_mean_knows_every_token_from_the_start(tokenizer):
    model = tiny_model("llama", vocab_size=len(tokenizer))
    table = probe(model, three_letters(), tokenizer, layers=[0], pool="mean", seeds=[0])
    assert mean_accuracy(table, predictor="probe") > 0.9


@pytest.mark.parametrize("pool", ["last", "mean"])
def test_batches_and_padding_change_nothing(tokenizer, pool):
    model = tiny_model("gpt2", vocab_size=len(tokenizer)).train()
    texts = [text * (1 + i % 3) for i, (text, _) in enumerate(three_letters()[:20])]
    alone, together = (pooled_states(model, tokenizer, texts, pool=pool, batch_size=size) for size in (1, 7))
    for layer in range(4):
        assert torch.allclose(alone[layer], together[layer], atol=1e-5)
    assert model.training


def test_a_pooled_state_is_that_of_the_last_token_or_the_mean(tokenizer):
    model = tiny_model("llama", vocab_size=len(tokenizer))
    ids = torch.tensor([tokenizer("abcd")["input_ids"]])
    with torch.no_grad(), linstudy.capture(model) as stream:
        model(ids)
    last, mean = (pooled_states(model, tokenizer, ["abcd"], pool=pool, layers=[2])[2] for pool in ("last", "mean"))
    assert torch.allclose(last[0], stream[2][0, -1], atol=1e-5)
    assert torch.allclose(mean[0], stream[2][0].mean(0), atol=1e-5)


def cut_after_the(count: int) -> list[tuple[str, bool]]:
    """Beginnings of paragraphs that end in "the", and whether somebody is speaking there."""
    examples, missing = [], {True: count // 2, False: count // 2}
    paragraphs = (paragraph for text in stories(4) for paragraph in text.split("\n\n"))
    while any(missing.values()):
        for found in re.finditer(r" the\b", paragraph := next(paragraphs)):
            text = paragraph[: found.end()]
            speaking = text.count('"') % 2 == 1
            if len(text) > 60 and missing[speaking]:
                missing[speaking] -= 1
                examples.append((text, speaking))
                break
    return examples


def test_the_last_token_learns_from_the_others_whether_somebody_speaks():
    model, tokenizer = linstudy.load("stories-1m")
    table = probe(model, cut_after_the(160), tokenizer, layers=[0, 8], seeds=[0])
    assert mean_accuracy(table, predictor="probe", layer=8) > 0.8
    assert mean_accuracy(table, predictor="probe", layer=0) < 0.65  # every one is the same token
    assert mean_accuracy(table, predictor="shuffled", layer=8) < 0.7


# ------------------------------------------------------------------ bad input


def test_bad_input_is_named(tokenizer):
    model = tiny_model("llama", vocab_size=len(tokenizer))
    examples = three_letters()[:40]
    with pytest.raises(ValueError, match=r"19 examples with \d different labels cannot be probed: give 20 or more"):
        probe(model, examples[:19], tokenizer)
    with pytest.raises(ValueError, match=r"0 examples with 0 different labels"):
        probe(model, [], tokenizer)
    with pytest.raises(ValueError, match=r"40 examples with 1 different labels cannot be probed"):
        probe(model, [(text, 1) for text, _ in examples], tokenizer)
    with pytest.raises(IndexError, match=r"layer 4 is not there: 0 enters the first block, 3 leaves the last"):
        probe(model, examples, tokenizer, layers=[4])
    with pytest.raises(ValueError, match=r"pool='first' is not known: choose 'last' .* or 'mean'"):
        probe(model, examples, tokenizer, pool="first")
    with pytest.raises(ValueError, match=r"heldout=1.0 of \d+ texts leaves nothing to fit"):
        probe(model, examples, tokenizer, heldout=1.0)
    with pytest.raises(ValueError, match=r"Text 2, which begins '', has 0 tokens: give texts of 1 to 128 tokens"):
        probe(model, [examples[0], ("", "a"), *examples[2:]], tokenizer)
    with pytest.raises(ValueError, match=r"Text 1, which begins 'abab.* has \d+ tokens"):
        probe(model, [("ab" * 200, "a"), *examples[1:]], tokenizer)
