"""Long runs: only what is missing is computed, one failure stops no other run, and a stopped command goes on."""

import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from types import SimpleNamespace

import pandas as pd
import pytest
from hub_process import Answers, serving

from casebook import reach
from casebook.reach import away, digest
from casebook.rows import TABLES
from casebook.runs import Run, plan, run_missing
from linstudy.cli import parser
from linstudy.study.results import append, results
from linstudy.train import Recipe, preset_named
from linstudy.train.release import name_of


class Fake:
    """Runs of three pieces that note what they make; ``breaks`` maps a run's name to the error of its second piece."""

    def __init__(self):
        self.calls, self.breaks = [], {}
        self.table = replace(TABLES["profiles"], maker=self.make)

    def make(self, keep, model):
        def rows(seed):
            self.calls.append((model, seed))
            if seed == 1 and model in self.breaks:
                raise self.breaks[model]
            values = {"linearity": 0.5} | {"length": 256, "dtype": "float32", "text_hash": "0"}
            return pd.DataFrame([values | {"layer": layer} for layer in (1, 2, 3)])

        rest = {"revision": "", "step": None, "part": "block", "corpus": "", "tokens": 1, "shard": 0, "weights": ""}
        for seed in range(3):
            keep(partial(rows, seed), seed=seed, **rest)

    def run(self, name, *, needs="nothing", size="tiny"):
        return Run(name, self.table, {"model": name}, size, needs)

    def made(self):
        """Return what was made since this was asked last."""
        calls, self.calls = self.calls, []
        return calls


def whole(*names):
    return [(name, seed) for name in names for seed in range(3)]


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")
    return Fake()


@pytest.fixture
def told():
    return []


def test_what_is_there_is_never_computed_again(fake, told, tmp_path):
    runs = [fake.run("a"), fake.run("b")]
    assert run_missing(runs[:1], folder=tmp_path, echo=told.append) == 0
    assert [state for _, state in plan(runs, folder=tmp_path)] == ["there", "missing"]
    assert run_missing(runs, folder=tmp_path, echo=told.append) == 0
    assert run_missing(runs, folder=tmp_path, echo=told.append) == 0
    assert fake.made() == whole("a", "b")
    assert "[1/2] a: there" in told
    table = results("profiles", folder=tmp_path)
    assert table["model"].tolist() == ["a"] * 9 + ["b"] * 9
    assert table["command"].unique().tolist() == ["linstudy results --only a", "linstudy results --only b"]
    assert table["commit"].ne("").all()
    assert os.listdir(tmp_path) == ["profiles.csv"]


@pytest.mark.parametrize("error", [RuntimeError("no\nluck"), KeyboardInterrupt()], ids=["an error", "a stop"])
def test_the_pieces_of_a_run_that_was_cut_short_are_kept_apart_and_never_made_again(
    error, fake, told, tmp_path, monkeypatch
):
    minutes = count()
    monkeypatch.setattr("casebook.runs.time", SimpleNamespace(monotonic=lambda: 60 * next(minutes)))
    run = fake.run("org/a")
    fake.breaks = {"org/a": error}
    with suppress(KeyboardInterrupt):
        run_missing([run], folder=tmp_path, echo=told.append)
    assert fake.made() == [("org/a", 0), ("org/a", 1)]
    assert results("profiles", folder=tmp_path).empty  # a table holds whole runs
    assert plan([run], folder=tmp_path)[0][1] == "missing"
    fake.breaks = {}
    assert run_missing([run], folder=tmp_path, echo=told.append) == 0
    assert fake.made() == [("org/a", 1), ("org/a", 2)]
    table = results("profiles", folder=tmp_path)
    assert table["seed"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert table["minutes"].tolist() == [1 + 2] * 9  # a minute a look at the clock, of both tries
    assert os.listdir(tmp_path) == ["profiles.csv"]


def test_an_error_is_told_and_the_other_runs_go_on(fake, told, tmp_path):
    runs = [fake.run("a"), fake.run("b"), fake.run("c")]
    fake.breaks = {"a": RuntimeError("no\nluck"), "b": MemoryError("8 GiB")}
    assert run_missing(runs, folder=tmp_path, echo=told.append) == 1
    assert results("profiles", folder=tmp_path)["model"].unique().tolist() == ["c"]
    assert "[1/3] a: failed: RuntimeError: no luck" in told
    sentence = "out of memory at size tiny (8 GiB); ask for fewer tokens or a smaller model"
    assert f"[2/3] b: failed: {sentence}" in "\n".join(told)
    assert told[-1].startswith("2 of 3 runs failed")


@pytest.mark.slow
def test_a_killed_command_keeps_its_rows_and_the_same_command_does_the_rest(root, tmp_path):
    """As it is typed, in a copy of the package whose tables are empty."""
    home = tmp_path / "linstudy"
    home.mkdir()
    for path in (root / "linstudy").iterdir():
        if path.name != "results":
            (home / path.name).symlink_to(path)
    (home / "results").mkdir()
    for name in ("storyworld", "casebook"):
        (tmp_path / name).symlink_to(root / name)
    command = [sys.executable, "-m", "linstudy", "results", "--only", "families-gpt2"]
    where = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path), "LINSTUDY_SIZE": "tiny"}}
    unfinished = home / "results" / "families-gpt2.unfinished"
    with subprocess.Popen(command, **where) as started:
        while started.poll() is None and len(results("families", folder=unfinished)) < 6:
            time.sleep(0.02)
        started.kill()
    kept = results("families", folder=unfinished)
    assert 6 <= len(kept) < 36
    # A mark in what is there: it would be gone if it were made again.
    append("families", kept.assign(floor=-1.0), folder=unfinished)
    subprocess.run(command, **where, check=True)
    table = results("families", folder=home / "results")
    assert len(table) == 36
    assert (table["floor"] == -1).sum() == len(kept)
    assert os.listdir(home / "results") == ["families.csv"]
    straight = TABLES["families"].rows(model="gpt2", tokens=64 * 256)
    assert table["linearity"].tolist() == straight["linearity"].tolist()


