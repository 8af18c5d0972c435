"""The size is chosen by argument, then variable, then hardware."""

import sys

import pytest

from linstudy.study import machine
from linstudy.study.machine import out_of_memory, size


@pytest.fixture
def gpu(monkeypatch):
    """Set what GPU the machine seems to have: a name and its memory in GiB, or None."""
    monkeypatch.delenv("LINSTUDY_SIZE", raising=False)
    return lambda found: monkeypatch.setattr(machine, "graphics", lambda: found)


@pytest.mark.parametrize(
    ("found", "name"),
    [(None, "tiny"), (("Tesla T4", 14.7), "t4"), (("NVIDIA L4", 22.5), "full"), (("NVIDIA H200", 139.8), "full")],
)
def test_hardware_decides_when_nobody_else_does(gpu, found, name):
    gpu(found)
    assert size().name == name


def test_the_variable_beats_hardware_and_the_argument_beats_both(gpu, monkeypatch):
    gpu(("NVIDIA H200", 139.8))
    monkeypatch.setenv("LINSTUDY_SIZE", "t4")
    assert size().name == "t4"
    assert size("tiny").name == "tiny"
    monkeypatch.setenv("LINSTUDY_SIZE", "")
    assert size().name == "full"


def test_an_unknown_size_gets_a_near_match(monkeypatch):
    with pytest.raises(ValueError, match=r"there is no size 'tinny': did you mean 'tiny'\?"):
        size("tinny")
    monkeypatch.setenv("LINSTUDY_SIZE", "huge")
    with pytest.raises(ValueError, match=r"'huge': the sizes are tiny, t4, full \(asked for by LINSTUDY_SIZE\)"):
        size()


def test_out_of_memory_names_the_next_smaller_size():
    error = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the manual.")
    assert "Tried to allocate 2.00 GiB); set LINSTUDY_SIZE=t4 and" in out_of_memory(error, size("full"))
    assert "ask for fewer tokens" in out_of_memory(MemoryError(), size("tiny"))


def test_nvidia_smi_is_asked_and_its_absence_is_no_error(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "version", lambda name: "2.11.0+cu128")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = machine.graphics.__wrapped__
    assert found() is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Tesla T4, 15360'\n")
    program.chmod(0o755)
    assert found() == ("Tesla T4", 15.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # hidden on purpose
    assert found() is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(machine, "version", lambda name: "2.11.0+cpu")  # a torch that cannot use it
    assert found() is None
