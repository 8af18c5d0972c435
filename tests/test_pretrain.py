"""The pretraining loop: what it learns, what it repeats, what it refuses. Run: pytest tests/test_pretrain.py."""

import json
import math
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, MistralForCausalLM

from linstudy.cli import main
from linstudy.train import (
    PRESETS,
    Penalty,
    Recipe,
    Scaling,
    documents,
    load_snapshot,
    next_token_nats,
    preset_named,
    pretrain,
    pretrain_to,
    with_bar,
)
from linstudy.train.descent import batch_rows, drawn_by, make_optimizer, precision
from linstudy.train.engines import products
from linstudy.train.release import name_of
from linstudy.train.rows import COLUMNS, write_rows
from linstudy.train.texts import shown

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 4, "vocab_size": 24}


def small_model(seed=0):
    config = PRESETS["pocket"].shape()
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


SHORT = Recipe(steps=60, batch=8, peak_rate=1e-2, warmup=5, log_every=10, validate_every=20, checkpoint_every=20)


# the schedule


def test_rate_rises_straight_then_falls_as_half_a_cosine():
    config = Recipe(steps=1100, warmup=100, peak_rate=1.0, final_rate=0.1)
    assert config.rate(1) == 0.01
    assert config.rate(50) == 0.5
    assert config.rate(100) == 1.0
    assert config.rate(600) == pytest.approx(0.55)  # half-way: the mean of peak and end
    assert config.rate(1100) == pytest.approx(0.1)
    rates = [config.rate(step) for step in range(100, 1101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("warmup", "first", "last"), [(0, 1.0, 0.1), (4, 0.25, 1.0)])
def test_rate_without_warmup_and_with_nothing_else(warmup, first, last):
    config = Recipe(steps=4, warmup=warmup, peak_rate=1.0, final_rate=0.1)
    assert config.rate(1) == pytest.approx(first, rel=0.4)
    assert config.rate(4) == pytest.approx(last)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be above 0"),
        ({"peak_rate": float("nan")}, "peak_rate is nan"),
        ({"steps": 10, "warmup": 11}, "warmup is 11 steps; it must lie between 0 and steps, 10"),
        ({"accumulation": 0}, "accumulation is 0; it must be above 0"),
        ({"linear": "mkl"}, "linear is 'mkl'; it must be one of auto, torch, onednn"),
        ({"compile": True, "linear": "onednn"}, "compile=True and linear='onednn' do not go together"),
        ({"steps": 200, "snapshots": (0, 201)}, "snapshots holds step 201; the run has steps 0 to 200"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**options)


def test_snapshots_are_on_log_spaced_steps_with_the_first_and_the_last():
    assert sorted(Recipe(steps=100, snapshots=True).snapshot_steps) == [0, 1, 2, 4, 8, 16, 32, 64, 100]
    assert sorted(Recipe(steps=128, snapshots=True).snapshot_steps) == [0, 1, 2, 4, 8, 16, 32, 64, 128]
    assert sorted(Recipe(steps=100, snapshots=[5, 3]).snapshot_steps) == [3, 5]
    assert not Recipe().snapshot_steps


# the order of the data


def test_an_epoch_sees_every_block_once_in_an_order_of_its_own():
    config = Recipe(batch=4, seed=3)
    first, second = ([batch_rows(20, config, step) for step in steps] for steps in (range(1, 6), range(6, 11)))
    for epoch in (first, second):
        assert sorted(row for rows in epoch for row in rows) == list(range(20))
    assert [list(rows) for rows in first] != [list(rows) for rows in second]
    assert list(batch_rows(20, config, 1)) != list(batch_rows(20, Recipe(batch=4, seed=4), 1))


def test_a_step_is_full_when_the_batch_does_not_divide_the_blocks():
    assert [len(batch_rows(11, Recipe(batch=4), step)) for step in range(1, 9)] == [4] * 8


# one step


def test_loss_is_the_mean_over_predicted_tokens():
    model, ids = small_model(), counting_text(3).long()
    logits = model(input_ids=ids).logits
    by_hand = -logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).mean()
    torch.testing.assert_close(next_token_nats(model, ids), by_hand)


@pytest.mark.parametrize("make", [small_model, lambda: GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2))])
def test_weight_decay_is_on_matrices_alone(make):
    model = make()
    decayed, free = (group["params"] for group in make_optimizer(model, Recipe()).param_groups)
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
    tight = Recipe(steps=1, batch=8, warmup=0, clip=1e-12, weight_decay=0.0, log_every=1)
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
        config = Recipe(**(vars(SHORT) | {"seed": seed}))
        return [row["training_nats"] for row in pretrain(small_model(), counting_text(), config)]

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_snapshot_rows_come_beside_the_others():
    config = Recipe(**vars(SHORT) | {"snapshots": (0, 3)})
    rows = pd.DataFrame(pretrain(small_model(), counting_text(), config, validation=counting_text(8, seed=1)))
    assert list(rows.step) == [0, 3, 10, 20, 30, 40, 50, 60]
    assert list(rows.validation_nats.notna()) == [True, True, False, True, False, True, False, True]
    assert rows.validation_nats[0] == pytest.approx(math.log(24), abs=0.1)
    assert rows.loc[0, ["training_nats", "penalty", "gradient_norm", "tokens_per_second"]].isna().all()
    plain = pd.DataFrame(pretrain(small_model(), counting_text(), SHORT))
    assert list(rows.training_nats[3:]) == list(plain.training_nats[1:])


