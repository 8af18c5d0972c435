"""What is written is there whole or not at all: with a full disk, two writers at once, a process killed in between."""

import errno
import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from test_results import rows
from tiny_models import tiny_model

from casebook.written import append
from linstudy import JointMoments
from linstudy.files import NotWritten, check_writable, locked, new_folder, put, workshop, written_whole
from linstudy.prune import save_pruned

resource = pytest.importorskip("resource", reason="limits of a process are a POSIX thing")
fcntl = pytest.importorskip("fcntl")

WRITES = """
import sys, linstudy.files
with getattr(linstudy.files, sys.argv[1])(sys.argv[2]) as made:
    path = made / "half" if made.is_dir() else made
    path.write_text("half")
    print(flush=True)
    input()
"""


@contextmanager
def writer(how, path):
    """A process in the middle of writing; it goes on when it is told to."""
    command = [sys.executable, "-c", WRITES, how, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


@contextmanager
def small_disk(most):
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path, text):
    with written_whole(path) as made:
        made.write_text(text)


@pytest.mark.parametrize("how", ["written_whole", "new_folder", "workshop"])
def test_what_a_killed_process_left_goes_with_the_next_write_and_not_before_its_death(tmp_path, how):
    with writer(how, tmp_path / "a") as process:
        (left,) = tmp_path.iterdir()
        write(tmp_path / "b", "whole")
        assert set(tmp_path.iterdir()) == {left, tmp_path / "b"}  # the control: it lives
        process.kill()
        process.wait()
        assert left.exists()
        write(tmp_path / "b", "whole again")
    assert list(tmp_path.iterdir()) == [tmp_path / "b"]


def test_files_that_only_look_like_leftovers_stay(tmp_path):
    for name in (".a.unfinished", "a.0123abcd.unfinished", ".a.lock", ".a.0123abcd"):
        (tmp_path / name).mkdir()
    write(tmp_path / "b", "whole")
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_that_make_one_folder_one_wins_and_the_other_gets_a_sentence(tmp_path, first):
    path = tmp_path / "made"
    with writer("new_folder", path) as one, writer("new_folder", path) as other:
        both = (one, other) if first else (other, one)
        said = [process.communicate(b"\n")[1].decode().strip() for process in both]
    assert (both[0].returncode, said[0], both[1].returncode) == (0, "", 1)
    assert said[1].endswith(
        f"FileExistsError: {path} exists and is not empty: give a new folder, or delete this one first"
    )
    assert [file.name for file in path.iterdir()] == ["half"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_that_is_not_waited_for_is_a_sentence(tmp_path):
    told = r"another process is writing .*run: wait until it has ended, or name"
    with locked(tmp_path / "run"), pytest.raises(BlockingIOError, match=told), locked(tmp_path / "run", wait=False):
        pass
    with locked(tmp_path / "run", wait=False):  # the control
        assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_keeps_nobody_out_and_another_error_is_passed_on(tmp_path, monkeypatch):
    def fails_with(code):
        def flock(*_):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("linstudy.files.fcntl.flock", flock)

    fails_with(errno.ENOLCK)
    with locked(tmp_path / "run", wait=False), locked(tmp_path / "run"), written_whole(tmp_path / "a") as made:
        made.write_text("there")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    fails_with(errno.EIO)
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path / "run"):
        pass


