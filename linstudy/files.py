"""Files and folders that are written whole or not at all, by one writer at a time; what dead writers left goes."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

try:
    import fcntl
except ImportError:  # Windows has none: there, as on a disk without locks, two writers must not run at once
    fcntl = None

_LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_WORKSHOP = re.compile(r"\..*\.[0-9a-f]{8}\.unfinished", re.DOTALL)


class NotWritten(OSError):
    """What was to be written is not there, and what stood there before is as it was."""


@contextmanager
def workshop(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder beside ``path`` in which to make what is to stand there; it goes when the block ends.

    The process holds a lock on it. Workshops in the same folder that nobody holds, because their process died, go
    first. Raises NotWritten where the disk does not take what the block writes.
    """
    target = Path(tempfile.gettempdir(), "stream") if is_stream(path) else Path(os.path.realpath(path))
    place, lock = None, None
    try:
        with writing(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            _sweep(target.parent)
            place, lock = _claimed(target)
            yield place
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Turn what a full or broken disk raises into NotWritten, which names the path: once, the outermost."""
    try:
        yield
    except (SafetensorError, OSError) as error:
        cause = error.__cause__ if isinstance(error, NotWritten) else error
        if isinstance(cause, ConnectionError) or (isinstance(cause, OSError) and cause.errno is None):
            raise  # no disk's error: a reader that has seen enough, or a sentence already
        raise NotWritten(
            f"could not write {os.fspath(path)} ({getattr(cause, 'strerror', None) or cause}): what was there is "
            "untouched; make room, or name another place, and run the same command again"
        ) from cause


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a path to write to; the file takes the place of ``path`` when the block ends well, and else nothing does.

    A link is followed. What is written to a pipe, a terminal or a device goes through it.
    """
    with workshop(path) as place:
        made = place / os.path.basename(os.path.realpath(path))
        yield made
        if not is_stream(path):
            put(made, os.path.realpath(path))
            return
        # A file that is open already is written on where its owner stands, not opened anew.
        number = _opened(path)
        stream = os.open(path, os.O_WRONLY) if number is None else os.dup(number)
        with made.open("rb") as whole, open(stream, "wb") as stream:
            shutil.copyfileobj(whole, stream)


def put(made: Path, path: str | os.PathLike) -> None:
    """Move a file that was made in a workshop to where it is to stand, once the disk has it."""
    _settle(made)
    os.replace(made, path)


@contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well.

    Raises FileExistsError for a folder that holds something, also where another process filled it meanwhile;
    NotWritten where the disk does not take what is written.
    """
    target = check_new(folder)
    try:
        with workshop(folder) as place:
            made = place / target.name
            made.mkdir()
            yield made
            for file in made.rglob("*"):
                if file.is_file():
                    _settle(file)
            with suppress(OSError):
                target.rmdir()
            made.rename(target)
    except NotWritten:
        check_new(folder)
        raise


def check_new(folder: str | os.PathLike) -> Path:
    """Return the real path of a folder to be made. Raises FileExistsError for one that holds something."""
    target = Path(os.path.realpath(folder))
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise FileExistsError(f"{folder} exists and is not empty: give a new folder, or delete this one first")
    return target


@contextmanager
def locked(path: str | os.PathLike, *, wait: bool = True) -> Iterator[None]:
    """Be the only process that holds ``path``: others wait here until the block ends or its process dies.

    The lock is on a file beside ``path``, ``.NAME.lock``, which the last to hold it takes away. Whoever does not
    ``wait`` gets a BlockingIOError where another process holds it. A disk without locks keeps nobody out.
    """
    beside = Path(os.path.realpath(path))
    beside = beside.with_name(f".{beside.name}.lock")
    beside.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            lock = _hold(beside, os.O_CREAT | os.O_RDWR, wait=wait)
        except FileNotFoundError:  # whoever held it before has taken it away: this one keeps nobody out
            continue
        except BlockingIOError:
            raise BlockingIOError(
                f"another process is writing {path}: wait until it has ended, or name another place"
            ) from None
        try:
            yield
        finally:
            beside.unlink(missing_ok=True)
            if lock is not None:
                os.close(lock)
        return


def is_stream(path: str | os.PathLike) -> bool:
    """Say whether what is written there goes through: to a pipe, a terminal, a device or another's open file."""
    there = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return there or _opened(path) is not None


def check_writable(option: str, path: str | None, *, folder: bool = False) -> None:
    """Say before the long work that the file or ``folder`` an option names cannot be made, with an OSError."""
    if path is None or is_stream(path):
        return
    if os.path.isdir(path) and not folder:
        raise IsADirectoryError(f"{option} {path}: this is a folder; name a file in it.")
    place = Path(os.path.realpath(path)).parent
    if not place.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {place.name!r} does not exist; make it first.")
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise OSError(f"{option} {path}: cannot write there ({error.strerror}); name a file elsewhere.") from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: str | os.PathLike) -> int | None:
    """Return the number of the open file of this process that a path names."""
    path = os.path.abspath(path)
    found = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d+)", path)
    return int(found[1]) if found else {"/dev/stdout": 1, "/dev/stderr": 2}.get(path)


def _settle(file: Path) -> None:
    """Have a file on the disk, and readable for whoever may read its folder: safetensors makes its files private."""
    with file.open("r+b") as whole:  # Windows settles no file that was opened for reading alone
        os.fsync(whole.fileno())
    file.chmod(file.parent.stat().st_mode & 0o666)


def _claimed(target: Path) -> tuple[Path, int | None]:
    """Make a workshop beside what is to be written, and hold it."""
    while True:
        place = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.unfinished")
        place.mkdir()
        try:
            return place, _hold(place, os.O_RDONLY, wait=False)
        except (BlockingIOError, FileNotFoundError):  # another took it for a dead one's, before it was held
            continue


def _sweep(folder: Path) -> None:
    """Remove the workshops in a folder whose process has died."""
    for left in [Path(one) for one in os.scandir(folder) if _WORKSHOP.fullmatch(one.name)]:
        with suppress(OSError):
            if (lock := _hold(left, os.O_RDONLY, wait=False)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _hold(path: Path, flags: int, *, wait: bool) -> int | None:
    """Open and lock a file or folder; the lock ends with the process. None on a system or a disk without locks.

    Raises BlockingIOError where another holds it, FileNotFoundError where it has gone meanwhile.
    """
    if fcntl is None:
        return None
    lock = os.open(path, flags)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if not os.path.samestat(os.fstat(lock), path.stat()):
            raise FileNotFoundError(path)
    except BaseException as error:
        os.close(lock)
        if getattr(error, "errno", None) in _LOCKLESS:
            return None
        raise
    return lock
