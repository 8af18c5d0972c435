"""Linear probes: what is planted is found, what is random is not, and no example tests what it taught."""

import numpy as np
import pytest
import torch
from tiny_models import tiny_model

import linstudy
from casebook.evaluate import probe
from casebook.evaluate.probing import _fit, pooled_states, probe_states
from linstudy.text import stories, train_tokenizer


def matrix(examples: int = 200, dim: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randn(examples, dim, generator=torch.Generator().manual_seed(seed))


def mean_accuracy(table, predictor="probe", layer=None) -> float:
    chosen = (table["predictor"] == predictor) & (True if layer is None else table["layer"] == layer)
    return table["accuracy"][chosen].mean()


def test_a_planted_direction_is_found_and_shuffled_labels_are_not():
    x = matrix(400)
    x[:, 3] += 4 * torch.sign(x[:, 3])  # with a gap between the two sides
    x[:, 2] = 5.0  # a feature that never moves does no harm
    table = probe_states({0: x}, (x[:, 3] > 0).tolist(), seeds=range(8))
    assert mean_accuracy(table) == 1
    assert mean_accuracy(table, "shuffled") == pytest.approx(0.5, abs=0.15)
    assert mean_accuracy(table, "constant") == pytest.approx(0.5, abs=0.1)


def test_what_is_not_linear_is_not_found():
    x = matrix(600)
    product = (x[:, 0] * x[:, 1] > 0).tolist()
    found = probe_states({0: x, 1: torch.cat([x, x[:, :1] * x[:, 1:2]], 1)}, product)
    assert mean_accuracy(found, layer=0) < 0.6
    assert mean_accuracy(found, layer=1) > 0.93


def test_seeds_decide_and_the_standard_error_is_that_of_the_test_examples():
    state = torch.get_rng_state()
    table, again = (probe_states({0: matrix(100)}, [i % 2 for i in range(100)], seeds=[0]) for _ in range(2))
    assert table.equals(again)
    assert torch.equal(torch.get_rng_state(), state)
    row = table.iloc[0]
    assert row["examples"] == 30
    assert row["standard_error"] == pytest.approx((row["accuracy"] * (1 - row["accuracy"]) / 29) ** 0.5)


def test_scaling_and_shifting_features_changes_nothing():
    x, labels = matrix(), [int(v) for v in (matrix()[:, 0] + matrix(seed=1)[:, 0] > 0)]
    moved = x * torch.logspace(-3, 3, 8) + 7
    moved[:, 5] = x[:, 5]
    one, two = (probe_states({0: states.double()}, labels, seeds=[0])["accuracy"] for states in (x, moved))
    assert one.tolist() == pytest.approx(two.tolist(), abs=1e-6)


def test_the_fit_is_at_the_minimum():
    x, y = matrix(50).double(), torch.arange(50) % 3
    weights = _fit(x, y, 0.1, torch.zeros(9, 3, dtype=torch.float64)).requires_grad_()
    logits = x @ weights[:-1] + weights[-1]
    loss = torch.nn.functional.cross_entropy(logits, y) + 0.05 * weights[:-1].square().sum()
    loss.backward()
    assert weights.grad.abs().max() < 1e-4


def test_repeated_texts_teach_nothing_about_themselves():
    # 20 texts, each ten times, with labels of no rule: a probe that saw the text would know its label
    x = matrix(20, 64).repeat_interleave(10, 0)
    labels = np.random.default_rng(0).integers(2, size=20).repeat(10).tolist()
    for groups, known in ((None, True), ([i // 10 for i in range(200)], False)):
        accuracy = mean_accuracy(probe_states({0: x}, labels, groups=groups, seeds=range(3)))
        assert (accuracy > 0.95, accuracy < 0.8) == (known, not known)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([next(stories(0))], vocab_size=300)


def three_letters() -> list[tuple[str, str]]:
    """Texts whose label is their first letter; the last one does not tell it."""
    draw = np.random.default_rng(0)
    firsts, middles, lasts = (draw.choice(list(letters), (120, 3)) for letters in ("abcd", "klmnop", "xyz"))
    return [("".join([f[0], *m, z[0]]), str(f[0])) for f, m, z in zip(firsts, middles, lasts, strict=True)]


@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_attention_brings_the_first_token_to_the_last(tokenizer, family):
    model = tiny_model(family, vocab_size=len(tokenizer))
    examples = three_letters()
    table = probe(model, examples, tokenizer, seeds=[0])
    assert table["layer"].unique().tolist() == [0, 1, 2, 3]
    assert mean_accuracy(table, layer=0) < 0.45  # four labels; nothing was mixed in yet
    assert mean_accuracy(table, layer=1) > 0.7
    last = probe(model, [(text, text[-1]) for text, _ in examples], tokenizer, layers=[0], seeds=[0])
    assert mean_accuracy(last) == 1
    mean = probe(model, examples, tokenizer, layers=[0], pool="mean", seeds=[0])  # knows every token from the start
    assert mean_accuracy(mean) > 0.9


@pytest.mark.parametrize("pool", ["last", "mean"])
def test_batches_and_padding_change_nothing_of_the_state_of_the_last_token_or_the_mean(tokenizer, pool):
    model = tiny_model("gpt2", vocab_size=len(tokenizer)).train()
    texts = [text * (1 + i % 3) for i, (text, _) in enumerate(three_letters()[:20])]
    together = pooled_states(model, tokenizer, texts, pool=pool, batch_size=7)
    assert model.training
    for number, text in enumerate(texts):
        with torch.no_grad(), linstudy.capture(model.eval()) as stream:
            model(torch.tensor([tokenizer(text)["input_ids"]]))
        for layer, state in enumerate(stream):
            want = state[0, -1] if pool == "last" else state[0].mean(0)
            torch.testing.assert_close(together[layer][number], want, atol=1e-5, rtol=1e-4)


EXAMPLES = three_letters()[:40]


@pytest.mark.parametrize(
    ("examples", "options", "error", "message"),
    [
        (EXAMPLES[:19], {}, ValueError, r"19 examples with \d different labels cannot be probed: give 20 or more"),
        ([], {}, ValueError, "0 examples with 0 different labels"),
        ([(text, 1) for text, _ in EXAMPLES], {}, ValueError, "40 examples with 1 different labels cannot be probed"),
        (EXAMPLES, {"layers": [4]}, IndexError, "layer 4 is not there: 0 enters the first block, 3 leaves the last"),
        (EXAMPLES, {"pool": "first"}, ValueError, "pool='first' is not known: choose 'last' .* or 'mean'"),
        (EXAMPLES, {"heldout": 1.0}, ValueError, r"heldout=1.0 of \d+ texts leaves nothing to fit"),
        ([*EXAMPLES, ("", "a")], {}, ValueError, "Text 41, which begins '', has 0 tokens: give texts of 1 to 128 tok"),
        ([("ab" * 200, "a"), *EXAMPLES], {}, ValueError, r"Text 1, which begins 'abab.* has \d+ tokens"),
    ],
)
def test_bad_input_is_named(tokenizer, examples, options, error, message):
    with pytest.raises(error, match=message):
        probe(tiny_model("llama", vocab_size=len(tokenizer)), examples, tokenizer, **options)
