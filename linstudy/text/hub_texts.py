"""Texts of the Hugging Face hub, streamed from pinned revisions: corpora, and the tasks of the paper's fine-tuning."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter

from ..hub import hub_rows
from ..lookup import named

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


TINYSTORIES = "roneneldan/TinyStories", "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64"
WIKITEXT = "Salesforce/wikitext", "b08601e04326c79dfdd32d625aee71d232d685c3"
SUPERGLUE = "aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646"
HELPFUL = "Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa"

# A bare name is the training split.
HUB_CORPORA: dict[str, HubCorpus] = {
    "tinystories": HubCorpus(*TINYSTORIES, "data/train-*.parquet"),
    "tinystories-validation": HubCorpus(*TINYSTORIES, "data/validation-*.parquet"),
    "wikitext": HubCorpus(*WIKITEXT, "wikitext-2-raw-v1/train-*.parquet", rows_are_lines=True),
    "wikitext-test": HubCorpus(*WIKITEXT, "wikitext-2-raw-v1/test-*.parquet", rows_are_lines=True),
    "wikitext-103": HubCorpus(*WIKITEXT, "wikitext-103-raw-v1/train-*.parquet", rows_are_lines=True),
    # Not a commit: the hub's own parquet export of this data set, whose commit we could not look up. The branch is
    # resolved to its commit once a run, so a run reads one version; two runs may read two.
    "tiny-textbooks": HubCorpus(
        "nampdn-ai/tiny-textbooks", "refs/convert/parquet", "default/train/*.parquet", column="textbook"
    ),
}
# Tasks of SuperGLUE, and pairs of a better and a worse answer: the texts that a row gives, by its columns. What is
# asked stands at the end, for the last tokens of a text are the ones that are read. The paper marks the parts of BoolQ
# by "question:" and "passage:" and says nothing of the others.
HUB_TASKS: dict[str, tuple[str, ...]] = {
    "boolq": ("passage: {passage}\nquestion: {question}",),
    "cb": ("premise: {premise}\nhypothesis: {hypothesis}",),
    "multirc": ("passage: {paragraph}\nquestion: {question}\nanswer: {answer}",),
    "rte": ("premise: {premise}\nhypothesis: {hypothesis}",),
    "wic": ("{sentence1}\n{sentence2}\nthe same sense of {word}?",),
    "copa": ("{premise}\n0. {choice1}\n1. {choice2}\nwhich is the {question}?",),
    "helpful": ("{chosen}", "{rejected}"),
}
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
    """Stream the examples of a task in :data:`HUB_TASKS` as :func:`linstudy.train.finetune` takes them.

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
