"""Corpora of the Hugging Face hub, streamed from the files of a pinned revision."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..hub import hub_rows

WITHOUT_HUB = "take 'stories' or 'pydocs', or the path of a text file, such as 'texts/mine.txt'"


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


def hub_documents(name: str) -> Iterator[str]:
    """Stream the documents of a corpus in `HUB_CORPORA`, in the order of its files; errors as of `hub_rows`.

    Nothing is asked of the hub before the first document is. Articles of WikiText are put together from their lines.
    """
    one = HUB_CORPORA[name]
    source, columns = (one.dataset, one.revision, one.files), {one.column: "string"}
    rows = hub_rows(f"corpus {name!r}", *source, columns, instead=WITHOUT_HUB)
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