def test_a_step_in_parts_is_the_whole_step():
    def run(**options):
        model = small_model()
        config = Recipe(**vars(SHORT) | {"steps": 20} | options)
        return list(pretrain(model, counting_text(), config)), model

    (whole, one), (parts, four), (other, _) = run(), run(accumulation=4), run(seed=1)
    for a, b, c in zip(whole, parts, other, strict=True):
        for column in ("training_nats", "gradient_norm"):
            assert a[column] == pytest.approx(b[column], rel=1e-4)
            assert a[column] != pytest.approx(c[column], rel=1e-4)
    for a, b in zip(one.parameters(), four.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="a batch of 8 does not divide into 3 parts for each of 1 processes"):
        run(accumulation=3)


def test_dropout_is_decided_by_the_seed_and_the_step():
    """So that a run resumed in the middle drops what the whole run did."""

    def run(steps, folder=None):
        torch.manual_seed(0)
        model = GPT2LMHeadModel(GPT2Config(vocab_size=24, n_positions=16, n_embd=16, n_layer=1, n_head=2))
        assert model.config.resid_pdrop > 0
        rows = pretrain(model, counting_text(), SHORT, folder=folder)
        for row in rows:
            torch.rand(row["step"])  # whoever draws in between
            if row["step"] == steps:
                break
        return model.state_dict()

    whole = run(60)
    with drawn_by(torch.device("cpu"), 0, 1):
        first = torch.rand(4)
    with drawn_by(torch.device("cpu"), 0, 2):
        assert not torch.equal(torch.rand(4), first)
    again = run(60)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.parametrize(("capability", "used"), [((7, 5), []), ((8, 0), ["bfloat16"]), ((9, 0), ["bfloat16"])])
def test_half_precision_is_bfloat16_on_gpus_that_have_it_and_nothing_on_others(monkeypatch, capability, used):
    asked = []

    def autocast(kind, dtype):
        asked.append(str(dtype).removeprefix("torch."))
        return nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    with precision(torch.device("cuda")), precision(torch.device("cpu")):
        assert asked == used  # a T4 would have float16, which overflows


# faster steps


def losses(**options):
    config = Recipe(**vars(SHORT) | {"steps": 20, "penalty": Penalty("cosine", 0.5)} | options)
    rows = list(pretrain(model := small_model(), counting_text(), config, validation=counting_text(5)))
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
    def fails(function):
        def run(*args, **kwargs):
            raise RuntimeError("no C++ compiler\nand more lines")

        return run

    monkeypatch.setattr(torch, "compile", fails)
    with pytest.warns(RuntimeWarning, match=r"does not work here \(RuntimeError: no C\+\+ compiler\)") as told:
        got = losses(compile=True)
    assert len(told) == 1
    assert got == losses(linear="torch")


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_onednn_multiplies_alike():
    assert losses(linear="onednn") == pytest.approx(losses(), rel=1e-4)
    layer = nn.Linear(5, 3)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=24, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    model.extra = layer  # one with a bias, on three axes
    x, weight, bias = (torch.randn(2, 7, 5, requires_grad=True), layer.weight, layer.bias)
    want = torch.autograd.grad(layer(x).square().sum(), (x, weight, bias))
    with products(model, "onednn"):
        got = torch.autograd.grad(layer(x).square().sum(), (x, weight, bias))
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)


