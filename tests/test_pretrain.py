"""The pretraining loop: what it learns, what it repeats, what it refuses. Run: pytest tests/test_pretrain.py."""

import json
import math

import pandas as pd
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, MistralForCausalLM

from linstudy.train import TrainConfig, next_token_nats, pocket, pretrain, pretrain_to
from linstudy.train.pocket import COLUMNS, write_rows
from linstudy.train.pretrain import batch_rows, make_optimizer

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 4, "vocab_size": 24}


def small_model(seed=0):
    config = pocket()
    config.update(SMALL)
    torch.manual_seed(seed)
    return MistralForCausalLM(config)


def counting_text(blocks=64, length=16, seed=0):
    """Make blocks that count upwards from a random start: every token but the first follows from the one before."""
    start = torch.randint(24, (blocks, 1), generator=torch.Generator().manual_seed(seed))
    return ((start + torch.arange(length)) % 24).int()


def shuffled(blocks, seed=0):
    """Return the same tokens in random order: nothing follows from anything."""
    order = torch.randperm(blocks.numel(), generator=torch.Generator().manual_seed(seed))
    return blocks.flatten()[order].view_as(blocks)


SHORT = TrainConfig(steps=60, batch=8, peak_rate=1e-2, warmup=5, log_every=10, validate_every=20, checkpoint_every=20)


# the schedule


def test_rate_rises_straight_then_falls_as_half_a_cosine():
    config = TrainConfig(steps=1100, warmup=100, peak_rate=1.0, final_rate=0.1)
    assert config.rate(1) == 0.01
    assert config.rate(50) == 0.5
    assert config.rate(100) == 1.0
    assert config.rate(600) == pytest.approx(0.55)  # half-way: the mean of peak and end
    assert config.rate(1100) == pytest.approx(0.1)
    rates = [config.rate(step) for step in range(100, 1101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("warmup", "first", "last"), [(0, 1.0, 0.1), (4, 0.25, 1.0)])
def test_rate_without_warmup_and_with_nothing_else(warmup, first, last):
    config = TrainConfig(steps=4, warmup=warmup, peak_rate=1.0, final_rate=0.1)
    assert config.rate(1) == pytest.approx(first, rel=0.4)
    assert config.rate(4) == pytest.approx(last)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be above 0"),
        ({"peak_rate": float("nan")}, "peak_rate is nan"),
        ({"steps": 10, "warmup": 11}, "warmup is 11 steps; it must lie between 0 and steps, 10"),
        ({"log_every": 7}, "validate_every is 100; it must be a multiple of log_every, 7"),
        ({"checkpoint_every": 15}, "checkpoint_every is 15; it must be a multiple of log_every, 10"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)


# the order of the data


def test_an_epoch_sees_every_block_once_in_an_order_of_its_own():
    config = TrainConfig(batch=4, seed=3)
    first, second = ([batch_rows(20, config, step) for step in steps] for steps in (range(1, 6), range(6, 11)))
    for epoch in (first, second):
        assert sorted(row for rows in epoch for row in rows) == list(range(20))
    assert [list(rows) for rows in first] != [list(rows) for rows in second]
    assert list(batch_rows(20, config, 1)) != list(batch_rows(20, TrainConfig(batch=4, seed=4), 1))


def test_a_step_is_full_when_the_batch_does_not_divide_the_blocks():
    assert [len(batch_rows(11, TrainConfig(batch=4), step)) for step in range(1, 9)] == [4] * 8


# one step


def test_loss_is_the_mean_over_predicted_tokens():
    model, ids = small_model(), counting_text(3).long()
    logits = model(input_ids=ids).logits
    by_hand = -logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).mean()
    torch.testing.assert_close(next_token_nats(model, ids), by_hand)


@pytest.mark.parametrize("make", [small_model, lambda: GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2))])
def test_weight_decay_is_on_matrices_alone(make):
    model = make()
    decayed, free = (group["params"] for group in make_optimizer(model, TrainConfig()).param_groups)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert len(decayed) + len(free) == len(names)
    for parameter in decayed:
        assert parameter.ndim == 2
        assert not any(word in names[id(parameter)] for word in ("embed", "wte", "wpe", "norm", "ln_"))
    attention = [name for name in names.values() if "attn" in name and name.endswith("weight")]
    assert attention
    assert set(attention) <= {names[id(parameter)] for parameter in decayed}


def test_the_gradient_is_clipped_and_logged_unclipped():
    model, blocks = small_model(), counting_text()
    before = [p.detach().clone() for p in model.parameters()]
    tight = TrainConfig(steps=1, batch=8, warmup=0, clip=1e-12, weight_decay=0.0, log_every=1)
    (row,) = pretrain(model, blocks, tight)
    assert row["gradient_norm"] > 0.1
    moved = max((p - q).abs().max().item() for p, q in zip(model.parameters(), before, strict=True))
    assert moved < 1e-6  # a gradient of 1e-12 is far below AdamW's epsilon; unclipped, it moves by the rate, 4e-3


# the run


def test_rows_say_what_happened():
    rows = pd.DataFrame(pretrain(small_model(), counting_text(), SHORT, validation=counting_text(8, seed=1)))
    assert tuple(rows.columns) == COLUMNS
    assert list(rows.step) == [10, 20, 30, 40, 50, 60]
    assert list(rows.tokens) == [step * 8 * 16 for step in rows.step]
    assert list(rows.validation_nats.notna()) == [False, True, False, True, False, True]
    assert list(rows.rate) == [SHORT.rate(step) for step in rows.step]
    assert (rows.tokens_per_second > 0).all()


