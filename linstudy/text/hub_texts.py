"""Texts of the Hugging Face hub, streamed from pinned revisions: corpora, and the tasks of the paper's fine-tuning."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter

from ..hub import hub_rows
from ..lookup import entries, named

WITHOUT_CORPUS = "take 'stories' or 'pydocs', or the path of a text file, such as 'texts/mine.txt'"
WITHOUT_TASK = "take a task of the story world (linstudy.text.task)"


@dataclass(frozen=True)
class HubCorpus:
    """Where the documents of a corpus lie: files by pattern in a data set of the hub, and the column of text."""

    dataset: str
    revision: str
    files: str
    column: str = "text"
    rows_are_lines: bool = False


SUPERGLUE = "aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646"
HELPFUL = "Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa"
HUB_CORPORA = {name: HubCorpus(**one) for name, one in entries("text/hub.toml")["corpora"].items()}
HUB_TASKS: dict[str, list[str]] = entries("text/hub.toml")["tasks"]
# SuperGLUE keeps the labels of its test split to itself, so its validation split tests.
SUPERGLUE_SPLITS = {"train": "train", "test": "validation"}


def hub_documents(name: str, seed: int = 0) -> Iterator[str]:
    """Stream the documents of a corpus in `HUB_CORPORA`, in the order of its files whatever the seed.

    Nothing is asked of the hub before the first document is; errors as of `hub_rows`. Articles of WikiText are put
    together from their lines.
    """
    one = HUB_CORPORA[name]
    source, columns = (one.dataset, one.revision, one.files), {one.column: "string"}
    rows = hub_rows(f"corpus {name!r}", *source, columns, instead=WITHOUT_CORPUS)
    texts = (row[one.column] or "" for row in rows)
    return articles(texts) if one.rows_are_lines else texts


def articles(rows: Iterable[str]) -> Iterator[str]:
    """Join the rows of WikiText, a line each, into articles: one starts at a line " = Title = " after an empty one."""
    lines: list[str] = []
    after_empty = True
    for row in rows:
        if after_empty and re.fullmatch(r" = [^=].*[^=] = \s*", row):
            yield "".join(lines)
            lines = []
        lines.append(row)
        after_empty = not row.strip()
    yield "".join(lines)


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
