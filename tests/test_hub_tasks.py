"""Tasks of the hub as examples to fine-tune on: their parts, labels and splits, through a stand-in on 127.0.0.1."""

import gzip
import json

import pytest
from hub_process import run_on_hub
from hub_server import dataset_hub, parquet

from casebook.rows import finetuning
from casebook.train.hub_tasks import HELPFUL, HUB_TASKS, SUPERGLUE, hub_task

WORDS = {
    "boolq": ({"question": "is it?", "passage": "It is."}, "passage: It is.\nquestion: is it?"),
    "cb": ({"premise": "A.", "hypothesis": "B."}, "premise: A.\nhypothesis: B."),
    "multirc": ({"paragraph": "P.", "question": "Q?", "answer": "R"}, "passage: P.\nquestion: Q?\nanswer: R"),
    "rte": ({"premise": "A.", "hypothesis": "B."}, "premise: A.\nhypothesis: B."),
    "wic": ({"word": "bat", "sentence1": "A bat.", "sentence2": "Bats."}, "A bat.\nBats.\nthe same sense of bat?"),
    "copa": (
        {"premise": "A.", "choice1": "B.", "choice2": "C.", "question": "cause"},
        "A.\n0. B.\n1. C.\nwhich is the cause?",
    ),
}


def examples_of_hub(server, tmp_path, *asked):
    """Read examples in a process of its own: the hub's address is fixed when its library is imported."""
    code = (
        "import json, sys\n"
        "from casebook.train import hub_task\n"
        "json.dump([list(hub_task(name, split=split)) for name, split in json.loads(sys.argv[1])], sys.stdout)\n"
    )
    done = run_on_hub(code, server.url, tmp_path, arguments=[json.dumps(asked)], seconds=200)
    return [[tuple(one) for one in examples] for examples in json.loads(done.stdout)]


def test_every_task_that_is_classified_is_one_of_the_hub():
    assert set(WORDS) == set(HUB_TASKS) - set(finetuning.PAIRS)
    assert all(len(commit) == 40 and int(commit, 16) for _, commit in (SUPERGLUE, HELPFUL))


@pytest.mark.slow
def test_rows_become_examples_with_what_is_asked_at_the_end(tmp_path):
    files = {}
    for name, (row, _) in WORDS.items():
        rows = [row | {"label": label, "idx": label} for label in (1, 0)]
        files[f"{name}/train-00000-of-00001.parquet"] = parquet(rows)
        files[f"{name}/validation-00000-of-00001.parquet"] = parquet(rows[:1])
        files[f"{name}/test-00000-of-00001.parquet"] = parquet([row | {"label": -1, "idx": 0}])
    with dataset_hub(files, dataset=SUPERGLUE[0], revision=SUPERGLUE[1]) as server:
        found = examples_of_hub(server, tmp_path, *[(name, "train") for name in WORDS], ("cb", "test"))
    for (_, text), examples in zip(WORDS.values(), found, strict=False):
        assert examples == [(text, 1), (text, 0)]
    assert found[-1] == [(WORDS["cb"][1], 1)]  # the validation split: the test split hides its labels


@pytest.mark.slow
def test_helpful_pairs_are_read_from_lines_of_json(tmp_path):
    pairs = [{"chosen": f"\n\nHuman: {n}?\n\nAssistant: Yes.", "rejected": f"\n\nHuman: {n}?"} for n in "ab"]
    lines = "\n".join(map(json.dumps, pairs)).encode()
    files = {"helpful-base/train.jsonl.gz": gzip.compress(lines), "harmless-base/train.jsonl.gz": gzip.compress(b"{}")}
    with dataset_hub(files, dataset=HELPFUL[0], revision=HELPFUL[1]) as server:
        (found,) = examples_of_hub(server, tmp_path, ("helpful", "train"))
    assert found == [(pair["chosen"], pair["rejected"]) for pair in pairs]


def test_unknown_names_and_a_missing_hub_are_said():
    with pytest.raises(ValueError, match=r"no task on the hub 'record': .*the names are boolq, cb"):
        hub_task("record")
    with pytest.raises(ValueError, match=r"no split 'validation': .*the names are train, test"):
        hub_task("cb", split="validation")
    away = r"task 'cb' \(aps/super_glue\) is not on this machine .*HF_HUB_OFFLINE.*a task of the story world \(casebook"
    with pytest.raises(ConnectionError, match=away):
        next(hub_task("cb"))
