"""The size is chosen by argument, then variable, then hardware."""

import sys
from argparse import Namespace

import pytest

from linstudy.commands.common import size_of
from linstudy.study import machine
from linstudy.study.machine import out_of_memory, size


@pytest.mark.parametrize(
    ("found", "name"),
    [(None, "tiny"), (("Tesla T4", 14.7), "t4"), (("NVIDIA L4", 22.5), "full"), (("NVIDIA H200", 139.8), "full")],
)
def test_the_argument_beats_the_variable_and_the_variable_hardware(monkeypatch, found, name):
    monkeypatch.setattr(machine, "graphics", lambda: found)
    monkeypatch.setenv("LINSTUDY_SIZE", "")
    assert (size().name, size_of(Namespace(device=None)).name) == (name, name)
    assert size_of(Namespace(device="cpu")).name == "tiny"  # on a machine with a GPU too
    monkeypatch.setenv("LINSTUDY_SIZE", "t4")
    assert (size().name, size_of(Namespace(device="cpu")).name) == ("t4", "t4")
    assert size("tiny").name == "tiny"
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
    monkeypatch.setenv("PATH", str(tmp_path))
    found, program = machine.graphics.__wrapped__, tmp_path / "nvidia-smi"
    for torch, hidden, wanted in (("cu128", False, ("Tesla T4", 15.0)), ("cu128", True, None), ("cpu", False, None)):
        monkeypatch.setattr(machine, "version", lambda name, torch=torch: f"2.11.0+{torch}")
        with monkeypatch.context() as patch:
            if hidden:  # on purpose
                patch.setenv("CUDA_VISIBLE_DEVICES", "")
            program.unlink(missing_ok=True)
            assert found() is None
            program.write_text("#!/bin/sh\necho 'Tesla T4, 15360'\n")
            program.chmod(0o755)
            assert found() == wanted
