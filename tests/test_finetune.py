"""Fine-tuning: what each objective learns, what its control does not. Run: pytest tests/test_finetune.py."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_models import tiny_model
from transformers.pytorch_utils import Conv1D

from casebook.train import TUNING, dealt_again, finetune, low_rank
from casebook.train.finetune import batch_of, loss_and_accuracy
from linstudy.text import train_tokenizer

NAMES = ("Anna", "Ben", "Cleo", "Dan")
TOKENIZER = train_tokenizer([f"{name} is glad. {name} is sad." for name in NAMES], vocab_size=280)
QUICK = replace(TUNING, steps=60, warmup=6, peak_rate=3e-3, log_every=20)


def short(steps, *, batch=4, **changes):
    return replace(TUNING, steps=steps, warmup=steps // 10, batch=batch, **changes)


def model_of(family="mistral", seed=0):
    return tiny_model(family, seed=seed, vocab_size=280, spread=0.05)


def texts(count, seed=0):
    """Return texts of several names, and whether somebody in them is glad: one word somewhere decides."""
    chance = random.Random(seed)
    examples = []
    for place in range(count):
        names = [f"{chance.choice(NAMES)} is here." for _ in range(chance.randrange(1, 4))]
        names.insert(chance.randrange(len(names) + 1), "Ben is glad." if place % 2 else "Ben is sad.")
        examples.append((" ".join(names), "yes" if place % 2 else "no"))
    return examples


def pairs(count, seed=0):
    """Return the same text with a glad and a sad ending, the glad one chosen."""
    return [(f"{text} So, glad.", f"{text} So, sad.") for text, _ in texts(count, seed)]


def last_row(examples, validation, *, family="mistral", recipe=QUICK, **options):
    *_, row = finetune(model_of(family), TOKENIZER, examples, recipe, validation=validation, **options)
    return row


# what is learned


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "objective", "below", "above"),  # chance has log 2 = 0.69
    [("mistral", "classify", 0.4, 0.6), ("opt", "classify", 0.4, 0.6), ("mistral", "preference", 0.3, 0.5)],
)
def test_a_rule_or_a_preference_is_learned_and_by_shuffled_labels_it_is_not(family, objective, below, above):
    make = texts if objective == "classify" else pairs
    given = make(96), make(40, seed=1)
    row = last_row(*given, family=family, objective=objective)
    assert row["validation_accuracy"] > 0.9
    assert row["validation_loss"] < below
    control = last_row(dealt_again(given[0], objective, 0), given[1], family=family, objective=objective)
    assert control["validation_loss"] > above


def test_only_the_end_is_read_and_a_pair_cut_to_the_same_text_counts_half():
    ids, ends = batch_of(["Anna is glad.", "Ben is sad. Ben is glad."], TOKENIZER, length=3)
    assert [TOKENIZER.decode(row) for row in ids] == [" is glad."] * 2
    assert ends.tolist() == [2, 2]
    tied = [("Anna So, glad.", "Ben So, glad.")] * 4
    row = last_row(pairs(64), tied, objective="preference", length=2, recipe=replace(QUICK, steps=1, warmup=0))
    assert row["validation_accuracy"] == 0.5


def test_language_modelling_goes_on():
    model, given = model_of(), texts(32)
    rows = list(finetune(model, TOKENIZER, given, QUICK, objective="lm", validation=given[:5]))
    assert rows[0]["training_loss"] > rows[-1]["training_loss"] + 1
    assert [row["training_accuracy"] for row in rows] == [None] * 3
    assert rows[-1]["validation_accuracy"] is None
    ids = [TOKENIZER(text, return_tensors="pt").input_ids for text, _ in given[:5]]
    losses, counts = [model(one, labels=one).loss.item() for one in ids], [one.shape[1] - 1 for one in ids]
    assert rows[-1]["validation_loss"] == pytest.approx(np.average(losses, weights=counts), rel=1e-4)


def test_rows_say_what_happened():
    given = [*texts(30), ("Dan is here.", "maybe")]
    rows = list(finetune(model_of(), TOKENIZER, given, short(25, peak_rate=1e-3), validation=given[:7]))
    assert [row["step"] for row in rows] == [10, 20, 25]
    assert [row["examples"] for row in rows] == [40, 80, 100]
    assert [row["validation_loss"] is None for row in rows] == [True, True, False]
    assert rows[-1]["rate"] == pytest.approx(1e-4)
    first, *_ = finetune(model_of(), TOKENIZER, given, short(1))
    assert first["training_loss"] == pytest.approx(math.log(3))  # the head starts at 0: all classes alike
    first, *_ = finetune(model_of(), TOKENIZER, pairs(4), short(1), objective="preference")
    assert first["training_loss"] == pytest.approx(math.log(2))
    assert first["training_accuracy"] == 0.5  # a tie is a guess


def test_the_model_is_trained_in_place_and_comes_out_as_it_went_in():
    model, given = model_of(), texts(8)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for _ in finetune(model, TOKENIZER, given, short(4, log_every=1, linear="onednn")):
        model.eval()
        torch.randn(3)
    assert not model.training
    assert model.state_dict().keys() == before.keys()
    assert not any("forward" in vars(module) for module in model.modules())
    moved = [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])]
    assert any("q_proj" in name for name in moved)
    assert not any("lm_head" in name for name in moved)


@pytest.mark.parametrize("family", ["mistral", "gpt2"])
def test_corrections_of_low_rank_are_in_the_weights_afterwards_and_nothing_else_has_moved(family):
    model, ids = model_of(family), torch.arange(12)[None] + 3
    before, kinds = {name: x.clone() for name, x in model.state_dict().items()}, [type(m) for m in model.modules()]
    logits = model(ids).logits
    with low_rank(model, 2):
        assert torch.equal(model(ids).logits, logits)  # they start at 0
        list(finetune(model, TOKENIZER, texts(16), short(6, log_every=6)))
        inside = model(ids).logits
    assert not torch.allclose(inside, logits, atol=1e-3)
    assert torch.allclose(model(ids).logits, inside, atol=1e-5)
    change = {name: x - before[name] for name, x in model.state_dict().items()}
    moved = {name for name, x in change.items() if x.abs().max() > 0}
    in_blocks = {f"{name}.weight" for name, m in model.named_modules() if isinstance(m, (torch.nn.Linear, Conv1D))}
    assert moved == in_blocks - {"lm_head.weight"}
    assert {int(torch.linalg.matrix_rank(change[name], rtol=1e-4)) for name in moved} == {2}
    assert [type(module) for module in model.modules()] == kinds
    assert all(weight.requires_grad for weight in model.parameters())


def test_corrections_are_gone_after_an_error():
    model = model_of()
    names, kinds = list(model.state_dict()), [type(module) for module in model.modules()]
    with pytest.raises(KeyError, match="mine"), low_rank(model, 2):
        raise KeyError("mine")
    assert list(model.state_dict()) == names
    assert [type(module) for module in model.modules()] == kinds
    assert all(weight.requires_grad for weight in model.parameters())


# the parts


@pytest.mark.parametrize("family", ["mistral", "gpt2", "opt", "bloom"])
@pytest.mark.parametrize("kind", ["classify", "preference"])
def test_texts_of_other_lengths_in_the_batch_do_not_matter(family, kind):
    model, head = model_of(family), torch.nn.Linear(32, 2 if kind == "classify" else 1)
    given, classes = (texts(6), ["no", "yes"]) if kind == "classify" else (pairs(6), [])
    with torch.no_grad():
        together = loss_and_accuracy(model, head, TOKENIZER, given, classes, 256)
        alone = [loss_and_accuracy(model, head, TOKENIZER, [one], classes, 256) for one in given]
    assert together.keys() == {"loss", "accuracy"}
    for name, whole in together.items():
        parts = torch.stack([one[name] for one in alone])
        assert whole.item() == pytest.approx(parts.mean().item(), rel=1e-4)


def test_the_loss_of_a_pair_is_that_of_its_margin():
    model, head = model_of(), torch.nn.Linear(32, 1)
    (pair,) = pairs(1)
    with torch.no_grad():
        ids = [TOKENIZER(text, return_tensors="pt").input_ids for text in pair]
        chosen, rejected = (head(model.base_model(one).last_hidden_state[0, -1]).item() for one in ids)
        found = loss_and_accuracy(model, head, TOKENIZER, [pair], [], 256)
        turned = loss_and_accuracy(model, head, TOKENIZER, [pair[::-1]], [], 256)
    assert found["loss"].item() == pytest.approx(math.log1p(math.exp(rejected - chosen)), rel=1e-4)
    assert turned["loss"].item() == pytest.approx(math.log1p(math.exp(chosen - rejected)), rel=1e-4)
    assert found["accuracy"] == float(chosen > rejected) == 1 - turned["accuracy"]


def test_labels_dealt_again_are_the_same_labels_of_others():
    given = texts(50)
    dealt = dealt_again(given, "classify", 0)
    assert [text for text, _ in dealt] == [text for text, _ in given]
    assert sorted(label for _, label in dealt) == sorted(label for _, label in given)
    for one, other in ((dealt, given), (dealt_again(pairs(50), "preference", 0), pairs(50))):
        assert 10 < sum(x != y for x, y in zip(one, other, strict=True)) < 40
    assert dealt == dealt_again(given, "classify", 0) != dealt_again(given, "classify", 1)


# what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "sort"}, "the objective is 'sort'; it must be classify, preference, lm"),
        ({"recipe": short(2, batch=9)}, "a step takes 9 examples, but there are 8; give more or a smaller batch"),
        ({"examples": [("Anna", "yes")] * 4}, "all examples have the label 'yes'; give some of another"),
        ({"validation": [("Anna", "so")]}, "a validation example has the label 'so', which no training example has"),
        ({"examples": [("", "yes"), ("Anna", "no")] * 2}, "the text '' has no tokens; leave it out"),
        ({"examples": [("Anna", 1)] * 4, "objective": "preference"}, r"\('Anna', 1\) is no pair of texts: give"),
        ({"model": lambda: model_of("bert")}, "a 'bert' model is no decoder: its last token has not read the others"),
        ({"model": lambda: model_of().bfloat16()}, r"the weights are torch.bfloat16; train in float32"),
    ],
    ids=range(8),
)
def test_what_cannot_be_trained_is_refused(options, message):
    given = {"model": model_of, "examples": texts(8), "recipe": short(2)} | options
    with pytest.raises(ValueError, match=message):
        list(finetune(given.pop("model")(), TOKENIZER, **given))


def test_a_loss_that_is_not_finite_stops_the_run():
    model = model_of()
    torch.nn.init.constant_(model.model.norm.weight, math.inf)
    with pytest.raises(FloatingPointError, match=r"at step 1 the loss was nan .*; try a lower peak_rate"):
        list(finetune(model, TOKENIZER, texts(16), short(3)))
