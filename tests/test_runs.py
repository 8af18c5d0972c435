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
from casebook.written import append
from linstudy.cli import parser
from linstudy.study.results import results
from linstudy.train import Recipe, preset_named
from linstudy.train.release import name_of


class Fake:
    """Runs of three pieces that note what they make; ``breaks`` maps a run's name to the error of its second piece."""

    def __init__(self, folder):
        self.folder, self.calls, self.told, self.breaks = folder, [], [], {}
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

    def go(self, *runs):
        """Run what is missing; return the exit status and what was made."""
        self.calls = []
        return run_missing(runs, folder=self.folder, echo=self.told.append), self.calls

    def states(self, *runs):
        return [state for _, state in plan(runs, folder=self.folder)]

    def rows(self):
        return results("profiles", folder=self.folder)


def whole(*names):
    return [(name, seed) for name in names for seed in range(3)]


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")
    return Fake(tmp_path)


def test_what_is_there_is_never_computed_again(fake):
    a, b = fake.run("a"), fake.run("b")
    assert fake.go(a) == (0, whole("a"))
    assert fake.states(a, b) == ["there", "missing"]
    assert fake.go(a, b) == (0, whole("b"))
    assert fake.go(a, b) == (0, [])
    assert "[1/2] a: there" in fake.told
    assert fake.rows()["model"].tolist() == ["a"] * 9 + ["b"] * 9
    assert fake.rows()["command"].unique().tolist() == ["linstudy results --only a", "linstudy results --only b"]
    assert fake.rows()["commit"].ne("").all()
    assert os.listdir(fake.folder) == ["profiles.csv"]


@pytest.mark.parametrize("error", [RuntimeError("no\nluck"), KeyboardInterrupt()], ids=["an error", "a stop"])
def test_the_pieces_of_a_run_that_was_cut_short_are_kept_apart_and_never_made_again(error, fake, monkeypatch):
    minutes = count()
    monkeypatch.setattr("casebook.runs.time", SimpleNamespace(monotonic=lambda: 60 * next(minutes)))
    run, fake.breaks = fake.run("org/a"), {"org/a": error}
    with suppress(KeyboardInterrupt):
        fake.go(run)
    assert fake.calls == [("org/a", 0), ("org/a", 1)]
    assert fake.rows().empty  # a table holds whole runs
    assert fake.states(run) == ["missing"]
    fake.breaks = {}
    assert fake.go(run) == (0, [("org/a", 1), ("org/a", 2)])
    assert fake.rows()["seed"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert fake.rows()["minutes"].tolist() == [1 + 2] * 9  # a minute a look at the clock, of both tries
    assert os.listdir(fake.folder) == ["profiles.csv"]


def test_an_error_is_told_and_the_other_runs_go_on(fake):
    fake.breaks = {"a": RuntimeError("no\nluck"), "b": MemoryError()}
    assert fake.go(*map(fake.run, "abc"))[0] == 1
    assert fake.rows()["model"].unique().tolist() == ["c"]
    assert "[1/3] a: failed: RuntimeError: no luck" in fake.told
    sentence = "out of memory at size tiny (MemoryError); ask for fewer tokens or a smaller model"
    assert f"[2/3] b: failed: {sentence}" in "\n".join(fake.told)
    assert fake.told[-1].startswith("2 of 3 runs failed")


def test_no_rows_are_added_where_the_package_is_installed_without_its_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr("casebook.runs.ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"rows are added to a checkout, and linstudy is in.*: clone the"):
        run_missing([])


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


def test_what_cannot_run_here_says_why_and_is_no_failure(fake, monkeypatch):
    monkeypatch.setattr("casebook.runs.away", lambda needs, _: "the hub is away" if needs == "hub" else "")
    runs = [fake.run("a", needs="hub"), fake.run("b", size="full"), fake.run("c")]
    assert fake.states(*runs) == [
        "cannot run here: the hub is away",
        "cannot run here: needs size full, this machine is tiny; LINSTUDY_SIZE=full runs it all the same",
        "missing",
    ]
    assert fake.go(*runs) == (0, whole("c"))


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


def test_what_a_run_needs_beside_the_checkout_is_known_by_its_weights_or_named(tmp_path, monkeypatch):
    assert digest(tmp_path) == ""
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert digest(tmp_path) == "ba7816bf8f01"  # FIPS 180-2, appendix B.1
    for name in ("ROOT", "BESIDE"):
        monkeypatch.setattr(reach, name, tmp_path)
    monkeypatch.setattr(reach, "SHARED_MODEL", tmp_path / "absent")
    command = "mkdir -p runs && linstudy pretrain --layers 2 --tokens 30000000 --out runs/stories-1m-2-layers"
    for needs, said in {
        "shared model": "there is no ../shared/models/stories260K beside the checkout; put the model's folder there",
        "shared texts": "there are no texts in ../shared/data beside the checkout; put their .txt files there",
        "shallow model": f"there is no runs/stories-1m-2-layers; `{command}` makes it in an hour or so",
    }.items():
        assert away(needs) == said
    assert away("nothing", tmp_path / "data" / "text.txt").startswith("there are no texts")
    assert away("nothing", "stories") == ""
    folder = tmp_path / "runs" / "stories-1m-2-layers"
    for made in (folder, tmp_path / "data"):
        made.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"abc")
    assert (away("shared texts"), away("shallow model")) == ("", "")


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
