"""Rows of what models can do and of what fine-tuning changes, with what knows nothing beside them."""

from itertools import islice, product

import pandas as pd
import pytest
from sources import POCKET
from test_pretraining_rows import kept

from casebook.rows import TABLES, evaluation, finetuning
from casebook.rows.finetuning import DELTAS, LABELS, TASKS, examples
from casebook.rows.source import task_examples
from casebook.stories import task
from casebook.sweeps import CHOOSING
from linstudy import load
from linstudy.models import small_model


@pytest.fixture
def small(monkeypatch):
    """Numbers that take seconds."""
    of = {evaluation: {"PROMPTS": 4, "SAMPLES": (0, 1), "CHOICES": 12, "EXAMPLES": 40, "KNOWN": 50}}
    for module, values in (of | {finetuning: {"JUDGES": 2, "BLOCKS": 8}}).items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


@pytest.mark.slow
def test_every_accuracy_has_its_constant_predictor_and_every_probe_its_controls(small, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "PROBED", ("entailment",))
    monkeypatch.setattr(evaluation, "room", lambda model: 80)  # tokens of a continuation
    table = kept(TABLES["evaluations"].rows(source=POCKET), "evaluations", tmp_path)
    accuracies = table[table.metric.str.contains("accuracy")]
    for _, part in accuracies.groupby(["task", "metric"]):
        assert "constant" in set(part.predictor)
    probes = table[table.metric == "probe accuracy"]
    trained, drawn = "probe", "probe of random weights"
    controls = product((trained, drawn), ("", ", shuffled labels", ", mean of the embeddings"))
    assert set(map("".join, controls)) <= set(probes.predictor)
    assert set(probes[probes.predictor == trained].layer) == set(range(9))
    assert set(probes[probes.predictor == f"{trained}, mean of the embeddings"].layer) == {0}
    chosen = table[table.metric == "zero-shot accuracy"]
    assert set(chosen.task) == set(evaluation.CHOSEN)
    assert {"likelihood", "likelihood per character", "constant", "shared words"} == set(chosen.predictor)
    grades = table[table.task == "stories"]
    assert set(grades.metric) == set(evaluation.GRADES)
    assert set(grades.seed) == {0, 1}
    assert set(grades.predictor) == {"model", "random weights"}
    assert table.value.between(0, 1).all()
    assert evaluation.most_shared("Anna has a red ball. The ball is big.", ["the blue cat", "a red ball"]) == 1


def test_examples_that_a_model_has_no_room_for_are_left_out():
    model, tokenizer = load("stories-1m")
    room = 100
    short = small_model("mistral", max_position_embeddings=room)
    found, all_of_them = (task_examples("question", 5, one, tokenizer) for one in (short, model))
    assert len(found) == len(all_of_them) == 5
    assert all_of_them == list(islice(task("question", split="test"), 5))  # the control: here there is room for all
    longest = [max(len(tokenizer(one.whole(0))["input_ids"]) for one in some) for some in (found, all_of_them)]
    assert longest[0] <= room < longest[1]


def quick(task, labels, *, seed=0, rate=1e-3, **options):
    """Rows of one fine-tuning of seconds."""
    recipe = finetuning.recipe(rate=rate, seed=seed, steps=3, batch=4)
    return finetuning.tuned(POCKET, task, recipe, labels=labels, counts=(32, 16), **options)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["source", "preference"])
def test_changes_are_those_between_before_and_after_on_three_texts(small, task):
    finetuning.begun.cache_clear()
    arms = {labels: quick(task, labels) for labels in LABELS}
    finetuning.begun.cache_clear()
    for labels, table in arms.items():
        assert len(table) == 3 * 8  # texts, layers
        assert set(table.text) == {*finetuning.TEXTS, "task"}
        assert table.text_hash.nunique() == 3
        changes = table[[f"delta_{score}" for score in DELTAS]]
        assert (changes.abs() > 0).all(axis=None)
        assert table.accuracy.isna().all() == table.constant.isna().all() == (labels == "no labels")
    before = [f"{score}_before" for score in DELTAS]
    pd.testing.assert_frame_equal(arms["true"][before], arms["shuffled"][before])  # the same model was loaded anew
    assert not arms["true"].delta_linearity.equals(arms["shuffled"].delta_linearity)
    assert arms["true"].constant.eq(0.5).all()


