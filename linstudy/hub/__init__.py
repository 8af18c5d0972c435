"""The Hugging Face hub: a model's files, the rows of a data set; every way that can fail ends in one sentence."""

import fnmatch
import gc
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from ..files import sha256_of
from .errors import reason_of, sentence, status_of

PATIENCE = 8.0  # seconds until a hub that says nothing counts as away
SILENCE = 3  # seconds that a download may bring nothing before it is taken up again; six times, says the library
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_OTHER = "look for a revision that has them, or another model"
_ONLY = {  # what a repository may have in place of weights, by how its file's name ends
    ("adapter_model.safetensors",): ", only an adapter ({}): merge it into its base model and load what you saved",
    (".gguf",): ", only GGUF files ({}): download one and give its path",
    PICKLES: ", only a pickle ({}), which can run any code when it is loaded: " + _OTHER,
}
_CONVERTER = "SFconvertbot"  # the hub's account whose pull requests turn pickles into safetensors
_AWAY = (HfHubHTTPError.__bases__[0], OSError)  # errors of the library's HTTP client, whichever it uses, and sockets'
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WANTED = re.compile(r"[^/]+\.(json|txt|model|jinja)|model(-\d+-of-\d+)?\.safetensors")


def fetch_model(
    name: str, *, revision: str | None, code: bool, instead: str, check_whole: Callable[[Path], object]
) -> Path:
    """Return the folder in the hub's cache that holds this model, downloading what is not there yet.

    Where the hub is away, or the revision is a commit, which never changes, a copy downloaded earlier is used if
    ``check_whole`` does not raise FileNotFoundError; other errors it raises are passed on. ``code`` fetches the
    repository's Python files as well; ``instead`` says in the errors what to do without the hub.

    Raises ValueError for an id that cannot be one; FileNotFoundError for a model, revision or weights that are not
    on the hub; PermissionError for a gated one; ConnectionError where the hub is away or the download breaks off.
    """
    what = f"model {name!r}"
    if _COMMIT.fullmatch(revision or "") and (folder := _downloaded_before(name, revision, check_whole)):
        return folder
    with quiet():
        try:
            commit, files = _listing("model", name, revision)
        except (HFValidationError, *_AWAY) as error:
            away = isinstance(error, _AWAY) and status_of(error) not in (401, 403, 404)
            if away and (folder := _downloaded_before(name, revision, check_whole)):
                return folder
            raise sentence(error, what, name, revision, instead) from None
        if not any(file.endswith(".safetensors") for file in files) and (converted := _converted(name)):
            # The OPT models, for one: their owners left the pull request of the hub's own converter lying.
            commit, revision, files = converted
        wanted = [file for file in files if _WANTED.fullmatch(file) or (code and file.endswith(".py"))]
        if "model.safetensors" in wanted:  # some repositories hold the same weights cut into pieces too
            wanted = [file for file in wanted if not re.match(r"model(-\d|\.safetensors\.index)", file)]
        if not any(file.endswith(".safetensors") for file in wanted):
            only = ((told, file) for ends, told in _ONLY.items() for file in files if file.endswith(ends))
            told, file = next(only, (f": {_OTHER}", ""))
            lacks = f"{name!r} at revision {revision or 'main'!r} has no safetensors weights"
            raise FileNotFoundError(lacks + told.format(file))
        weights = [file for file in wanted if file.endswith(".safetensors")]
        new = [file for file in weights if not isinstance(try_to_load_from_cache(name, file, revision=commit), str)]
        try:
            with _settings(constants, {"HF_HUB_DOWNLOAD_TIMEOUT": SILENCE}):
                options = {"allow_patterns": wanted, "etag_timeout": PATIENCE / 2}
                folder = Path(snapshot_download(name, revision=revision, **options))
        except (*_AWAY, RuntimeError) as error:  # which hf_xet raises for a full disk and a cut line alike
            if status_of(error) is not None:
                raise sentence(error, what, name, revision, instead) from None
            raise ConnectionError(
                f"the download of {what} broke off ({reason_of(error)}): load it again when the network, or room on "
                "the disk, is back, and it goes on where it stopped"
            ) from None
    _check_sums(what, [folder / file for file in new])
    return folder


