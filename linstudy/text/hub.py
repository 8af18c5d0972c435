"""Corpora of the Hugging Face hub, streamed from the files of a pinned revision."""

import fnmatch
import gc
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread
from types import ModuleType
from typing import Any

# A parquet file is read as it comes, so a corpus of gigabytes starts in seconds and is never on the disk.
ANSWER_WITHIN = 8.0  # seconds for the first request: after that the hub counts as away
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
    rows = hub_rows(f"corpus {name!r}", where, {where.column: "string"}, instead=WITHOUT_HUB)
    texts = (row[where.column] or "" for row in rows)
    return articles(texts) if where.rows_are_lines else texts


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


def hub_rows(
    what: str, where: HubCorpus, columns: Mapping[str, str], *, instead: str
) -> Iterator[dict[str, str | int | None]]:
    """Stream rows of files on the hub, parquet or lines of JSON, of these columns and types.

    ``what`` is read, and what there is ``instead`` of it without the hub, is said in the errors, which are those of
    :func:`hub_documents`.
    """
    # Imported here and below: they take seconds, and the embedded corpora do without.
    from huggingface_hub import HfApi

    read, failure = 0, None
    try:
        ask = partial(HfApi().dataset_info, where.dataset, revision=where.revision, timeout=ANSWER_WITHIN)
        info = _within(ANSWER_WITHIN, ask)
        files = sorted(file.rfilename for file in info.siblings if fnmatch.fnmatch(file.rfilename, where.files))
        if not files:
            raise FileNotFoundError(f"no file there is named {where.files}")
        for row in _stream([f"hf://datasets/{where.dataset}@{info.sha}/{file}" for file in files], columns):
            read += 1
            yield row
    except Exception as error:  # requests, httpx or pyarrow, by version and place: they share no narrower base
        failure = _sentence(what, where, error, read, instead)
    finally:
        # Arrow's threads hold the open file, and one that lets go of it while Python shuts down aborts the process
        # (github.com/apache/arrow/issues/45214). They let go here, for the error, which holds the reader, is gone.
        gc.collect()
        time.sleep(0.1)
    if failure:
        raise failure


def _stream(files: list[str], columns: Mapping[str, str]) -> Iterator[dict[str, str | int | None]]:
    from datasets import Features, Value, config, load_dataset

    # Its reader tries twenty times over what the hub's file system has by then tried for half a minute: a reader whose
    # network is cut would wait for ten minutes. Set anew for every row, for the reader looks when it opens a file, and
    # who holds this generator must not find the settings changed.
    retries = re.compile(r"STREAMING_\w+_(MAX_RETRIES|RETRY_INTERVAL)")
    once = {name: int(name.endswith("_MAX_RETRIES")) for name in vars(config) if retries.fullmatch(name)}
    # By files, not by the name of the data set, which costs requests for its card and its scripts; with its features,
    # which it would else read from the first file.
    how = {"split": "train", "features": Features({name: Value(kind) for name, kind in columns.items()})}
    form = "parquet" if files[0].endswith(".parquet") else "json"
    how |= {"columns": list(columns)} if form == "parquet" else {}
    with _settings(config, once):
        stream = iter(load_dataset(form, data_files=files, streaming=True, **how))
    while True:
        with _settings(config, once):
            row = next(stream, None)
        if row is None:
            return
        yield row


@contextmanager
def _settings(module: ModuleType, values: Mapping[str, int]) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    vars(module).update(values)
    try:
        yield
    finally:
        vars(module).update(before)


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    # In a thread that may be left behind: the look-up of a host name has no limit, and each address has one of its own.
    future = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    if not wait([future], timeout=seconds).done:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return future.result()


def _sentence(what: str, where: HubCorpus, error: Exception, read: int, instead: str) -> OSError:
    page = f"https://huggingface.co/datasets/{where.dataset}"
    if type(error) is ConnectionError and error.__cause__:  # a bare "Server Disconnected" of `datasets`
        error = error.__cause__
    status = getattr(getattr(error, "response", None), "status_code", None)
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
        reason = "is on the hub, and HF_HUB_OFFLINE forbids to ask there: unset it to read this"
    elif read:
        reason = f"broke off after {read:,} rows ({cause}): try again"
    else:
        reason = f"cannot be read from the hub ({cause}): check the network"
    return kind(f"The {what} ({where.dataset}) {reason}. {instead}")