def test_a_full_disk_is_told_once_and_changes_nothing(tmp_path):
    path, tensors = tmp_path / "a.safetensors", {"weight": torch.zeros(1000)}
    write(path, "mine")
    told = r"^could not write .*a\.safetensors \(.*\): what was there"
    with small_disk(1000), pytest.raises(NotWritten, match=told), written_whole(path) as made:
        save_file(tensors, made)
    assert path.read_text() == "mine"
    within = tmp_path / "outer"
    with small_disk(1000), pytest.raises(NotWritten) as caught, new_folder(within) as outer, new_folder(outer) as made:
        (made / "b").write_text("x" * 2000)
    assert str(caught.value) == (
        f"could not write {within} (File too large): what was there is untouched; make room, or name "
        "another place, and run the same command again"
    )
    with pytest.raises(NotWritten, match=r"could not write .*a\.safetensors/b \(File exists\)"):
        write(path / "b", "a file where the folder should be")
    assert list(tmp_path.iterdir()) == [path]
    with written_whole(path) as made:  # the control
        save_file(tensors, made)
    assert path.stat().st_size > 4000
    for error in (ConnectionError("the index is away"), OSError("a sentence"), BrokenPipeError(32, "Broken pipe")):
        with pytest.raises(type(error)) as caught, written_whole(tmp_path / "a"):
            raise error
        assert caught.value is error  # no disk's
    assert list(tmp_path.iterdir()) == [path]


WRITERS = {
    "a pruned model": lambda folder: save_pruned(tiny_model("llama"), folder / "pruned"),
    "a table": lambda folder: append("profiles", rows(40), folder=folder),
    "moments": lambda folder: JointMoments.empty(9).update(*torch.randn(2, 20, 9)).save(folder / "m.safetensors"),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_on_a_full_disk_whatever_is_written_is_not_there(tmp_path, write):
    with small_disk(1000), pytest.raises(OSError, match=r"could not write .*\(.*\): what was there is untouched"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path)  # the control
    assert len(list(tmp_path.iterdir())) == 1


def test_files_are_settled_through_handles_that_may_write_for_windows_refuses_others(tmp_path, monkeypatch):
    ways = []
    monkeypatch.setattr(os, "fsync", lambda number: ways.append(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE))
    write(tmp_path / "a", "whole")
    with new_folder(tmp_path / "folder") as made:
        write(made / "b", "whole")
    assert ways == [os.O_RDWR] * 3


def test_links_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    target, link, folder = tmp_path / "real" / "a", tmp_path / "link", tmp_path / "folder"
    link.symlink_to(target)
    folder.symlink_to(tmp_path / "real" / "new")
    write(link, "first")  # the target is not there yet
    write(link, "second")
    with new_folder(folder) as made:
        (made / "file").write_text("")
    assert link.is_symlink()
    assert folder.is_symlink()
    assert target.read_text() == "second"
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a", "new"]
    check_writable("--csv", str(link))


def test_what_is_no_file_is_written_through(tmp_path):
    reading, writing = os.pipe()
    write(f"/dev/fd/{writing}", "through a pipe")
    assert os.read(reading, 100) == b"through a pipe"
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        write(f"/dev/fd/{writing}", "to nobody")
    os.close(writing)
    write("/dev/null", "gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(NotWritten, match=r"could not write /dev/full \(No space left on device\)"):
        write("/dev/full", "too much")
    check_writable("--csv", "/dev/null")


def test_a_redirected_output_keeps_what_was_printed(tmp_path):
    code = "from linstudy.files import written_whole\nprint('before', flush=True)\n"
    code += "with written_whole('/dev/stdout') as made: made.write_text('table\\n')\nprint('after')"
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, cwd=Path(__file__).parent.parent)
    assert (tmp_path / "out").read_text().startswith("before\ntable\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_files_are_for_all_who_may_read_the_folder(tmp_path):
    before = os.umask(0o027)
    try:
        with written_whole(tmp_path / "a") as made:
            save_file({"weight": torch.zeros(1)}, made)
            made.chmod(0o600)  # as newer safetensors make them
        with new_folder(tmp_path / "folder") as made:
            (made / "kept").mkdir()
            save_file({"weight": torch.zeros(1)}, made / "kept" / "b")
        with workshop(tmp_path / "c") as place:
            save_file({"weight": torch.zeros(1)}, place / "c")
            put(place / "c", tmp_path / "c")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "folder/kept/b", "c")}
    assert modes == {0o640}
