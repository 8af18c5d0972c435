"""Corpora of the Hugging Face hub, streamed from parquet files of a pinned revision."""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A parquet file is read as it comes, so a corpus of gigabytes starts in seconds and is never on the disk.
ANSWER_WITHIN = 8  # seconds for the first request: after that the hub counts as away
WITHOUT_HUB = "Without the hub there are 'stories' and 'pydocs', or the path of a text file, such as 'texts/mine.txt'."


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
    """Stream the documents of a corpus in `HUB_CORPORA`, in the order of its files.

    Nothing is asked of the hub before the first document is. Articles of WikiText are put together from their lines.

    Raises:
        PermissionError: for a data set that asks for a login.
        ConnectionError: for a hub that is away, answers with an error, has no such data set, or breaks off.

    """
    where = HUB_CORPORA[name]
    rows = _rows(name, where)
    return articles(rows) if where.rows_are_lines else rows


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


def _rows(name: str, where: HubCorpus) -> Iterator[str]:
    # Imported here: they take a second, and the embedded corpora do without. Not read by `datasets`: it retries, twenty
    # times over, what this file system has retried already, and a reader whose network is cut would wait for minutes.
    from huggingface_hub import HfApi, HfFileSystem
    from pyarrow.parquet import ParquetFile

    read = 0
    try:
        info = HfApi().dataset_info(where.dataset, revision=where.revision, timeout=ANSWER_WITHIN)
        files = sorted(file.rfilename for file in info.siblings if fnmatch.fnmatch(file.rfilename, where.files))
        if not files:
            raise FileNotFoundError(f"no file there is named {where.files}")
        for path in files:
            with HfFileSystem().open(f"datasets/{where.dataset}@{info.sha}/{path}", "rb") as file:
                for batch in ParquetFile(file).iter_batches(batch_size=1000, columns=[where.column]):
                    for row in batch.column(where.column).to_pylist():
                        read += 1
                        yield row or ""
    except Exception as error:  # requests, httpx or pyarrow, by version and place: they share no narrower base
        raise _sentence(name, where, error, read) from None


def _sentence(name: str, where: HubCorpus, error: Exception, read: int) -> OSError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    page = f"https://huggingface.co/datasets/{where.dataset}"
    cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    kind = ConnectionError
    if status in (401, 403):
        kind = PermissionError
        reason = f"is not open to everybody (status {status}): accept its terms on {page} and run `hf auth login`"
    elif status == 404:
        reason = f"is not on the hub at revision {where.revision} (status 404): it was moved or removed, see {page}"
    elif status:
        reason = f"got status {status} from the hub: try again in a few minutes"
    elif type(error).__name__ == "OfflineModeIsEnabled":
        reason = "is on the hub, and HF_HUB_OFFLINE forbids to ask there: unset it to read this corpus"
    elif read:
        reason = f"broke off after {read:,} rows ({cause}): try again"
    else:
        reason = f"cannot be read from the hub ({cause}): check the network"
    return kind(f"The corpus {name!r} ({where.dataset}) {reason}. {WITHOUT_HUB}")