def hub_rows(
    what: str, dataset: str, revision: str, files: str, columns: Mapping[str, str], *, instead: str
) -> Iterator[dict[str, str | int | None]]:
    """Stream rows of files in a data set, parquet or lines of JSON, of these columns and types.

    Parquet is read as it comes, so a corpus of gigabytes starts in seconds and is never on the disk. Nothing is asked
    of the hub before the first row is. ``files`` is a pattern; ``what`` is read, and what to do ``instead`` without
    the hub, is said in the errors.

    Raises FileNotFoundError for a data set, revision or files that are not on the hub; PermissionError for a data set
    that asks for a login; ConnectionError for a hub that is away, answers with an error, or breaks off.
    """
    read, failure = 0, None
    try:
        commit, there = _listing("dataset", dataset, revision)
        names = sorted(fnmatch.filter(there, files))
        if not names:
            failure = FileNotFoundError(f"{what} ({dataset}) has no file named {files}: {instead}")
        for row in _stream([f"hf://datasets/{dataset}@{commit}/{name}" for name in names], columns):
            read += 1
            yield row
    except Exception as error:  # requests, httpx or pyarrow, by version and place: they share no narrower base
        failure = sentence(error, f"{what} ({dataset})", f"datasets/{dataset}", revision, instead, read=read)
    finally:
        # Arrow's threads hold the open file, and one that lets go of it while Python shuts down aborts the process
        # (github.com/apache/arrow/issues/45214). They let go here, for the error, which holds the reader, is gone.
        gc.collect()
        time.sleep(0.1)
    if failure:
        raise failure


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' warnings and their bars for reading weights off the screen; downloads keep theirs."""
    from transformers.utils import logging as transformers_logging  # takes a second

    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        with _mute("huggingface_hub", "transformers"):
            yield
    finally:
        if bars:
            transformers_logging.enable_progress_bar()


@contextmanager
def _mute(*libraries: str) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in libraries]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _listing(kind: str, name: str, revision: str | None) -> tuple[str, list[str]]:
    """Ask for a repository's commit and its files; TimeoutError for a hub that says nothing."""
    ask = HfApi().repo_info
    try:
        info = within(PATIENCE, lambda: ask(name, repo_type=kind, revision=revision, timeout=PATIENCE / 2))
    except HFValidationError:
        raise
    except (ValueError, TypeError, KeyError):  # the page of a proxy or of a login, with the status of success
        raise ConnectionError("what answers there is no hub") from None
    return info.sha, [file.rfilename for file in info.siblings or []]


def _converted(name: str) -> tuple[str, str, list[str]] | None:
    """Return commit, revision and files of the safetensors that the hub's converter made of a repository's pickles."""
    try:
        for one in HfApi().get_repo_discussions(name, author=_CONVERTER, discussion_type="pull_request"):
            # The author is asked for and checked: anybody may propose weights.
            if one.author == _CONVERTER and one.git_reference:
                commit, files = _listing("model", name, one.git_reference)
                if any(file.endswith(".safetensors") for file in files):
                    return commit, one.git_reference, files
    except _AWAY:
        pass  # then there is none, and the caller says what is missing
    return None


def _check_sums(what: str, files: list[Path]) -> None:
    """Remove a file with another sum than the hub's, with a ConnectionError: the hub's library compares sizes alone."""
    for file in files:
        blob = file.parent / file.readlink() if file.is_symlink() else file
        if blob.is_symlink() or not re.fullmatch(r"[0-9a-f]{64}", blob.name):
            continue
        if sha256_of(blob) != blob.name:
            file.unlink()
            blob.unlink()
            raise ConnectionError(
                f"the download of {what} brought another {file.name} than the hub has (by its SHA-256): load it again, "
                "and if it stays so, do not trust the network between"
            )


def _downloaded_before(name: str, revision: str | None, check_whole: Callable[[Path], object]) -> Path | None:
    config = try_to_load_from_cache(name, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    try:
        check_whole(Path(config).parent)
    except FileNotFoundError:  # a download that was cut
        return None
    return Path(config).parent


def _stream(files: list[str], columns: Mapping[str, str]) -> Iterator[dict[str, str | int | None]]:
    if not files:
        return
    from datasets import Features, Value, config, load_dataset  # takes seconds

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
    with _settings(config, once), _mute("huggingface_hub", "datasets"):
        stream = iter(load_dataset(form, data_files=files, streaming=True, **how))
    while True:
        with _settings(config, once), _mute("huggingface_hub", "datasets"):
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


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns or raise what it raises; TimeoutError where it takes longer than so many seconds."""
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
