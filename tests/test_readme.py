"""The README is true: its code runs, its commands exist, its figure and its file tree are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text()
VERBS = re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(), flags=re.M)


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


COMMANDS = [line for block in fenced("sh") for line in block.splitlines()]
OURS = [line for line in COMMANDS if line.startswith("linstudy ") and "network" not in line.partition("#")[2]]
TREE = [line for line in fenced("text")[0].splitlines() if line]


@pytest.mark.slow
def test_the_four_lines_run():
    import matplotlib.pyplot as plt

    (code,) = fenced("python")
    space: dict = {}
    exec(compile(code, "README.md", "exec"), space)
    profile = space["profile"]
    assert list(profile["layer"]) == list(range(1, space["model"].config.num_hidden_layers + 1))
    assert profile["linearity"].between(0, 1).all()
    assert len(plt.get_fignums()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("line", OURS)
def test_shell_lines_run(line, tmp_path):
    _, *arguments = shlex.split(line, comments=True)
    done = subprocess.run([sys.executable, "-m", "linstudy", *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    for written in (word for word in arguments if Path(word).suffix):
        assert (tmp_path / written).stat().st_size > 0


def test_every_other_shell_line_is_known():
    assert OURS
    for line in COMMANDS:
        if line.startswith("linstudy "):
            words = shlex.split(line, comments=True)
            said = subprocess.check_output([sys.executable, "-m", "linstudy", words[1], "--help"], text=True)
            assert all(word in said for word in words if word.startswith("--")), line
        elif line.startswith("make "):
            assert line.split()[1] in VERBS
        assert line in OURS or line.startswith("make ") or "needs the network" in line


def test_figure_and_links_are_there():
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    local = [target for target in targets if not target.startswith("https://")]
    assert "book/_static/readme-profile.png" in local
    assert not [target for target in local if not (ROOT / target).is_file()]


def test_file_tree_exists_and_is_whole():
    parents: list[str] = []
    listed = set()
    for line in TREE:
        name, words = re.fullmatch(r"( *\S+) {2,}(\S.*)", line).groups()
        depth = (len(name) - len(name.lstrip())) // 2
        parents = [*parents[:depth], name.strip()]
        path = "".join(parents)
        listed.add(path.strip("/"))
        assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file(), path
        assert len(words.split()) <= 6, words
    rooms = {f"linstudy/{p.name}" for p in (ROOT / "linstudy").iterdir() if p.is_dir() and list(p.glob("[!.]*.*"))}
    assert rooms - listed - {"linstudy/__pycache__"} == set()