def test_validation_is_the_loss_of_the_model_at_that_step():
    model, held_out = small_model(), counting_text(11, seed=1)  # 11 blocks: the last batch of 8 is not full
    *_, last = pretrain(model, counting_text(), SHORT, validation=held_out)
    assert not model.training
    assert last["validation_nats"] == pytest.approx(next_token_nats(model, held_out.long()).item(), rel=1e-5)


def test_loss_falls_on_text_with_a_rule_and_not_on_the_same_tokens_shuffled():
    lasts = []
    for text in (counting_text(), shuffled(counting_text())):
        *_, last = pretrain(small_model(), text, SHORT)
        lasts.append(last["training_nats"])
    rule, noise = lasts
    assert rule < 1.0
    assert noise > math.log(24) - 0.25


def test_equal_configs_give_equal_rows_and_another_seed_does_not():
    def losses(seed):
        config = TrainConfig(**(vars(SHORT) | {"seed": seed}))
        return [row["training_nats"] for row in pretrain(small_model(), counting_text(), config)]

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


# what is refused


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step_and_the_way_back(tmp_path):
    model = small_model()
    rows = pretrain(model, counting_text(), SHORT, folder=tmp_path)
    assert [next(rows)["step"] for _ in range(3)] == [10, 20, 30]
    calls = []

    def break_at_the_fourth(module, args, output):
        calls.append(output)
        return output * math.nan if len(calls) == 4 else None

    model.model.norm.register_forward_hook(break_at_the_fourth)
    with pytest.raises(FloatingPointError, match=r"at step 34 the loss was nan .*step-00000020\.safetensors"):
        next(rows)


def test_a_loss_that_is_not_finite_without_checkpoints():
    model = small_model()
    nn.init.constant_(model.model.norm.weight, math.inf)
    with pytest.raises(FloatingPointError, match=r"at step 1 the loss was nan .*there is no checkpoint to go back to"):
        list(pretrain(model, counting_text(), SHORT))


def test_blocks_and_weights_that_cannot_be_trained_on_are_refused():
    with pytest.raises(ValueError, match=r"a step takes 8 blocks .* there are 5 of 16; draw more tokens"):
        next(pretrain(small_model(), counting_text(5), SHORT))
    with pytest.raises(ValueError, match="hold token 30, but the model knows only 24 tokens"):
        next(pretrain(small_model(), counting_text() + 7, SHORT))
    with pytest.raises(ValueError, match=r"the weights are torch.bfloat16; train in float32, after model.float\(\)"):
        next(pretrain(small_model().bfloat16(), counting_text(), SHORT))


# the pocket model and its command


def test_pocket_model_fits_the_package():
    model = MistralForCausalLM(pocket(2048))
    assert model.num_parameters() == 1_443_968
    assert 2 * model.num_parameters() < 3e6  # bytes in bfloat16
    assert model.lm_head.weight is model.model.embed_tokens.weight


def row(step, **cells):
    return dict.fromkeys(COLUMNS) | {"step": step, "training_nats": 1 / 3, "validation_nats": None} | cells


def test_a_resumed_table_holds_every_step_once(tmp_path):
    path = tmp_path / "training.csv"
    write_rows(path, [row(10, rate=0.1), row(20, rate=0.2), row(30, rate=0.3)])
    with path.open("a") as file:
        file.write("4")  # killed in the middle of a row
    write_rows(path, iter([row(30, rate=3.0), row(40, rate=4.0)]))
    table = pd.read_csv(path)
    assert list(table.step) == [10, 20, 30, 40]
    assert list(table.rate) == [0.1, 0.2, 3.0, 4.0]
    assert table.validation_nats.isna().all()
    write_rows(path, [row(10)])  # a fresh start
    assert list(pd.read_csv(path).step) == [10]


def test_a_run_that_has_nothing_left_to_do_keeps_its_table(tmp_path):
    write_rows(tmp_path / "training.csv", [row(10)])
    write_rows(tmp_path / "training.csv", [])
    assert list(pd.read_csv(tmp_path / "training.csv").step) == [10]


@pytest.mark.slow
def test_the_command_makes_a_folder_that_transformers_loads(tmp_path):
    settings = {"steps": 20, "batch": 2, "vocab_size": 512, "threads": 1}
    folder = pretrain_to(tmp_path / "run", **settings)
    files = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json", "training.csv"}
    assert wanted | {"provenance.json", "tokenizer_config.json"} <= files.keys()
    assert (folder / "model.safetensors").stat().st_size < 3e6
    assert {path.stat().st_mode & 0o444 for path in folder.iterdir() if path.is_file()} == {0o444}  # others may read
    assert json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
    for name in files:
        if name.endswith(".json"):
            assert str(tmp_path) not in (folder / name).read_text()
    assert "_name_or_path" not in json.loads((folder / "config.json").read_text())

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    ids = tokenizer("Once upon a time", return_tensors="pt").input_ids
    assert model.float().generate(ids, max_new_tokens=5, do_sample=False).shape[1] == ids.shape[1] + 5
    assert tokenizer.decode(ids[0]) == "Once upon a time"

    made = json.loads((folder / "provenance.json").read_text())
    assert made["tokens"] == 20 * 2 * 256
    assert made["validation_nats"] == pd.read_csv(folder / "training.csv").validation_nats.iloc[-1]
    weights = (folder / "model.safetensors").read_bytes()
    pretrain_to(folder, **settings)  # nothing left to train: the same files again
    assert (folder / "model.safetensors").read_bytes() == weights
    with pytest.raises(ValueError, match=r"was made with .*peak_rate 0.006, not 0.1"):
        pretrain_to(folder, **settings, peak_rate=0.1)
