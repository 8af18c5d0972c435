"""From a text to a folder with a model: presets, texts, the table of a run."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer

from linstudy.cli import main
from linstudy.files import locked
from linstudy.train import PRESETS, documents, draw, load_snapshot, preset_named, pretrain_to, texts
from linstudy.train.rows import COLUMNS, minutes, read_rows, with_bar, write_rows
from linstudy.train.texts import shown


def test_a_preset_takes_another_number_of_layers():
    fewer, as_it_is = preset_named("pocket", layers=3), preset_named("pocket")
    assert fewer.size == "1m-3-layers"
    assert fewer.shape(300).to_dict() == as_it_is.shape(300).to_dict() | {"num_hidden_layers": 3}
    with pytest.raises(ValueError, match="a model of 0 layers cannot be made: give 1 to 1000"):
        preset_named("pocket", layers=0)
    with pytest.raises(ValueError, match=r"no preset 'minni': did you mean 'mini'\? the names are nano"):
        preset_named("minni")


def test_the_recipe_of_a_preset_sees_its_tokens_or_as_many_as_are_wanted():
    nano = PRESETS["nano"]
    assert nano.recipe().steps * nano.batch * nano.length == nano.tokens
    assert nano.recipe(tokens=4096).steps == nano.recipe(tokens=4096, batch=2).steps / 2 == 4
    assert nano.recipe(tokens=4096, steps=50) == nano.recipe(steps=50)
    assert (nano.recipe(steps=50).warmup, nano.recipe(steps=5000).warmup) == (5, 200)
    assert nano.recipe(steps=50, peak_rate=1.0, warmup=9) == replace(nano.recipe(steps=50), peak_rate=1.0, warmup=9)
    nothing = r"a run of .* tokens in batches of .* trains nothing: give 1 or more"
    for wrong, message in (
        *(({name: value}, nothing) for name, value in (("tokens", 0), ("tokens", -1), ("batch", 0))),
        *(({"weight_decay": bad}, r"weight_decay is .*; it must be a number, 0 or more") for bad in (-1.0, math.nan)),
        ({"seed": -1}, r"seed is -1; it must lie between 0 and 2\*\*63"),
    ):
        with pytest.raises(ValueError, match=message):
            nano.recipe(**wrong)


def test_several_texts_take_turns(tmp_path):
    for name, text in {"one+1": "a<|endoftext|>b<|endoftext|>c", "two": "x", "three": "a<|endoftext|>b"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    assert list(documents(str(tmp_path / "one+1.txt"), seed=0)) == ["a", "b", "c"]
    both = f"{tmp_path / 'three.txt'}+{tmp_path / 'two.txt'}"
    assert list(documents(both, seed=0)) == ["a", "x", "b"]
    assert shown(both) == "three.txt+two.txt"


@pytest.mark.slow
def test_what_is_held_out_comes_before_what_is_trained_on(tmp_path):
    text, preset = tmp_path / "numbers.txt", replace(PRESETS["nano"], vocab_size=300, length=64)
    text.write_text(" ".join(map(str, range(1000))))
    tokenizer, heldout, blocks = draw(str(text), preset, blocks=5, heldout=2)
    assert (len(heldout), len(blocks)) == (2, 5)
    read = tokenizer.decode(torch.cat([heldout, blocks]).flatten())
    assert len(read) > 300
    assert text.read_text().startswith(read)


@pytest.fixture(autouse=True)
def few_documents(monkeypatch):
    """Let tokenizers learn from a few texts: thousands take a minute."""
    monkeypatch.setattr(texts, "TOKENIZER_DOCUMENTS", {"text": 60, "pydocs": 20})


def row(step, **cells):
    return dict.fromkeys(COLUMNS) | {"step": step, "training_nats": 1 / 3} | cells


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
    write_rows(path, [])  # nothing left to do
    assert list(pd.read_csv(path).step) == [10, 20, 30, 40]
    write_rows(path, [row(10)])  # a fresh start
    assert list(pd.read_csv(path).step) == [10]
    fast, slow = ({"tokens": 6000, "tokens_per_second": 50.0}, {"tokens": 9000, "tokens_per_second": 5.0})
    write_rows(path, [row(0, tokens=0), row(10, **fast), row(20, **slow)])
    assert minutes(read_rows(path)) == 2.0 + 10.0


@pytest.mark.parametrize(("first", "before"), [(0, 0), (22, 21)])
def test_a_bar_of_a_resumed_run_counts_the_steps_that_are_done_now(monkeypatch, first, before):
    bars = []
    monkeypatch.setattr("linstudy.train.rows.tqdm", lambda **options: bars.append(tqdm(**options)) or bars[0])
    rows = [row(step, tokens_per_second=9.0) for step in (first, first + 5)]
    assert list(with_bar(rows, steps=30, disable=False)) == rows
    assert (bars[0].initial, bars[0].n, bars[0].total) == (before, first + 5, 30)


@pytest.mark.parametrize(
    "names", [{"model.safetensors"}, {"model.safetensors", "training.csv"}, {"checkpoint", "notes"}]
)
def test_a_folder_of_somebody_elses_is_refused_and_left_as_it_is(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("mine")
    for place in (tmp_path, tmp_path / next(iter(names))):
        with pytest.raises(
            FileExistsError, match=f"{place.name} holds something that no pretraining wrote: give a new"
        ):
            pretrain_to(place, text="no such text")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "mine")


def test_a_failed_start_leaves_no_folder_and_two_that_train_into_one_are_told_apart(tmp_path):
    with pytest.raises(ValueError, match="'no such text'"):
        pretrain_to(tmp_path / "new", text="no such text")
    with (
        locked(tmp_path / "run"),
        pytest.raises(BlockingIOError, match=r"another process is writing .*run: wait until it has ended"),
    ):
        pretrain_to(tmp_path / "run", text="no such text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_makes_a_folder_that_transformers_loads(tmp_path, monkeypatch):
    preset = replace(PRESETS["pocket"], vocab_size=512)
    recipe = preset.recipe(steps=8, batch=2)
    folder = pretrain_to(tmp_path / "run", preset, recipe)
    files = [path for path in folder.iterdir() if path.is_file()]
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json", "training.csv"}
    assert wanted | {"provenance.json", "tokenizer_config.json"} <= {path.name for path in files}
    assert (folder / "model.safetensors").stat().st_size < 3e6
    assert {path.stat().st_mode & 0o444 for path in files} == {0o444}  # others may read
    assert json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert not [path for path in files if path.suffix == ".json" and str(tmp_path) in path.read_text()]
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
    assert made["tokens"] == 8 * 2 * PRESETS["pocket"].length
    assert made["validation_nats"] == pd.read_csv(folder / "training.csv").validation_nats.iloc[-1]
    weights = (folder / "model.safetensors").read_bytes()
    monkeypatch.setattr("linstudy.train.descent.take_step", None)
    pretrain_to(folder, preset, recipe)  # nothing left to train: the same files again
    assert (folder / "model.safetensors").read_bytes() == weights
    with pytest.raises(ValueError, match=r"was made with .*peak_rate 0.006, not 0.1"):
        pretrain_to(folder, preset, replace(recipe, peak_rate=0.1))


@pytest.mark.slow
def test_the_command_passes_everything_on_to_the_run(tmp_path):
    words = "--text pydocs+stories --distinct 4096 --layers 3 --steps 10 --batch 2 --seed 3 --linear torch"
    words += " --accumulation 2 --penalty mse=0.5,features=mean --scaling branches --snapshots --weight-decay 0.2"
    words += " --warmup 0"  # the usual number is 1
    folder = tmp_path / "run"
    assert main(["pretrain", "--out", str(folder), *words.split()]) == 0
    made = json.loads((folder / "provenance.json").read_text())
    assert made["name"] == "pydocs-stories-1m-3-layers-mse-branches"
    assert made["layers"] == 3
    assert made["distinct"] == 4096  # gone through more than once: 7 blocks, 20 seen
    config = made["config"]
    assert config["penalty"]["features"] == "mean"
    assert config["scaling"] == {"where": "branches", "constant": 1.0, "power": 0.5}
    assert (config["weight_decay"], config["linear"], config["accumulation"], config["seed"]) == (0.2, "torch", 2, 3)
    assert config["warmup"] == 0
    table = pd.read_csv(folder / "training.csv")
    assert list(table.step) == [0, 1, 2, 4, 8, 10]
    assert table.penalty[1] > 0
    kept, exported = (AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32) for _ in range(2))
    load_snapshot(folder / "checkpoint", 10, kept)
    for one, other in zip(kept.parameters(), exported.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)  # bfloat16
