"""The tasks of the paper's fine-tuning, streamed from the Hugging Face hub at pinned revisions."""

from collections.abc import Iterator
from string import Formatter

from linstudy.hub import hub_rows
from linstudy.lookup import entries, named

WITHOUT_TASK = "take a task of the story world (casebook.stories.task)"
SUPERGLUE = "aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646"
HELPFUL = "Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa"
HUB_TASKS: dict[str, list[str]] = entries("train/hub_tasks.toml", "casebook")
# SuperGLUE keeps the labels of its test split to itself, so its validation split tests.
SUPERGLUE_SPLITS = {"train": "train", "test": "validation"}


def hub_task(name: str, *, split: str = "train") -> Iterator[tuple[str, str | int]]:
    """Stream the examples of a task in :data:`HUB_TASKS`.

    (text, label), or for ``helpful`` (chosen, rejected), in the order of the files of the split, "train" or "test".
    Nothing is asked of the hub before the first example is.

    Raises ValueError for an unknown name or split, OSError as :func:`linstudy.hub.hub_rows` does.
    """
    forms, its_split = named(HUB_TASKS, name, "task on the hub"), named(SUPERGLUE_SPLITS, split, "split")
    columns = {column: "string" for form in forms for _, column, *_ in Formatter().parse(form) if column}
    if name == "helpful":
        source, files = HELPFUL, f"helpful-base/{split}.jsonl.gz"
    else:
        source, files = SUPERGLUE, f"{name}/{its_split}-*.parquet"
        columns["label"] = "int64"
    rows = hub_rows(f"task {name!r}", *source, files, columns, instead=WITHOUT_TASK)
    labels = ("label",) if "label" in columns else ()
    return ((*(form.format_map(row) for form in forms), *(int(row[label]) for label in labels)) for row in rows)
