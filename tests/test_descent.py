"""The training loop: what it computes, what it repeats, what it refuses. Run: pytest tests/test_descent.py."""

import copy
import math
from contextlib import nullcontext
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, MistralForCausalLM

from linstudy.text import shuffled
from linstudy.train import PRESETS, Penalty, Recipe, next_token_nats, pretrain
from linstudy.train.descent import Objective, batch_rows, descend, make_optimizer, precision
from linstudy.train.engines import products
from linstudy.train.rows import COLUMNS

SPECK = replace(PRESETS["nano"], layers=2, width=16, inner=32, head_dim=4, vocab_size=24)
SHORT = Recipe(steps=60, batch=8, peak_rate=1e-2, warmup=5, log_every=10, validate_every=20, checkpoint_every=20)


def small_model(**changes):
    torch.manual_seed(0)
    return MistralForCausalLM(replace(SPECK, **changes).shape())


def dropping_model():
    torch.manual_seed(0)
    shape = {"vocab_size": 24, "n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "initializer_range": 0.3}
    return GPT2LMHeadModel(GPT2Config(**shape))


def counting_text(blocks=64, length=16, seed=0):
    """Make blocks that count upwards from a random start: every token but the first follows from the one before."""
    start = torch.randint(24, (blocks, 1), generator=torch.Generator().manual_seed(seed))
    return ((start + torch.arange(length)) % 24).int()


def same_bits(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_rate_rises_straight_then_falls_as_half_a_cosine():
    recipe = Recipe(steps=1100, warmup=100, peak_rate=1.0, final_rate=0.1)
    rates = [recipe.rate(step) for step in (1, 50, 100, 600, 1100)]
    assert rates == pytest.approx([0.01, 0.5, 1.0, 0.55, 0.1])  # half-way the mean of peak and end
    assert Recipe(steps=4, warmup=4, peak_rate=1.0).rate(4) == 1.0
    falling = Recipe(steps=4, warmup=0, peak_rate=1.0, final_rate=0.1)
    assert [falling.rate(step) for step in (2, 4)] == pytest.approx([0.55, 0.1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be above 0"),
        ({"peak_rate": float("nan")}, "peak_rate is nan"),
        ({"steps": 10, "warmup": 11}, "warmup is 11 steps; it must lie between 0 and steps, 10"),
        ({"linear": "mkl"}, "linear is 'mkl'; it must be one of auto, torch, onednn"),
        ({"compile": True, "linear": "onednn"}, "compile=True and linear='onednn' do not go together"),
        ({"steps": 200, "snapshots": (0, 201)}, "snapshots holds step 201; the run has steps 0 to 200"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**options)


@pytest.mark.parametrize(
    ("given", "steps"), [(True, [0, 1, 2, 4, 8, 16, 32, 64, 100]), ([5, 3], [3, 5]), (Recipe().snapshots, [])]
)
def test_snapshots_are_on_log_spaced_steps_with_the_first_and_the_last(given, steps):
    assert sorted(Recipe(steps=100, snapshots=given).snapshot_steps) == steps


@pytest.mark.parametrize(("log_every", "every", "due"), [(7, 20, [21, 42, 50]), (10, 3, [10, 20, 30, 40, 50])])
def test_what_is_done_every_so_many_steps_is_done_at_the_first_row_after(log_every, every, due):
    recipe = Recipe(steps=50, warmup=0, log_every=log_every)
    rows = [step for step in range(51) if recipe.has_row(step)]
    assert [step for step in rows if recipe.is_due(step, every)] == due


def test_an_epoch_sees_every_block_once_in_an_order_of_its_own():
    recipe = Recipe(batch=4, seed=3)
    first, second, other = (
        [row for step in steps for row in batch_rows(20, replace(recipe, seed=seed), step)]
        for seed, steps in ((3, range(1, 6)), (3, range(6, 11)), (4, range(1, 6)))
    )
    assert sorted(first) == sorted(second) == sorted(other) == list(range(20))
    assert first != second
    assert first != other
    assert [len(batch_rows(11, recipe, step)) for step in range(1, 9)] == [4] * 8  # where the batch does not divide 11


def test_a_run_is_the_plain_loop_written_out():
    """Seven steps, over an epoch's end, of PyTorch's own pieces; the model's own loss."""
    recipe = replace(SHORT, steps=7, warmup=3, clip=0.5, weight_decay=0.3, betas=(0.8, 0.9), final_rate=0.2, seed=5)
    blocks = counting_text(40).long()
    model, by_hand = small_model(), small_model()
    rows = list(pretrain(model, blocks, replace(recipe, log_every=1, linear="torch")))
    embedding, *others = by_hand.parameters()
    matrices = {"params": [p for p in others if p.ndim == 2], "weight_decay": 0.3}
    rest = {"params": [embedding, *(p for p in others if p.ndim == 1)], "weight_decay": 0.0}
    optimizer = torch.optim.AdamW([matrices, rest], betas=(0.8, 0.9))
    orders = [np.random.default_rng((5, epoch)).permutation(40) for epoch in (0, 1)]
    for step, row in enumerate(rows):
        rate = (1 / 3, 2 / 3, 1)[step] if step < 3 else 0.2 + 0.4 * (1 + math.cos(math.pi * (step - 2) / 4))
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * rate
        ids = blocks[orders[step // 5][step % 5 * 8 :][:8]]
        loss = by_hand(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(by_hand.parameters(), 0.5)
        optimizer.step()
        assert norm > 0.5  # or clipping would go unseen
        found = [row[name] for name in ("training_nats", "gradient_norm", "rate")]
        assert found == pytest.approx([loss.item(), norm.item(), 1e-2 * rate], rel=1e-4)
    torch.testing.assert_close([*model.parameters()], [*by_hand.parameters()], rtol=1e-4, atol=1e-5)


def test_weight_decay_is_on_matrices_alone():
    model = dropping_model()  # with biases, and two embeddings
    decayed, free = (group["params"] for group in make_optimizer(model, Recipe()).param_groups)
    assert len(decayed) + len(free) == len(list(model.parameters()))
    inside = {id(weight) for name, weight in model.named_parameters() if ".h." in name and weight.ndim == 2}
    assert {id(weight) for weight in decayed} == inside


def test_rows_say_what_happened_with_those_of_snapshots_beside_the_others():
    held_out = counting_text(11, seed=1)  # the last batch of 8 is not full
    model, recipe = small_model(), replace(SHORT, snapshots=(0, 3))
    rows = pd.DataFrame(pretrain(model, counting_text(), recipe, validation=held_out))
    assert tuple(rows.columns) == COLUMNS
    assert list(rows.step) == [0, 3, 10, 20, 30, 40, 50, 60]
    assert list(rows.tokens) == [step * 8 * 16 for step in rows.step]
    assert list(rows.validation_nats.notna()) == [True, True, False, True, False, True, False, True]
    assert rows.validation_nats[0] == pytest.approx(math.log(24), abs=0.1)
    assert rows.loc[0, ["training_nats", "penalty", "gradient_norm", "tokens_per_second"]].isna().all()
    assert not model.training
    assert rows.validation_nats.iloc[-1] == pytest.approx(next_token_nats(model, held_out.long()).item(), rel=1e-5)
    rows = rows[rows.step >= 10]
    assert list(rows.rate) == [SHORT.rate(step) for step in rows.step]
    assert (rows.tokens_per_second > 0).all()
    every = [row["training_nats"] for row in pretrain(small_model(), counting_text(), replace(SHORT, log_every=1))]
    means = np.reshape(every, (6, 10)).mean(axis=1).tolist()
    assert list(rows.training_nats)[1:] == pytest.approx(means[1:], rel=1e-5)
    *_, last = every
    assert last < 1.0  # the text has a rule
    *_, noise = pretrain(small_model(), shuffled(counting_text()), SHORT)  # the control: the same tokens without it
    assert noise["training_nats"] > math.log(24) - 0.25


def test_dropout_is_on_and_decided_by_the_seed_and_the_step(tmp_path):
    """So that a run resumed in the middle drops what the whole run did, whatever else was drawn."""

    def run(folder=None, until=60):
        model = dropping_model()
        for row in pretrain(model, counting_text(), SHORT, folder=folder):
            assert model.training
            torch.rand(row["step"])
            model.eval()
            if row["step"] > until:
                break
        return model.state_dict()

    run(tmp_path, until=20)  # ends behind the checkpoint of step 20
    assert same_bits(run(tmp_path), run())
    one = replace(SHORT, steps=1, warmup=0, log_every=1)
    model, text = dropping_model(), counting_text(8)
    (dropped,) = pretrain(model, text, one)
    plain = next_token_nats(dropping_model().eval(), text.long()).item()
    assert dropped["training_nats"] != pytest.approx(plain, abs=1e-2)
    rows = pretrain(dropping_model(), text, replace(SHORT, steps=4, warmup=0, peak_rate=1e-12, log_every=1))
    still = [row["training_nats"] for row in rows]
    assert max(still) - min(still) > 1e-2  # the same blocks and weights: only what is dropped differs


@pytest.mark.parametrize(("capability", "used"), [((7, 5), []), ((8, 0), [torch.bfloat16])])
def test_half_precision_is_bfloat16_on_gpus_that_have_it_and_nothing_on_others(monkeypatch, capability, used):
    asked = []
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype: asked.append(dtype) or nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    with precision(torch.device("cuda")), precision(torch.device("cpu")):
        assert asked == used  # a T4 would have float16, which overflows


def losses(**options):
    recipe = replace(SHORT, steps=20, penalty=Penalty("cosine", 0.5), **options)
    rows = list(pretrain(model := small_model(), counting_text(), recipe, validation=counting_text(5)))
    assert not any("forward" in vars(module) for module in model.modules())
    return [row["training_nats"] + row["penalty"] for row in rows]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler looks at states of the stream
def test_compiled_blocks_train_alike(monkeypatch):
    calls = []

    def counted(function):
        calls.append(function)
        return real(function, backend="aot_eager")  # all but the making of machine code, which takes a minute

    real = torch.compile
    monkeypatch.setattr(torch, "compile", counted)
    assert losses(compile=True) == pytest.approx(losses(), rel=1e-4)
    assert len(calls) == 2  # blocks


def test_a_compiler_that_fails_is_told_once_and_the_run_goes_on(monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("no C++ compiler\nand more lines")

    monkeypatch.setattr(torch, "compile", lambda function: fails)
    with pytest.warns(RuntimeWarning, match=r"does not work here \(RuntimeError: no C\+\+ compiler\)") as told:
        got = losses(compile=True)
    assert len(told) == 1
    assert got == losses(linear="torch")


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_onednn_multiplies_alike_and_is_refused_where_it_is_not(monkeypatch):
    assert losses(linear="onednn") == pytest.approx(losses(linear="torch"), rel=1e-4)
    model = small_model()
    model.extra = layer = nn.Linear(5, 3)  # one with a bias, on three axes
    x, weight, bias = (torch.randn(2, 7, 5, requires_grad=True), layer.weight, layer.bias)
    want = torch.autograd.grad(layer(x).square().sum(), (x, weight, bias))
    with products(model, "onednn"):
        got = torch.autograd.grad(layer(x).square().sum(), (x, weight, bias))
        other = copy.deepcopy(layer)  # as whoever measures the model between two rows may make one
        weight.requires_grad_(False)
        (alone,) = torch.autograd.grad(layer(x).square().sum(), x)
    torch.testing.assert_close((*got, alone), (*want, want[0]))
    torch.nn.init.zeros_(other.weight)
    torch.testing.assert_close(other(x), other.bias.expand(2, 7, 3))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    with pytest.raises(ValueError, match="is for a CPU with oneDNN, and the model is on cpu: take linear='torch'"):
        losses(linear="onednn")


def test_a_head_is_not_kept_and_so_no_folder_is_taken_with_one(tmp_path):
    objective = Objective(loss=lambda rows: None, count=8, unit=("tokens", 16), columns=())
    with pytest.raises(ValueError, match="a head is not kept in checkpoints: leave the folder out"):
        next(descend(small_model(), objective, SHORT, head=nn.Linear(2, 2), folder=tmp_path))


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step_and_the_way_back(tmp_path):
    model = small_model()
    rows = pretrain(model, counting_text(), SHORT, folder=tmp_path)
    assert [next(rows)["step"] for _ in range(3)] == [10, 20, 30]
    calls = count(1)
    model.model.norm.register_forward_hook(lambda *_: _[2] * math.nan if next(calls) == 4 else None)
    with pytest.raises(FloatingPointError, match=r"at step 34 the loss was nan .*step-00000020\.safetensors; try a"):
        next(rows)
    nn.init.constant_(model.model.norm.weight, math.inf)
    with pytest.raises(FloatingPointError, match=r"at step 1 the loss was nan .*there is no checkpoint to go back to"):
        list(pretrain(model, counting_text(), SHORT))


@pytest.mark.parametrize(
    ("change", "blocks", "message"),
    [
        (nn.Module.float, counting_text(5), r"a step takes 8 blocks .* there are 5 of 16; draw more tokens"),
        (nn.Module.float, counting_text() + 7, "hold token 30, but the model knows only 24 tokens"),
        (nn.Module.bfloat16, counting_text(), r"weights are torch.bfloat16; train in float32, after model.float\(\)"),
    ],
    ids=["few", "unknown", "bfloat16"],
)
def test_blocks_and_weights_that_cannot_be_trained_on_are_refused(change, blocks, message):
    with pytest.raises(ValueError, match=message):
        next(pretrain(change(small_model()), blocks, SHORT))