def test_what_cannot_run_here_says_why_and_is_no_failure(fake, told, tmp_path, monkeypatch):
    monkeypatch.setattr("casebook.runs.away", lambda needs: "the hub is away" if needs == "hub" else "")
    runs = [fake.run("a", needs="hub"), fake.run("b", size="full"), fake.run("c")]
    assert [state for _, state in plan(runs, folder=tmp_path)] == [
        "cannot run here: the hub is away",
        "cannot run here: needs size full, this machine is tiny; LINSTUDY_SIZE=full runs it all the same",
        "missing",
    ]
    assert run_missing(runs, folder=tmp_path, echo=told.append) == 0
    assert fake.made() == whole("c")


def test_the_hub_is_there_answers_with_an_error_or_says_nothing(monkeypatch):
    class Handler(Answers):
        def do_HEAD(self):
            self.server.may_answer.wait(60)
            self.send(self.server.status)

    may_answer = threading.Event()
    may_answer.set()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Handler, status=200, may_answer=may_answer) as server:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert away("hub") == ""
        server.status = 503
        assert away("hub") == "the hub answers with error 503"
        may_answer.clear()
        assert re.search("cannot be reached|does not answer", away("hub"))
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert away("hub") == "HF_HUB_OFFLINE is set"
        may_answer.set()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert away("hub").startswith("the hub cannot be reached")


def test_a_model_folder_is_known_by_its_weights(tmp_path, monkeypatch):
    assert digest(tmp_path) == ""
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert digest(tmp_path) == "ba7816bf8f01"  # FIPS 180-2, appendix B.1
    monkeypatch.setattr(reach, "SHARED_MODEL", tmp_path / "absent")
    assert away("shared model") == "there is no ../shared/models/stories260K beside the checkout"
    monkeypatch.setattr(reach, "BESIDE", tmp_path)
    assert away("shared texts") == "there are no texts in ../shared/data beside the checkout"
    (tmp_path / "data").mkdir()
    assert away("shared texts") == ""
    monkeypatch.setattr(reach, "ROOT", tmp_path)
    command = "mkdir -p runs && linstudy pretrain --layers 2 --out runs/stories-1m-2-layers"
    said = f"there is no runs/stories-1m-2-layers; `{command}` makes it in a quarter of an hour or so"
    assert away("shallow model") == said
    folder = tmp_path / "runs" / "stories-1m-2-layers"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"abc")
    assert away("shallow model") == ""


@pytest.mark.parametrize("need", reach.MADE)
def test_a_command_that_makes_a_model_is_one(need, root):
    """As the command line reads it: into the folder that the runs look into, under the name that training gives."""
    made = reach.MADE[need]
    words = made.command.removeprefix("mkdir -p runs && ").split()
    assert words[0] == "linstudy"
    options = parser().parse_args(words[1:])
    assert root / options.out == made.folder
    named = preset_named(options.preset or "pocket", layers=options.layers)
    assert name_of(options.text or "stories", named.size, Recipe(steps=1, warmup=0)) == made.name
