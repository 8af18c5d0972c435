"""A pruned model comes back from the disk as it was, and what cannot come back is told."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_surgery import cached_logits, logits
from tiny_models import DECODERS, tiny_ids, tiny_model
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

import linstudy
from linstudy.models import blocks
from linstudy.prune import export, load_pruned, places_of, prune, save_pruned, stand_ins

TEXT = tiny_ids(batch=24, length=16, seed=3)
IDS = tiny_ids(length=20)


def pruned_model(name="llama", *steps, **changes):
    model = tiny_model(name, num_hidden_layers=5, **changes) if name != "gpt_neo" else tiny_model(name)
    for layers, action, part in steps:
        prune(model, layers, action, blocks=None if action == "remove" else TEXT, part=part)
    return model


MIXED = (([3], "remove", "block"), ([1, 2], "run", "block"), ([2], "affine", "attention"), ([3], "remove", "mlp"))


@pytest.mark.parametrize("name", DECODERS)
def test_a_model_with_stand_ins_comes_back(name, tmp_path):
    model = pruned_model(name, ([2], "affine", "block"), ([1], "remove", "block"))
    expected = logits(model, IDS)
    save_pruned(model, tmp_path / "pruned")
    again, tokenizer = load_pruned(tmp_path / "pruned", device="cpu")
    assert torch.equal(logits(again, IDS), expected)
    assert_close(cached_logits(again, IDS, first=11), expected, rtol=1e-4, atol=1e-5)
    assert places_of(again) == places_of(model)
    assert again.num_parameters() == model.num_parameters()
    assert not again.training
    assert tokenizer is None


@pytest.mark.parametrize("name", ["falcon", "llama"])
def test_parts_runs_and_gaps_come_back(name, tmp_path):
    model = pruned_model(name, *MIXED)
    save_pruned(model, tmp_path / "pruned")
    again, _ = load_pruned(tmp_path / "pruned", device="cpu")
    assert torch.equal(logits(again, IDS), logits(model, IDS))
    assert_close(cached_logits(again, IDS, first=11), logits(model, IDS), rtol=1e-4, atol=1e-5)
    assert [(place.first, place.last) for place in places_of(again)] == [(1, 2), (4, 4), (5, 5)]
    assert [name for name, _ in stand_ins(again)] == ["1.block", "2.attention"]
    assert len(blocks(model)) == 3  # saving leaves the model as it was
    kinds = {file.suffix for file in (tmp_path / "pruned").rglob("*") if file.is_file()}
    assert kinds == {".json", ".safetensors"}  # no pickle
    save_pruned(again, tmp_path / "again")
    assert torch.equal(logits(load_pruned(tmp_path / "again", device="cpu")[0], IDS), logits(model, IDS))


def test_a_model_nobody_pruned_comes_back_too_and_a_folder_that_holds_something_is_left_alone(tmp_path):
    model = tiny_model("mistral")
    for weight in model.parameters():  # not the angles of its rotary embeddings
        weight.data = weight.data.to(torch.bfloat16)
    (tmp_path / "mine").mkdir()
    save_pruned(model, tmp_path / "mine")
    again, _ = load_pruned(tmp_path / "mine", device="cpu", dtype="bfloat16")
    assert torch.equal(logits(again, IDS), logits(model, IDS))
    (tmp_path / "file").write_text("mine")
    for write, name in ((save_pruned, "mine"), (export, "mine"), (export, "file")):
        with pytest.raises(FileExistsError, match=f"{name} exists and is not empty: give a new folder, or delete this"):
            write(model, tmp_path / name)


def test_load_reads_what_was_pruned(tmp_path):
    model, tokenizer = linstudy.load("stories-1m", device="cpu")
    prune(model, [3, 4], "affine", blocks=TEXT)
    save_pruned(model, tmp_path / "pruned", tokenizer=tokenizer)
    again, words = linstudy.load(tmp_path / "pruned", device="cpu")
    assert torch.equal(logits(again, IDS), logits(model, IDS))
    assert words("Lily had a box.")["input_ids"] == tokenizer("Lily had a box.")["input_ids"]
    assert again.name_or_path == str(tmp_path / "pruned")
    assert json.loads((tmp_path / "pruned" / "pruning.json").read_text())["model"] == "stories-1m"
    with pytest.raises(ValueError, match=r"device='auto' spreads folders of save_pretrained alone, not .*pruned':"):
        linstudy.load(tmp_path / "pruned", device="auto")
    with pytest.raises(ValueError, match=r"revision 'main' is for models on the hub, but .*pruned' is a folder"):
        linstudy.load(tmp_path / "pruned", revision="main")
    save_pruned(model, tmp_path / "bare")
    with pytest.raises(FileNotFoundError, match=r"there is no tokenizer in .*bare: save it there with"):
        linstudy.load(tmp_path / "bare", device="cpu")
    (tmp_path / "pruned" / "kept" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"config\.json names no class of transformers \(.*\): copy the folder again"):
        linstudy.load(tmp_path / "pruned", device="cpu")


@pytest.mark.parametrize(("name", "action"), [*((name, "remove") for name in DECODERS), ("gpt2", "merge")])
def test_what_was_removed_or_merged_is_a_plain_folder(name, action, tmp_path):
    model = pruned_model(name, ([2], action, "block"))
    export(model, tmp_path / "plain")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "plain", dtype=torch.float32)
    assert_close(logits(again.eval(), IDS), logits(model, IDS))
    assert len(blocks(again)) == len(blocks(model))


def test_what_no_plain_folder_can_hold_is_told(tmp_path):
    for step, message in (
        (([2, 3], "run", "block"), "an affine map stands in for layers 2 to 3, which no plain folder can hold"),
        (([4], "remove", "attention"), "the attention was changed for layer 4, which no plain folder can hold"),
    ):
        with pytest.raises(ValueError, match=message):
            export(pruned_model("llama", step), tmp_path / "plain")
        assert not (tmp_path / "plain").exists()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def planned(**changes):
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def lacking(name):
    def lack(path):
        save_file({key: w for key, w in load_file(path).items() if name not in key}, path, metadata={"format": "pt"})

    return lack


PLAN, MAPS, WEIGHTS = "pruning.json", "stand_ins.safetensors", "kept/model.safetensors"


@pytest.mark.parametrize(
    ("file", "spoil", "error", "message"),
    [
        (PLAN, Path.unlink, FileNotFoundError, r"no pruning\.json in .*: give a folder that save_pruned wrote"),
        (PLAN, planned(format=7), ValueError, "is no record of pruning that can be read .format 7, and this version"),
        (PLAN, cut, ValueError, "is no record of pruning that can be read"),
        (PLAN, planned(places=[{"first": 1, "last": 1, "block": "gone"}]), ValueError, "is nothing that can stand at"),
        (PLAN, planned(places=[{"first": 2, "last": 2}]), ValueError, "is of a model with other layers than .*kept:"),
        (MAPS, cut, OSError, r"stand_ins\.safetensors cannot be read .*: copy the folder again"),
        (MAPS, lacking("bias"), ValueError, r"stand_ins\.safetensors lacks '1\.block\.bias': copy the folder again"),
        (WEIGHTS, lacking("0.mlp.down"), ValueError, "1 weights are missing in .*kept .first: .*0.mlp.down_proj"),
        (WEIGHTS, Path.unlink, FileNotFoundError, r"there is no model\.safetensors in"),
    ],
)
def test_damage_is_told(file, spoil, error, message, tmp_path):
    save_pruned(pruned_model("llama", ([1], "affine", "block")), tmp_path / "pruned")
    spoil(tmp_path / "pruned" / file)
    with pytest.raises(error, match=message):
        load_pruned(tmp_path / "pruned", device="cpu")
