"""Healing brings a pruned model back towards the whole one, and touches only what it is told to."""

import copy
from dataclasses import replace

import pytest
import torch
from test_surgery import logits
from tiny_models import tiny_ids, tiny_model

import linstudy
from casebook.train import HEALING, heal, restart_
from linstudy import cross_entropy
from linstudy.models import capture
from linstudy.prune import prune, stand_ins

SHORT = replace(HEALING, steps=16, batch=8, warmup=4, log_every=8, validate_every=16)


@pytest.fixture(scope="module")
def pocket():
    model, tokenizer = linstudy.load("stories-1m", device="cpu")
    blocks = linstudy.token_blocks("stories", tokenizer, tokens=176 * 32, length=32)
    return model, blocks[:160], blocks[160:]


def pruned_copy(pocket, action="sequential"):
    model, blocks, _ = pocket
    return prune(copy.deepcopy(model), [2, 6], action, blocks=None if action == "remove" else blocks)


def healed(pocket, model, config=SHORT, **options):
    """Return the loss before and after."""
    whole, blocks, validation = pocket
    rows = list(heal(model, blocks, config, teacher=whole, validation=validation, **options))
    assert [row["step"] for row in rows] == [0, 8, 16]
    return rows[0]["validation_nats"], rows[-1]["validation_nats"], rows


@pytest.fixture(scope="module")
def stand_ins_only(pocket):
    model = pruned_copy(pocket)
    before = copy.deepcopy(model.state_dict())
    return model, before, *healed(pocket, model)


@pytest.mark.slow
def test_stand_ins_learn_and_nothing_else_moves(pocket, stand_ins_only):
    whole, _, validation = pocket
    model, before, first, last, rows = stand_ins_only
    maps = {f"{name}.{key}" for name, layer in stand_ins(model) for key in layer.state_dict()}
    assert maps == {"2.block.weight", "2.block.bias", "6.block.weight", "6.block.bias"}
    assert first == pytest.approx(cross_entropy(pruned_copy(pocket), validation), rel=1e-6)
    assert last < first
    assert 0 < rows[-1]["state_error"] < 0.2  # of single batches: a closed form leaves little to gain
    assert rows[-1]["training_nats"] is None
    moved = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == {f"model.layers.{index}.module.{key}" for index in (1, 5) for key in ("weight", "bias")}
    untouched = linstudy.load("stories-1m", device="cpu")[0].state_dict()
    assert all(torch.equal(weight, untouched[name]) for name, weight in whole.state_dict().items())
    assert all(weight.requires_grad for weight in model.parameters())
    assert not model.training


@pytest.mark.slow
def test_from_random_maps_gradient_descent_stays_far_from_the_closed_form(pocket, stand_ins_only):
    """The closed form without a step is better than the same steps at ten times the rate from random weights."""
    *_, closed_form, best, _ = stand_ins_only
    model = pruned_copy(pocket)
    restart_(model, "random", seed=1)
    first, last, _ = healed(pocket, model, replace(SHORT, peak_rate=1e-2))
    assert best < closed_form < last < first


@pytest.mark.slow
def test_all_weights_and_the_loss_of_the_next_token_bring_more(pocket, stand_ins_only):
    with_nats = healed(pocket, pruned_copy(pocket), nats=0.5)
    everything = healed(pocket, pruned_copy(pocket), trained="all")
    both = healed(pocket, pruned_copy(pocket), trained="all", nats=0.5)
    assert with_nats[1] < stand_ins_only[-2]
    assert both[1] < min(everything[1], with_nats[1])
    assert with_nats[2][-1]["training_nats"] < with_nats[2][1]["training_nats"]
    assert both[0] == everything[0] == with_nats[0]


@pytest.mark.slow
def test_what_was_removed_can_be_healed_and_the_whole_model_can_be_trained_as_long(pocket):
    whole, blocks, validation = pocket
    first, last, _ = healed(pocket, pruned_copy(pocket, "remove"), trained="all", nats=0.5)
    assert last < first
    control = copy.deepcopy(whole)
    rows = list(heal(control, blocks, SHORT, trained="all", nats=1.0, validation=validation))
    assert [row["state_error"] for row in rows] == [None] * 3
    assert rows[0]["validation_nats"] == pytest.approx(cross_entropy(whole, validation), rel=1e-6)
    assert rows[-1]["validation_nats"] < last  # it has all its layers


def test_equal_seeds_heal_and_restart_alike():
    whole, blocks = tiny_model("llama", num_hidden_layers=4), tiny_ids(batch=40)
    config = replace(SHORT, steps=3, warmup=1, log_every=1, validate_every=1)

    def found(seed, restart):
        model = prune(copy.deepcopy(whole), [2, 3], "run", blocks=blocks)
        if restart:
            state = torch.random.get_rng_state()
            restart_(model, "random", seed=seed)
            assert torch.equal(torch.random.get_rng_state(), state)
        else:
            rows = list(heal(model, blocks, replace(config, seed=seed), teacher=whole))
            assert [row["tokens"] for row in rows] == [0, 96, 192, 288]
        return dict(stand_ins(model))["2.block"].weight

    for restart in (False, True):
        assert torch.equal(found(0, restart), found(0, restart))
        assert not torch.equal(found(0, restart), found(1, restart))


