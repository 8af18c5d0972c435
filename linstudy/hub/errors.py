"""What the hub's library raises, as one sentence each: cause, value, remedy."""

from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


def sentence(error: Exception, what: str, path: str, revision: str | None, instead: str, *, read: int = 0) -> Exception:
    """Say what failed, why and what to do instead, as an error of Python's own; ``read`` are the rows already read."""
    page, status = f"{constants.ENDPOINT}/{path}", status_of(error)
    if isinstance(error, HFValidationError):
        return ValueError(f"{path!r} cannot be the id of a model on the hub (owner/model): {instead}")
    if isinstance(error, RevisionNotFoundError):
        return FileNotFoundError(
            f"{what} has no revision {revision!r}: choose one listed at {page}/tree/main, or {instead}"
        )
    if isinstance(error, GatedRepoError) or status == 403:
        return PermissionError(f"{what} is gated: ask for access at {page}, log in with `hf auth login`, or {instead}")
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        return FileNotFoundError(
            f"there is no {what} at {constants.ENDPOINT}, or it is private: look for a typo, log in with "
            f"`hf auth login`, or {instead}"
        )
    if read:
        return ConnectionError(f"{what} broke off after {read:,} rows ({reason_of(error)}): try again, or {instead}")
    return ConnectionError(
        f"{what} is not on this machine and the hub at {constants.ENDPOINT} is away ({reason_of(error)}): {instead}, "
        "or try again later"
    )


def status_of(error: Exception) -> int | None:
    """Return the number that the hub answered with, None where it did not."""
    return getattr(getattr(error, "response", None), "status_code", None)


def reason_of(error: Exception) -> str:
    """Return in a few words why there was no answer."""
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE forbids to ask there: unset it"
    if status := status_of(error):
        return f"it answered {status}"
    if type(error) is ConnectionError and error.__cause__:  # a bare "Server Disconnected" of `datasets`
        error = error.__cause__
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")[:200]
