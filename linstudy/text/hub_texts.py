"""Corpora of the Hugging Face hub, streamed from pinned revisions."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..hub import hub_rows
from ..lookup import entries

WITHOUT_CORPUS = "take 'stories' or 'pydocs', or the path of a text file, such as 'texts/mine.txt'"


@dataclass(frozen=True)
class HubCorpus:
    """Where the documents of a corpus lie: files by pattern in a data set of the hub, and the column of text."""

    dataset: str
    revision: str
    files: str
    column: str = "text"
    rows_are_lines: bool = False


HUB_CORPORA = {name: HubCorpus(**one) for name, one in entries("text/hub.toml").items()}


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
