"""``linstudy prune``: a folder that others load, a table that says what it cost, a figure."""

import math
import os
from functools import partial

import pandas as pd
import pytest
import torch
from test_cli import each_is_refused, folder, typed  # noqa: F401 (two are fixtures)
from transformers import AutoModelForCausalLM

import linstudy
from linstudy import cross_entropy
from linstudy.cli import main
from linstudy.models import blocks as blocks_of
from linstudy.models import small_model
from linstudy.prune import choose, latency, load_pruned, pruned

TEXT = ("--text", "text.txt", "--tokens", "4096", "--length", "64")
CUT = 51  # of 64 blocks


def blocks_and_model(there, name):
    model, tokenizer = linstudy.load(there / name, device="cpu")
    blocks = linstudy.token_blocks(there / "text.txt", tokenizer, tokens=4096, length=64)
    return model, tokenizer, blocks[:CUT], blocks[CUT:]


def perplexity(model, blocks):
    return math.exp(cross_entropy(model, blocks))


@pytest.fixture(autouse=True)
def measured_once(monkeypatch):
    """Time every pass once: how long it takes is not what is tested here."""
    monkeypatch.setattr("linstudy.prune.table.latency", partial(latency, repeats=1))


@pytest.mark.slow
def test_replaced_layers_come_back_and_the_table_is_what_the_same_by_hand_gives(folder, typed):  # noqa: F811
    words = ["prune", "model", "--layers", "2", "--action", "sequential", "--order", "linearity", *TEXT]
    done = typed(*words, "--out", "replaced")
    assert done.returncode == 0, done.stderr
    assert "(linstudy.load reads it, transformers alone cannot)" in done.stdout
    model, tokenizer, fitted, measured = blocks_and_model(folder, "model")
    layers = sorted(choose(model, fitted, "linearity", count=2))
    again, words_again = load_pruned(folder / "replaced", device="cpu")
    assert words_again(["a ball"])["input_ids"] == tokenizer(["a ball"])["input_ids"]

    table = pd.read_csv(folder / "replaced" / "pruning.csv")
    assert table["action"].tolist() == ["whole", "sequential", "sequential", "remove", "remove"]
    assert table["layers"].tolist() == [0, 1, 2, 1, 2]
    row = table.iloc[2]
    assert [int(layer) for layer in row["which"].split()] == layers
    assert row["perplexity"] == pytest.approx(perplexity(again, measured), rel=1e-5)
    assert row["parameters"] == again.num_parameters()
    with pruned(model, layers, "sequential", blocks=fitted), torch.no_grad():
        torch.testing.assert_close(again(measured[:2]).logits, model(measured[:2]).logits, rtol=1e-4, atol=1e-5)
    with pruned(model, layers, "remove"):
        assert table.iloc[4]["perplexity"] == pytest.approx(perplexity(model, measured), rel=1e-5)
    assert (table[["prefill_ms", "decode_ms", "prefill_ms_8", "decode_ms_8"]] > 0).all(axis=None)
    assert table["command"].unique()[0].startswith("linstudy prune model --layers 2")
    assert (folder / "replaced" / "pruning.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")

    done = typed("profile", "replaced", *TEXT, "--csv", "replaced.csv")
    assert done.returncode == 0, done.stderr
    profile = pd.read_csv(folder / "replaced.csv")
    assert profile["layer"].tolist() == [1, 2, 3]
    for layer in layers:  # what a matrix does to the stream is linear
        assert profile["linearity"][layer - 1] == pytest.approx(1, abs=1e-6)
    assert profile["linearity"].min() < 1 - 1e-5
    again = typed("prune", "replaced", "--layers", "1", *TEXT, "--out", "twice", "--action", "remove")
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("action", ["remove", "merge"])
def test_removed_and_merged_layers_leave_a_folder_for_everybody(folder, typed, action):  # noqa: F811
    words = ["prune", "model", "--layers", "1", "--action", action, "--order", "last_first", *TEXT, "--out", action]
    done = typed(*words)
    assert done.returncode == 0, done.stderr
    assert "(linstudy.load reads it, and so does transformers alone)" in done.stdout
    theirs = AutoModelForCausalLM.from_pretrained(folder / action, dtype=torch.float32)
    ours, *_, measured = blocks_and_model(folder, action)
    assert len(blocks_of(ours)) == len(blocks_of(theirs)) == 2
    table = pd.read_csv(folder / action / "pruning.csv")
    row = table[table["action"] == action].iloc[0]
    assert row["which"] == 3
    for model in (ours, theirs.eval()):
        assert row["perplexity"] == pytest.approx(perplexity(model, measured), rel=1e-5)


@pytest.mark.slow
def test_what_a_user_can_get_wrong_is_one_sentence_and_leaves_nothing(folder, typed):  # noqa: F811
    prune = ["prune", "model", "--layers", "1", "--out", "wrong", *TEXT]
    wrong = (
        (["--layers", "3"], "--layers 3: of 3 layers, 1 to 2 can go."),
        (["--layers", "0"], "argument --layers: '0' should be a whole number"),
        (["--tokens", "64"], "1 blocks leave none to measure on: ask for more --tokens or a shorter --length."),
        (["--tokens", "48", "--length", "16"], "cannot determine an affine map of 32 dimensions"),
        (["--action", "merge", "--layers", "2", "--order", "angular", "--dtype", "float31"], "'float31'"),
    )
    each_is_refused(typed, prune, wrong)


def test_names_are_looked_at_before_a_model_is_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(linstudy, "load", lambda *_, **__: pytest.fail("the long work began"), raising=False)
    for wrong in (["--order", "x"], ["--action", "x"], ["--text", "x"], ["--out", "no/x"]):
        assert main(["prune", "m", "--layers", "1", "--out", "new", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    for name, kind in (("bert", "BertForMaskedLM"), ("t5", "T5ForConditionalGeneration")):
        monkeypatch.setattr(linstudy, "load", lambda *_, name=name, **__: (small_model(name), None), raising=False)
        assert main(["prune", "m", "--layers", "1", "--out", "new"]) == 2
        assert f" a {kind} predicts no next token, and has no perplexity: take a c" in capsys.readouterr().err
    with pytest.raises(ValueError, match="a GPT2Model predicts no next token"):
        cross_entropy(small_model("gpt2").base_model, torch.ones(1, 4, dtype=torch.long))
    assert os.listdir(tmp_path) == []