def test_onednn_is_refused_where_it_is_not(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    with pytest.raises(ValueError, match="is for a CPU with oneDNN, and the model is on cpu: take linear='torch'"):
        losses(linear="onednn")


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
    model = MistralForCausalLM(PRESETS["pocket"].shape(2048))
    assert model.num_parameters() == 1_443_968
    assert 2 * model.num_parameters() < 3e6  # bytes in bfloat16
    assert model.lm_head.weight is model.model.embed_tokens.weight


def meta_model(preset):
    with torch.device("meta"):
        return MistralForCausalLM(preset.shape(preset.vocab_size))


@pytest.mark.parametrize(
    ("name", "parameters"), [("pocket", 1_443_968), ("mini", 9_902_336), ("150m", 151_800_576), ("650m", 652_145_920)]
)
def test_presets_have_the_sizes_they_are_named_for(name, parameters):
    assert meta_model(PRESETS[name]).num_parameters() == parameters
    assert PRESETS[name].length <= PRESETS[name].shape(257).max_position_embeddings


def test_models_are_named_for_what_is_special():
    def named(text="stories", **options):
        return name_of(text, "1m", Recipe(**options))

    assert named() == "stories-1m"
    assert named(penalty=Penalty("cosine", 0.5)) == "stories-1m-cosine"
    assert named(penalty=Penalty("mse", 0.5)) == "stories-1m-mse"
    assert named(scaling=Scaling("norms")) == "stories-1m-norms"
    assert named("folder/mine.txt+stories") == "mine-stories-1m"


def test_several_texts_take_turns(tmp_path):
    one, two = tmp_path / "one+1.txt", tmp_path / "two.txt"
    one.write_text("a<|endoftext|>b<|endoftext|>c")
    two.write_text("x")
    assert list(documents(str(one), seed=0)) == ["a", "b", "c"]
    both = f"{tmp_path / 'three.txt'}+{tmp_path / 'two.txt'}"
    one.rename(tmp_path / "three.txt")
    assert list(documents(both, seed=0)) == ["a", "x", "b", "c"]
    assert shown(both) == "three.txt+two.txt"


def test_a_preset_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no preset 'minni': did you mean 'mini'\? the names are nano"):
        pretrain_to(tmp_path, "minni")


def test_a_model_without_layers_is_refused():
    with pytest.raises(ValueError, match="a model of 0 layers cannot be made: give 1 or more"):
        preset_named("pocket", layers=0)


def test_a_preset_takes_another_number_of_layers():
    fewer, as_it_is = preset_named("pocket", layers=3), preset_named("pocket")
    assert fewer.shape(300).num_hidden_layers == 3
    assert fewer.size == "1m-3-layers"
    same = fewer.shape(300).to_dict() | {"num_hidden_layers": as_it_is.shape(300).num_hidden_layers}
    assert same == as_it_is.shape(300).to_dict()


def test_the_bar_counts_steps_and_passes_the_rows_on(capsys):
    rows = [row(0, training_nats=None), row(20, tokens_per_second=5.0), row(40, tokens_per_second=5.0)]
    assert list(with_bar(rows, steps=40, name="run", disable=False)) == rows
    said = capsys.readouterr().err
    assert "40/40" in said
    assert "loss=0.333, tokens_s=5" in said
    list(with_bar(rows[2:], steps=60, disable=False))  # resumed
    assert "40/60" in capsys.readouterr().err


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
    preset = replace(PRESETS["pocket"], vocab_size=512)
    recipe = preset.recipe(steps=20, batch=2)
    folder = pretrain_to(tmp_path / "run", preset, recipe)
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
    assert made["name"] == "stories-1m"
    assert made["config"]["peak_rate"] == PRESETS["pocket"].peak_rate
    assert made["bits_per_byte"] > 0
    assert made["tokens"] == 20 * 2 * PRESETS["pocket"].length
    assert made["validation_nats"] == pd.read_csv(folder / "training.csv").validation_nats.iloc[-1]
    weights = (folder / "model.safetensors").read_bytes()
    pretrain_to(folder, preset, recipe)  # nothing left to train: the same files again
    assert (folder / "model.safetensors").read_bytes() == weights
    with pytest.raises(ValueError, match=r"was made with .*peak_rate 0.006, not 0.1"):
        pretrain_to(folder, preset, replace(recipe, peak_rate=0.1))


@pytest.mark.slow
def test_the_command_passes_everything_on_to_the_run(tmp_path):
    words = "--text pydocs+stories --distinct 4096 --layers 3 --steps 6 --batch 2 --seed 3 --linear onednn"
    words += " --accumulation 2 --penalty mse=0.5,features=mean --scaling branches --snapshots --weight-decay 0.2"
    folder = tmp_path / "run"
    assert main(["pretrain", "--out", str(folder), *words.split()]) == 0
    made = json.loads((folder / "provenance.json").read_text())
    assert made["name"] == "pydocs-stories-1m-3-layers-mse-branches"
    assert made["layers"] == 3
    assert made["distinct"] == 4096  # gone through more than once: 7 blocks, 12 seen
    config = made["config"]
    assert config["penalty"]["features"] == "mean"
    assert config["scaling"] == {"where": "branches", "constant": 1.0, "power": 0.5}
    assert (config["weight_decay"], config["linear"], config["accumulation"], config["seed"]) == (0.2, "onednn", 2, 3)
    table = pd.read_csv(folder / "training.csv")
    assert list(table.step) == [0, 1, 2, 4, 6]
    assert table.penalty[1] > 0
    kept, exported = (AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32) for _ in range(2))
    load_snapshot(folder / "checkpoint", 6, kept)
    for one, other in zip(kept.parameters(), exported.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)  # bfloat16
    changes = {"steps": 6, "batch": 2, "snapshots": True}
    preset = preset_named("nano", layers=1)
    pretrain_to(folder, preset, preset.recipe(**changes), resume=False)  # another model: nothing is gone on with
    assert list(pd.read_csv(folder / "training.csv").step) == [0, 1, 2, 4, 6]