def test_the_loss_is_the_weighted_sum_of_the_error_of_what_leaves_the_stand_in_and_of_the_next_token():
    whole = tiny_model("gpt2", num_hidden_layers=4)
    model = prune(copy.deepcopy(whole), [2, 3], "run", blocks=tiny_ids(batch=20))
    ids = tiny_ids(batch=8, seed=5)
    with torch.no_grad(), capture(whole) as wanted:
        whole(ids)
    with capture(model) as stream:
        nats = model(ids, labels=ids).loss
    target = wanted[3].flatten(0, 1)  # what leaves layer 3 of the whole model, and place 2 of the pruned one
    error = (stream[2].flatten(0, 1) - target).square().sum() / (target - target.mean(0)).square().sum()
    weights = list(dict(stand_ins(model))["2.block"].parameters())
    one_step = replace(SHORT, steps=1, warmup=0, log_every=1, peak_rate=1e-9)
    for share in (0.0, 0.75, 1.0):
        parts = torch.autograd.grad((1 - share) * error + share * nats, weights, retain_graph=True)
        norm = torch.cat([part.flatten() for part in parts]).norm().item()
        row = list(heal(copy.deepcopy(model), ids, one_step, teacher=whole, nats=share))[-1]
        assert row["gradient_norm"] == pytest.approx(norm, rel=1e-4)
        assert row["state_error"] == (pytest.approx(error.item(), rel=1e-4) if share < 1 else None)
        assert row["training_nats"] == (pytest.approx(nats.item(), rel=1e-4) if share else None)


@pytest.mark.parametrize("part", ["block", "attention", "mlp"])
def test_maps_that_start_at_zero_do_what_removing_does(part):
    whole, blocks, ids = tiny_model("llama"), tiny_ids(batch=20), tiny_ids()
    model = prune(copy.deepcopy(whole), [2, 3], "affine", blocks=blocks, part=part)
    removed = logits(prune(copy.deepcopy(whole), [2, 3], "remove", part=part), ids)
    assert not torch.allclose(logits(model, ids), removed, atol=1e-3)  # control: fitted maps do something else
    restart_(model, "zero")
    assert torch.allclose(logits(model, ids), removed, atol=1e-5)
    with pytest.raises(ValueError, match="there is no start 'one': the names are zero, random"):
        restart_(model, "one")


def test_a_part_can_be_healed_and_what_was_fixed_stays_fixed():
    whole, ids = tiny_model("llama"), tiny_ids()
    model = prune(copy.deepcopy(whole), [2], "affine", blocks=tiny_ids(batch=20), part="mlp")
    before = logits(model, ids)
    next(model.parameters()).requires_grad_(False)
    flags = [weight.requires_grad for weight in model.parameters()]
    list(heal(model, tiny_ids(batch=40, seed=1), replace(SHORT, peak_rate=1e-2), teacher=whole))
    assert [weight.requires_grad for weight in model.parameters()] == flags
    assert not torch.equal(logits(model, ids), before)


@pytest.mark.parametrize(
    ("action", "options", "message"),
    [
        ("affine", {"teacher": None}, "the states are learnt from a teacher: give teacher="),
        ("affine", {"teacher": "itself"}, "the states are learnt from a teacher: give teacher="),
        ("affine", {"trained": "some"}, "there is no choice of what is trained 'some': the names are stand-ins, all"),
        ("affine", {"nats": 1.5}, "nats=1.5 is no share of the loss: give one from 0, states alone, to 1"),
        ("affine", {"blocks": tiny_ids(batch=2)}, "a step takes 8 blocks of at least 2 tokens, but there are 2"),
        ("remove", {}, "no map stands in this model: prune it with action="),
        (
            "remove",
            {"trained": "all", "teacher": "small"},
            "the teacher has 2 layers, but the model was made of one wi",
        ),
    ],
)
def test_what_cannot_be_learnt_is_told(action, options, message):
    whole = tiny_model("llama")
    model = prune(copy.deepcopy(whole), [2], action, blocks=tiny_ids(batch=20) if action == "affine" else None)
    teachers = {"itself": model, "small": tiny_model("llama", num_hidden_layers=2), None: None}
    options = {"blocks": tiny_ids(batch=20)} | options
    options["teacher"] = teachers[options["teacher"]] if "teacher" in options else whole
    with pytest.raises(ValueError, match=message):
        next(heal(model, options.pop("blocks"), SHORT, **options))
    assert all(weight.requires_grad for weight in model.parameters())
