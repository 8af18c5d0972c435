"""Rows of what models can do and of what fine-tuning changes, with what knows nothing beside them."""

from itertools import islice

import pandas as pd
import pytest
from test_pretraining_rows import kept

from linstudy import load
from linstudy.models import pocket_models, small_model
from linstudy.study.rows import TABLES, evaluation, finetuning
from linstudy.study.rows.finetuning import CONTINUED, DELTAS, TASKS, examples
from linstudy.study.rows.source import Source, task_examples
from linstudy.text import task

POCKET = Source("stories-1m", "abc", "stories-1m", "stories", "stories")


@pytest.fixture
def small(monkeypatch):
    """Numbers that take seconds."""
    for name, value in {"PROMPTS": 4, "SAMPLES": (0, 1), "CHOICES": 12, "EXAMPLES": 40, "KNOWN": 50}.items():
        monkeypatch.setattr(evaluation, name, value)
    for name, value in {"EXAMPLES": 32, "TESTED": 16, "STEPS": 3, "BATCH": 4, "SEEDS": (0, 1), "BLOCKS": 8}.items():
        monkeypatch.setattr(finetuning, name, value)


@pytest.mark.slow
def test_every_accuracy_has_its_constant_predictor_and_every_probe_its_controls(small, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "PROBED", ("entailment",))
    table = kept(TABLES["evaluations"].rows(source=POCKET), "evaluations", tmp_path)
    accuracies = table[table.metric.str.contains("accuracy")]
    for _, part in accuracies.groupby(["task", "metric"]):
        assert "constant" in set(part.predictor)
    probes = table[table.metric == "probe accuracy"]
    trained, drawn = "probe", "probe of random weights"
    for predictor in (trained, drawn):
        for control in ("", ", shuffled labels", ", mean of the embeddings"):
            assert predictor + control in set(probes.predictor)
    assert set(probes[probes.predictor == trained].layer) == set(range(9))
    assert set(probes[probes.predictor == f"{trained}, mean of the embeddings"].layer) == {0}
    chosen = table[table.metric == "zero-shot accuracy"]
    assert set(chosen.task) == set(evaluation.CHOSEN)
    assert {"likelihood", "likelihood per character", "constant", "shared words"} == set(chosen.predictor)
    grades = table[table.task == "stories"]
    assert set(grades.metric) == set(evaluation.GRADES)
    assert set(grades.seed) == {0, 1}
    by = grades.pivot_table(index="metric", columns="predictor", values="value")
    assert set(by) == {"model", "random weights"}
    assert by["random weights"]["grammar"] < 0.05 < by["model"]["grammar"]
    assert table.value.between(0, 1).all()


def test_examples_that_a_model_has_no_room_for_are_left_out():
    model, tokenizer = load("stories-1m")
    room = 100
    short = small_model("mistral", max_position_embeddings=room)
    found, all_of_them = (task_examples("question", 5, one, tokenizer) for one in (short, model))
    assert len(found) == len(all_of_them) == 5
    assert all_of_them == list(islice(task("question", split="test"), 5))  # the control: here there is room for all
    longest = [max(len(tokenizer(one.whole(0))["input_ids"]) for one in some) for some in (found, all_of_them)]
    assert longest[0] <= room < longest[1]


def test_the_choice_that_shares_most_words_is_taken():
    context = "Anna has a red ball. The ball is big."
    assert evaluation.most_shared(context, ["the blue cat", "a red ball"]) == 1
    assert evaluation.most_shared(context, ["no", "yes"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("task", ["question", "preference", "pydocs"])
def test_changes_are_those_between_before_and_after_on_two_texts_and_every_seed(small, tmp_path, task):
    table = kept(TABLES["finetuning"].rows(source=POCKET, task=task, shuffled=False), "finetuning", tmp_path)
    assert len(table) == 2 * 2 * 8  # texts, seeds, layers
    assert set(table.text) == {"task", "fixed"}
    assert table.groupby("text").text_hash.nunique().eq(1).all()
    assert table.text_hash.nunique() == 2
    before = [f"{score}_before" for score in DELTAS]
    assert (table.groupby(["text", "layer"])[before].nunique() == 1).all(axis=None)  # the same model was loaded anew
    changes = table[[f"delta_{score}" for score in DELTAS]]
    assert (changes.abs() > 0).all(axis=None)
    assert table.accuracy.isna().all() == (task in CONTINUED)
    if task == "question":
        assert table.constant.between(0.4, 0.7).all()


@pytest.mark.slow
def test_without_training_nothing_changes(small, monkeypatch):
    monkeypatch.setattr(finetuning, "RATE", 1e-30)
    table = TABLES["finetuning"].rows(source=POCKET, task="question", shuffled=True)
    assert table.shuffled.eq(1).all()
    assert table[[f"delta_{score}" for score in DELTAS]].abs().max(axis=None) < 1e-12


def test_texts_to_train_on_and_to_test_on_are_different_ones():
    for name in TASKS:
        training, test = examples(name, "train", 40), examples(name, "test", 20)
        assert len(training) == 40
        assert len(test) == 20
        assert not {first for first, _ in training} & {first for first, _ in test}
    assert "stories-1m" in pocket_models()


def test_long_documents_are_cut_into_pieces_without_losing_a_word():
    document = "word " * 500
    pieces = finetuning.pieces_of(document, characters=1000)
    assert max(map(len, pieces)) <= 1000
    assert pd.Series(pieces).str.count("word").sum() == 500
