"""Labelled tasks of the Hugging Face hub that the paper fine-tunes on: SuperGLUE, and pairs of more helpful answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..hub import hub_rows

SUPERGLUE = "aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646"
HELPFUL = "Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa"
SPLITS = ("train", "test")
INSTEAD = "take a task of the story world (linstudy.text.task)"


@dataclass(frozen=True)
class HubTask:
    """Where a task lies: its files for training and for testing, the columns that are read, and the example they make.

    SuperGLUE keeps the labels of its test split to itself, so its validation split tests.
    """

    source: tuple[str, str]  # data set and commit
    files: tuple[str, str]  # patterns: training, testing
    columns: Mapping[str, str]
    example: Callable[[Mapping[str, Any]], tuple[str, str | int]]


def _superglue(name: str, columns: str, text: Callable[[Mapping[str, Any]], str]) -> HubTask:
    files = (f"{name}/train-*.parquet", f"{name}/validation-*.parquet")
    kinds = dict.fromkeys(columns.split(), "string") | {"label": "int64"}
    return HubTask(SUPERGLUE, files, kinds, lambda row: (text(row), int(row["label"])))


# What is asked stands at the end, for the last tokens of a text are the ones that are read. The paper marks the parts
# of BoolQ by "question:" and "passage:" and says nothing of the others.
HUB_TASKS: dict[str, HubTask] = {
    "boolq": _superglue(
        "boolq", "question passage", lambda row: f"passage: {row['passage']}\nquestion: {row['question']}"
    ),
    "cb": _superglue(
        "cb", "premise hypothesis", lambda row: f"premise: {row['premise']}\nhypothesis: {row['hypothesis']}"
    ),
    "multirc": _superglue(
        "multirc",
        "paragraph question answer",
        lambda row: f"passage: {row['paragraph']}\nquestion: {row['question']}\nanswer: {row['answer']}",
    ),
    "rte": _superglue(
        "rte", "premise hypothesis", lambda row: f"premise: {row['premise']}\nhypothesis: {row['hypothesis']}"
    ),
    "wic": _superglue(
        "wic",
        "word sentence1 sentence2",
        lambda row: f"{row['sentence1']}\n{row['sentence2']}\nthe same sense of {row['word']}?",
    ),
    "copa": _superglue(
        "copa",
        "premise choice1 choice2 question",
        lambda row: f"{row['premise']}\n0. {row['choice1']}\n1. {row['choice2']}\nwhich is the {row['question']}?",
    ),
    "helpful": HubTask(
        HELPFUL,
        ("helpful-base/train.jsonl.gz", "helpful-base/test.jsonl.gz"),
        {"chosen": "string", "rejected": "string"},
        lambda row: (row["chosen"], row["rejected"]),
    ),
}


def hub_task(name: str, *, split: str = "train") -> Iterator[tuple[str, str | int]]:
    """Stream the examples of a task in :data:`HUB_TASKS` as :func:`linstudy.train.finetune` takes them.

    (text, label), or for ``helpful`` (chosen, rejected), in the order of the files. Nothing is asked of the hub before
    the first example is.

    Raises:
        ValueError: for an unknown name or split.
        OSError: as :func:`linstudy.hub.hub_rows` does.

    """
    for what, value, names in (("task on the hub", name, tuple(HUB_TASKS)), ("split", split, SPLITS)):
        if value not in names:
            raise ValueError(f"There is no {what} called {value!r}: take one of {', '.join(map(repr, names))}.")
    one = HUB_TASKS[name]
    rows = hub_rows(f"task {name!r}", *one.source, one.files[SPLITS.index(split)], one.columns, instead=INSTEAD)
    return (one.example(row) for row in rows)