@pytest.mark.slow
def test_with_corrections_of_low_rank_other_weights_change_and_less(small):
    arms = {trained: quick("order", "true", trained=trained) for trained in (finetuning.ALL, finetuning.LOW_RANK)}
    change = {trained: table.delta_update_linearity.abs().mean() for trained, table in arms.items()}
    assert 0 < change[finetuning.LOW_RANK] < change[finetuning.ALL]


@pytest.mark.slow
def test_without_training_nothing_changes_and_a_run_that_diverges_has_rows_with_nothing_in_them(small):
    still, lost = quick("order", "shuffled", rate=1e-30), quick("order", "true", rate=1e9)
    changes = [f"delta_{score}" for score in DELTAS]
    assert still[changes].abs().max(axis=None) < 1e-12
    assert lost.loss.isna().all()
    assert lost[changes].isna().all(axis=None)
    assert lost.layer.tolist() == still.layer.tolist()


def test_rates_are_chosen_with_true_labels_and_every_arm_has_seeds_of_its_own(monkeypatch, small, tmp_path):
    def tuned(source, task, recipe, *, labels, trained, split):
        assert (split == "choose") == (recipe.seed in CHOOSING)  # nothing is judged by what chose
        best = {finetuning.ALL: 4e-3, finetuning.LOW_RANK: 1.6e-2}[trained]
        loss = abs(recipe.peak_rate - best) + 0.1 * (labels != "true")
        measured = set(TABLES["finetuning"].header) - set(TABLES["finetuning"].columns)
        row = dict.fromkeys(measured, 0.0) | {"text": "task", "layer": 1, "loss": loss}
        return pd.DataFrame([row | {"length": 1, "tokens": 1, "steps": 1, "text_hash": ""}])

    monkeypatch.setattr(finetuning, "tuned", tuned)
    options = {"source": POCKET, "task": "order"}
    table = kept(TABLES["finetuning"].rows(**options), "finetuning", tmp_path)
    choosing = table[table.seed.isin(CHOOSING)]
    judges = table.drop(choosing.index)
    assert set(choosing.labels) == {"true"}
    assert set(choosing.rate) == {1e-3, 2e-3, 4e-3, 8e-3}  # until the best has worse ones on both sides
    assert set(judges.rate) == {4e-3}
    assert judges.groupby("labels").seed.nunique().to_dict() == dict.fromkeys(LABELS, 2)
    low = TABLES["finetuning"].rows(**options, trained=finetuning.LOW_RANK, rates=finetuning.RATES[finetuning.LOW_RANK])
    assert set(low.trained) == {finetuning.LOW_RANK}
    assert set(low.labels) == {"true"}
    low = low[~low.seed.isin(CHOOSING)]
    assert low.rate.tolist() == 2 * [1.6e-2]
    assert pd.concat([judges, low]).seed.is_unique


@pytest.mark.parametrize(("has", "held"), [(250, 50), (5000, 200)])
def test_a_task_of_the_hub_has_examples_to_choose_by_however_small_it_is(monkeypatch, has, held):
    def rows(name, *, split="train"):
        return ((f"{name} {split} {number}", number % 2) for number in range(has))

    monkeypatch.setattr("casebook.train.hub_task", rows)
    examples.cache_clear()
    split = {name: examples("cb", name, count) for name, count in (("train", 512), ("choose", 200), ("test", 200))}
    examples.cache_clear()
    assert {name: len(some) for name, some in split.items()} == {
        "train": min(512, has - held),
        "choose": held,
        "test": 200,
    }
    assert len({one for some in split.values() for one in some}) == sum(map(len, split.values()))


def test_pieces_are_of_one_length_exchanged_words_are_the_same_and_texts_to_test_on_are_others():
    for name in TASKS:
        three = [examples(name, split, 40) for split in ("train", "choose", "test")]
        assert [len(some) for some in three] == [40, 40, 40]
        assert len({first for some in three for first, _ in some}) == 120
        assert not {*three[1]} & {*examples(name, "train", finetuning.EXAMPLES)}
    of = {label: [text for text, is_of in examples("source", "train", 40) if is_of == label] for label in (0, 1)}
    assert {len(text) for text in of[0]} == {len(text) for text in of[1]} == {500}
    assert finetuning.exchanged("a b c d e") == "b a d c e"
    told, other = examples("order", "train", 2)
    assert (told[1], other[1]) == (0, 1)
    assert finetuning.exchanged(finetuning.exchanged(other[0])) == other[0]
