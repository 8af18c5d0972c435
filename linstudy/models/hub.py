"""Fetch a model from the hub into its cache; every way that can fail ends in one sentence."""

import logging
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from transformers.utils import logging as transformers_logging

from .weights import PICKLES, check_weights

CONVERTER = "SFconvertbot"  # the hub's account whose pull requests turn pickles into safetensors
PATIENCE = 8.0  # seconds until a hub that says nothing counts as away
_AWAY = (HfHubHTTPError.__bases__[0], OSError)  # errors of the library's HTTP client, whichever it uses, and sockets'
_WANTED = re.compile(r"[^/]+\.(json|txt|model|jinja)|model(-\d+-of-\d+)?\.safetensors")


def download(name: str, *, revision: str | None, code: bool, instead: str) -> Path:
    """Return the folder in the hub's cache that holds this model, downloading what is not there yet.

    Where the hub is away, a copy downloaded earlier is used. ``code`` fetches the repository's Python files as
    well; ``instead`` says in the errors what can be loaded without the hub.

    Raises ValueError for an id that cannot be one; FileNotFoundError for a model, revision or weights that are not
    on the hub; PermissionError for a gated one; ConnectionError where the hub is away or the download breaks off.
    """
    with quiet():
        try:
            found = _within(PATIENCE, lambda: HfApi().model_info(name, revision=revision, timeout=PATIENCE / 2))
        except (HFValidationError, *_AWAY) as error:
            away = isinstance(error, _AWAY) and _status(error) not in (401, 403, 404)
            if away and (folder := _downloaded_before(name, revision)):
                return folder
            raise _sentence(error, name, revision, instead) from None
        files = [file.rfilename for file in found.siblings or []]
        if not any(file.endswith(".safetensors") for file in files) and (converted := _converted(name)):
            # The OPT models, for one: their owners left the pull request of the hub's own converter lying.
            revision, files = converted
        wanted = [file for file in files if _WANTED.fullmatch(file) or (code and file.endswith(".py"))]
        if "model.safetensors" in wanted:  # some repositories hold the same weights cut into pieces too
            wanted = [file for file in wanted if not re.match(r"model(-\d|\.safetensors\.index)", file)]
        if not any(file.endswith(".safetensors") for file in wanted):
            pickles = [file for file in files if file.endswith(PICKLES)]
            raise FileNotFoundError(
                f"{name!r} at revision {revision or 'main'!r} has no safetensors weights"
                f"{f', only a pickle ({pickles[0]}), which can run any code when it is loaded' if pickles else ''}: "
                "look for a revision that has them, or another model"
            )
        try:
            return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
        except _AWAY as error:
            if _status(error) is not None:
                raise _sentence(error, name, revision, instead) from None
            raise ConnectionError(
                f"the download of {name!r} broke off ({_reason(error)}): load it again when the network, or room on "
                "the disk, is back, and it goes on where it stopped"
            ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' warnings and their bars for reading weights off the screen; downloads keep theirs."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "transformers")]
    levels, bars = [logger.level for logger in loggers], transformers_logging.is_progress_bar_enabled()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            transformers_logging.enable_progress_bar()


def _converted(name: str) -> tuple[str, list[str]] | None:
    """Return revision and files of the safetensors that the hub's converter made of a repository's pickles."""
    api = HfApi()
    try:
        for one in api.get_repo_discussions(name, author=CONVERTER, discussion_type="pull_request"):
            # The author is asked for and checked: anybody may propose weights.
            if one.author == CONVERTER and one.git_reference:
                found = api.model_info(name, revision=one.git_reference, timeout=PATIENCE / 2)
                files = [file.rfilename for file in found.siblings or []]
                if any(file.endswith(".safetensors") for file in files):
                    return one.git_reference, files
    except _AWAY:
        pass  # then there is none, and the caller says what is missing
    return None


def _sentence(error: Exception, name: str, revision: str | None, instead: str) -> Exception:
    page = f"{constants.ENDPOINT}/{name}"
    if isinstance(error, HFValidationError):
        return ValueError(f"{name!r} cannot be the id of a model on the hub (owner/model): load {instead}")
    if isinstance(error, RevisionNotFoundError):
        return FileNotFoundError(
            f"model {name!r} has no revision {revision!r}: choose a branch, tag or commit listed at {page}/tree/main"
        )
    if isinstance(error, GatedRepoError) or (_status(error) == 403):
        return PermissionError(
            f"model {name!r} is gated: ask for access at {page} and log in with `hf auth login`, or load {instead}"
        )
    if isinstance(error, RepositoryNotFoundError) or _status(error) in (401, 404):
        return FileNotFoundError(
            f"there is no model {name!r} at {constants.ENDPOINT}, or it is private: look for a typo, log in with "
            f"`hf auth login`, or load {instead}"
        )
    return ConnectionError(
        f"model {name!r} is not on this machine and the hub at {constants.ENDPOINT} is away ({_reason(error)}): load "
        f"{instead}, or try again later"
    )


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _reason(error: Exception) -> str:
    if status := _status(error):
        return f"it answered {status}"
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _downloaded_before(name: str, revision: str | None) -> Path | None:
    config = try_to_load_from_cache(name, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    try:
        check_weights(Path(config).parent)
    except OSError:  # a download that was cut
        return None
    return Path(config).parent


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, or raise TimeoutError: looking a name up has no time limit of its own."""
    answers: queue.SimpleQueue = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=answer, daemon=True).start()
    try:
        value, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer in {seconds:g} seconds") from None
    if error:
        raise error
    return value
