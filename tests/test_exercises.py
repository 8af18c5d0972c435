"""The exercises: every stub fails with a hint, every solution passes as promised, and mistakes are known."""

import contextlib
import importlib.util
import io
import re

import nbformat
import pytest
import torch
from conftest import ROOT

from linstudy.exercises import check, hint
from linstudy.exercises.answers import compared
from linstudy.exercises.asking import CHAPTERS, checks_of

spec = importlib.util.spec_from_file_location("editions", ROOT / "tools" / "editions.py")
editions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(editions)

NOTEBOOKS = editions.sources()
PARTS = ["task", "stub", "check", "expected", "solution", "why", "note"]  # of every exercise, in this order


def cells_of(path):
    return {cell.id: cell for cell in nbformat.read(path, 4).cells}


def exercises_in(cells):
    return [name.removeprefix("task-") for name in cells if name.startswith("task-")]


def printed(*sources, names):
    """Run code in the names that are there, and return what it prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for source in sources:
            exec(compile(source, "cell", "exec"), names)
    return said.getvalue().strip()


def promised(cell):
    return re.search(r"```text\n(.*)\n```", cell.source, flags=re.DOTALL)[1]


def test_every_check_has_an_exercise_and_every_chapter_four():
    asked = {path: {name.replace("-", ".") for name in exercises_in(cells_of(path))} for path in NOTEBOOKS}
    assert len(NOTEBOOKS) == len(CHAPTERS)
    for path, exercises in asked.items():
        assert (ROOT / "notebooks" / path.name).is_file(), "it has a chapter"
        assert exercises == set(checks_of(min(exercises)))
        assert len(exercises) >= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_exercise_has_all_its_parts(path):
    cells = cells_of(path)
    for exercise in exercises_in(cells):
        order = [name.split("-")[0] for name in cells if name.split("-", 1)[1:] == [exercise]]
        assert [part for part in order if part != "given"] == PARTS
        number = exercise.replace("-", ".")
        line = rf"\*Exercise {re.escape(number)}\. (Easy|Medium|Hard), about \d+ minutes\.\*"
        assert re.search(line, cells[f"task-{exercise}"].source)
        assert f'check("{number}", ' in cells[f"check-{exercise}"].source
        solution, why, note = (set(cells[f"{part}-{exercise}"].metadata.tags) for part in ("solution", "why", "note"))
        assert "solution" in solution & why
        assert {"instructor", "remove-cell"} <= note


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_stub_fails_and_every_solution_passes(path):
    cells, names = cells_of(path), {}
    for name, cell in cells.items():
        part, _, exercise = name.partition("-")
        if part == "given":
            printed(cell.source, names=names)
        elif part == "check":
            number = exercise.replace("-", ".")
            said = printed(cells[f"stub-{exercise}"].source, cell.source, names=names)
            assert said.startswith(f"{number}: not yet. ")
            assert len(said.splitlines()) == 1, "what follows is for those who have passed"
            solved = printed(cells[f"solution-{exercise}"].source, cell.source, names=names)
            assert solved == promised(cells[f"expected-{exercise}"])


# Wrong answers that people give. Each must get a hint of its own, not the one for an answer that nobody knows.


def fit(X, Y):
    return torch.linalg.lstsq(X, Y).solution


def centred(X):
    return X - X.mean(0)


def share(error, whole):
    return 1 - error.square().sum() / whole.square().sum()


def pseudo_inverse(threshold):
    def solve(X, Y):
        U, S, Vt = torch.linalg.svd(X, full_matrices=False)
        return Vt.T @ (torch.where(S / threshold(S) > 1, 1 / S, 0)[:, None] * (U.T @ Y))

    return solve


MISTAKES = {
    "1.1": [
        lambda X, Y: share(X @ fit(X, Y) - Y, Y),
        lambda X, Y: 1 - share(centred(X) @ fit(centred(X), centred(Y)) - centred(Y), centred(Y)),
        lambda X, Y: share(centred(Y) @ fit(centred(Y), centred(X)) - centred(X), centred(X)),
        lambda X, Y: share(centred(X) @ fit(centred(X), centred(Y)) - centred(Y), Y),
    ],
    "1.2": [
        lambda raw, n, d: raw - d / (n - 1),
        lambda raw, d, n: 1 - (1 - raw) * (n - 1) / (n - d - 1),
        lambda raw, n, d: 1 - (1 - raw) * (n - d - 1) / (n - 1),
        lambda raw, n, d: raw * (n - 1) / (n - d - 1),
    ],
    "1.3": [64, 66, 63],
    "1.4": [
        lambda X, Y, A, B: share(centred(A) @ fit(centred(A), centred(B)) - centred(B), centred(B)),
        lambda X, Y, A, B: share(centred(A) @ fit(centred(X), centred(Y)) - centred(B), centred(B)),
        lambda X, Y, A, B: share(centred(X) @ fit(centred(X), centred(Y)) - centred(Y), centred(Y)),
    ],
    "1.5": [
        pseudo_inverse(lambda S: 1e-300),
        pseudo_inverse(lambda S: 1e-4 * S.max()),
        pseudo_inverse(lambda S: 1e-10),
    ],
}
# An answer of the right kind that no known mistake gives.
STRANGE = {
    "1.1": lambda X, Y: torch.tensor(0.123),
    "1.2": lambda raw, n, d: 0.123,
    "1.3": 7,
    "1.4": lambda X, Y, A, B: torch.tensor(0.123),
    "1.5": lambda X, Y: torch.zeros(3, 4),
}


def test_every_exercise_has_mistakes():
    assert set(MISTAKES) == set(STRANGE) == {name for chapter in CHAPTERS for name in checks_of(chapter)}


@pytest.mark.parametrize("exercise", MISTAKES)
def test_a_known_mistake_gets_its_own_hint(exercise):
    hints = [hint(exercise, wrong) for wrong in [*MISTAKES[exercise], STRANGE[exercise], ...]]
    assert all(hints)
    assert len(set(hints)) == len(hints)


def test_an_answer_that_fails_is_told_how():
    def broken(X, Y):
        raise RuntimeError("my own words")

    assert "RuntimeError: my own words" in hint("1.1", broken)
    assert "a str" in hint("1.1", lambda X, Y: "one")
    assert "(12,)" in hint("1.1", lambda X, Y: X.mean(0))
    assert "not finite" in hint("1.1", lambda X, Y: float("nan"))


def test_dots_are_seen_wherever_they_are():
    blank = hint("1.1", ...)
    assert "dots" in blank
    for answer in (lambda X, Y: ..., lambda X, Y: None, lambda X, Y: X - ..., lambda X, Y: (...).sum()):
        assert hint("1.1", answer) == blank
    assert hint("1.1", lambda X, Y: X + "a") != blank


def test_a_check_says_whether_it_passed(capsys):
    assert check("1.3", 65)
    assert not check("1.3", 64)
    assert [line.split(".")[1][:3] for line in capsys.readouterr().out.splitlines()] == ["3: ", "3: "]


def test_an_exercise_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no exercise '1\.9'.*1\.1, 1\.2"):
        hint("1.9", 0)
    with pytest.raises(ValueError, match="no chapter with exercises '9'"):
        hint("9.1", 0)


def test_answers_are_compared_by_their_largest_entry():
    right = torch.tensor([1e-9, 1.0])
    assert compared([0.0, 1.0], right, {}, otherwise="no") is None
    assert compared([0.0, 1.001], right, {"known": [0.0, 1.001]}, otherwise="no") == "known"
    assert compared([0.0, 1.002], right, {"known": [0.0, 1.001]}, otherwise="no") == "no"


# Stubs come from solutions


SOLUTION = "def f(x):\n    y = 1\n    # BEGIN SOLUTION: return ...\n    z = x\n    return z\n    # END SOLUTION\nf(2)"


def test_a_stub_is_the_solution_outside_the_marks():
    assert editions.stub_of(SOLUTION) == "def f(x):\n    y = 1\n    return ...\nf(2)"
    assert editions.stub_of(SOLUTION + "\n" + SOLUTION).count("return ...") == 2
    assert editions.stub_of("# BEGIN SOLUTION: x = ...\nx = 1\n# END SOLUTION") == "x = ..."


def test_no_stub_has_drifted(capsys):
    assert editions.main(["stubs"]) == 0, capsys.readouterr().out
    for path in NOTEBOOKS:
        cells = cells_of(path)
        solutions = [cell.source for name, cell in cells.items() if name.startswith("solution-")]
        assert all(editions.MARKED.search(source) for source in solutions)


def test_a_stub_that_drifts_is_noticed_and_made_again(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks" / "exercises").mkdir(parents=True)
    path = tmp_path / "notebooks" / "exercises" / "one.ipynb"
    cells = [nbformat.v4.new_code_cell(SOLUTION, id=f"{part}-1-1") for part in ("stub", "solution")]
    cells[0].source = editions.stub_of(SOLUTION).replace("y = 1", "y = 2")
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    monkeypatch.setattr(editions, "ROOT", tmp_path)
    assert editions.main(["stubs"]) == 1
    assert "one.ipynb" in capsys.readouterr().out
    assert editions.main(["stubs", "--write"]) == 0
    assert editions.main(["stubs"]) == 0
    assert cells_of(path)["stub-1-1"].source == editions.stub_of(SOLUTION)
