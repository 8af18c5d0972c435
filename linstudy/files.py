"""Files and folders that are written whole or not at all, whether they can be written, and by one writer at a time."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from safetensors import SafetensorError

try:
    import fcntl
except ImportError:  # Windows has none: there two writers must not run at once
    fcntl = None


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    An error inside the block, a full disk for one, leaves what was at ``path`` as it was and nothing beside it.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well.

    What a process left that was killed in the middle is removed by the next one that writes here. Raises
    FileExistsError for a folder that holds something, OSError where the disk does not take what is written.
    """
    folder = check_new(folder)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                with file.open("rb") as whole:
                    os.fsync(whole.fileno())
        if folder.is_dir():
            folder.rmdir()
        unfinished.rename(folder)
    except (SafetensorError, OSError) as error:
        raise OSError(f"could not write {folder} ({error}): nothing was written; make room") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check_new(folder: str | os.PathLike) -> Path:
    """Return the absolute path of a folder to be made. Raises FileExistsError for one that holds something."""
    folder = Path(folder).absolute()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists and is not empty: give a new folder, or delete this one first")
    return folder


@contextmanager
def locked(path: str | os.PathLike) -> Iterator[None]:
    """Be the only process that holds ``path``: others wait here until the block ends or its process dies.

    The lock is on a file beside ``path``, ``.NAME.lock``, which the last to hold it takes away.
    """
    if fcntl is None:
        yield
        return
    beside = Path(path).with_name(f".{Path(path).name}.lock")
    while True:
        with beside.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _names(beside, file):  # whoever held it before has taken it away: this one keeps nobody out
                continue
            try:
                yield
            finally:
                beside.unlink()
            return


def check_writable(option: str, path: str | None) -> None:
    """Say before the long work that the file or folder an option names cannot be made, with an OSError."""
    if path is None:
        return
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {folder.name!r} does not exist; make it first.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"{option} {path}: cannot write there ({error.strerror}); name a file elsewhere.") from None


def _names(path: Path, file: IO) -> bool:
    """Say whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
