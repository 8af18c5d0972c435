"""The exercises: every stub fails with a hint, every solution passes as promised, and mistakes are known."""

import contextlib
import inspect
import io
import math
import re
from itertools import pairwise

import nbformat
import numpy as np
import pytest
import torch
from conftest import ROOT, script
from scipy.optimize import brentq
from scipy.stats import pearsonr
from torch.linalg import vecdot
from torch.nn.functional import cosine_similarity
from torch.nn.functional import cross_entropy as cross_entropy_of

from casebook.exercises import asking, check, hint
from casebook.exercises.answers import compared
from casebook.exercises.asking import CHAPTERS, checks_of, hints_of
from linstudy import profile_of_states
from linstudy.lookup import entries
from linstudy.models import blocks, set_blocks

editions = script("tools/editions.py")

NOTEBOOKS = editions.sources()
PARTS = ["task", "stub", "check", "expected", "solution", "why", "note"]  # of every exercise, in this order


def cells_of(path):
    return {cell.id: cell for cell in nbformat.read(path, 4).cells}


def printed(*sources, names):
    """Run code in the names that are there, and return what it prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for source in sources:
            exec(compile(source, "cell", "exec"), names)
    return said.getvalue().strip()


def promised(cell):
    return re.search(r"```text\n(.*)\n```", cell.source, flags=re.DOTALL)[1]


def same_but_for_rounding(said, wanted):
    """Say whether texts are the same but for last digits of numbers: another processor rounds its own way."""
    number = re.compile(r"[+-]?\d+\.\d+")
    steps = [1.1 * 10.0 ** -len(one.partition(".")[2]) for one in number.findall(wanted)]
    pairs = zip(number.findall(said), number.findall(wanted), steps, strict=False)
    near = all(abs(float(one) - float(other)) <= step for one, other, step in pairs)
    return number.sub("number", said) == number.sub("number", wanted) and near


@pytest.mark.parametrize("other", ["1.1: a +0.14, 3 b", "1.1: a +0.12, 4 b", "1.1: a +0.12, 3 b and 2.0"])
def test_outputs_are_compared_to_their_last_digit(other):
    assert same_but_for_rounding("1.1: a +0.12, 3 b", "1.1: a +0.13, 3 b")
    assert not same_but_for_rounding("1.1: a +0.12, 3 b", other)


def test_every_check_has_an_exercise_with_all_its_parts_and_known_mistakes():
    assert len(NOTEBOOKS) == len(CHAPTERS)
    assert set(MISTAKES) == {name for chapter in CHAPTERS for name in checks_of(chapter)} > set(STRANGE)
    for path in NOTEBOOKS:
        cells = cells_of(path)
        exercises = [name.removeprefix("task-") for name in cells if name.startswith("task-")]
        assert (ROOT / "notebooks" / path.name).is_file(), "it has a chapter"
        assert {name.replace("-", ".") for name in exercises} == set(checks_of(exercises[0].replace("-", ".")))
        assert len(exercises) >= 4
        for exercise in exercises:
            order = [name.split("-")[0] for name in cells if name.split("-", 1)[1:] == [exercise]]
            assert [part for part in order if part != "given"] == PARTS
            number = exercise.replace("-", ".")
            line = rf"\*Exercise {re.escape(number)}\. (Easy|Medium|Hard), about \d+ minutes\.\*"
            assert re.search(line, cells[f"task-{exercise}"].source)
            assert f'check("{number}", ' in cells[f"check-{exercise}"].source
            solution, why, note = (set(cells[f"{part}-{exercise}"].metadata.tags) for part in PARTS[-3:])
            assert "solution" in solution & why
            assert {"instructor", "remove-cell"} <= note


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_stub_fails_every_solution_passes_and_every_known_mistake_has_its_own_hint(path, monkeypatch):
    cells, names, hinted = cells_of(path), {}, set()

    def told_apart(answer, right, *, within=1e-6, other="other", **mistakes):
        for name, value in mistakes.items():
            assert compared(value, right, within=within, **mistakes) == name
        hinted.update(mistakes)
        return compared(answer, right, within=within, other=other, **mistakes)

    for name, cell in cells.items():
        part, _, exercise = name.partition("-")
        if part == "given":
            printed(cell.source, names=names)
        elif part == "check":
            number = exercise.replace("-", ".")
            said = printed(cells[f"stub-{exercise}"].source, cell.source, names=names)
            assert said.startswith(f"{number}: not yet. ")
            assert len(said.splitlines()) == 1, "what follows is for those who have passed"
            hinted.clear()
            monkeypatch.setitem(inspect.unwrap(checks_of(number)[number]).__globals__, "compared", told_apart)
            solved = printed(cells[f"solution-{exercise}"].source, cell.source, names=names)
            monkeypatch.undo()
            assert same_but_for_rounding(solved, promised(cells[f"expected-{exercise}"]))
            hints = set(hints_of(number))
            with monkeypatch.context() as patch:
                patch.setattr(asking, "hints_of", lambda _, hints=hints: {name: name for name in hints})
                told = {hint(number, wrong) for wrong in [*MISTAKES[number], STRANGE.get(number, 0.123)]}
            assert hinted <= hints <= hinted | told | EVERY


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


def affine(X, Y):
    W = fit(centred(X), centred(Y))
    return W, Y.mean(0) - X.mean(0) @ W


def raw(X, Y):
    return profile_of_states([X, Y]).linearity_raw[0]


def right_factor(X, D, target):
    return brentq(lambda factor: raw(X, X + factor * D) - target, 1e-3, 1)


def of_labels(runs):
    return runs.groupby("labels").change


def about(values, reach):
    return values.mean() - reach, values.mean() + reach


def changed_at_the_end(run, ids):
    other = ids.clone()
    other[:, -1] = 0
    return run(ids), run(other)


EVERY = {*entries("hints.toml", "casebook.exercises")["any"], "other"}  # what is told whatever the exercise
MISTAKES = {
    "1.1": [lambda X, Y: share(X @ fit(X, Y) - Y, Y)],
    "1.2": [lambda raw, n, d: raw - d / (n - 1)],
    "1.3": [64],
    "1.4": [lambda X, Y, A, B: share(centred(A) @ fit(centred(A), centred(B)) - centred(B), centred(B))],
    "1.5": [
        pseudo_inverse(lambda S: 1e-300),
        pseudo_inverse(lambda S: 1e-4 * S.max()),
        pseudo_inverse(lambda S: 1e-10),
    ],
    "2.1": [50],
    "2.2": [lambda a, b: a.linearity],
    "2.3": [
        lambda X, D, t: 1 / right_factor(X, D, t),
        lambda X, D, t: right_factor(X, D, t) ** 2,
        lambda X, D, t: 1.0,
        lambda X, D, t: ((1 - t) / (1 - raw(X, X + D))) ** 0.5,
    ],
    "2.4": [
        lambda X: X.norm(dim=1) > 5 * X.norm(dim=1).median(),
        lambda X: (X - X.mean(0)).norm(dim=1) > 5 * (X - X.mean(0)).norm(dim=1).median(),
        lambda X: (X - X.median(0).values).abs().max(0).values > 100,
        lambda X: (X - X.median(0).values).norm(dim=1).topk(3).indices,
    ],
    "2.5": [lambda X, Y: centred(Y - X).square().sum() / centred(Y).square().sum()],
    "3.1": [lambda runs: runs.update_linearity.idxmax()],
    "3.2": [lambda a, b: (math.log(b[0] / a[0]), math.log(b[1] / a[1]))],
    "3.3": [lambda x: about(x, 1.95996 * x.std(ddof=1) / len(x) ** 0.5)],
    "3.4": [
        lambda runs: (
            of_labels(runs).mean()[["true", "shuffled"]].diff()["shuffled"],
            math.hypot(*of_labels(runs).sem()),
        )
    ],
    "3.5": [lambda at, losses, scores: np.interp(at, losses, scores)],
    "4.1": [lambda h, w: w * sum((1 - cosine_similarity(x, y, dim=-1)).mean() for x, y in pairwise(h[:-1]))],
    "4.2": [lambda x, y: -y / (x.norm() * y.norm())],
    "4.3": [(2, 4, 64), (1, 2, 64), (1, 4, 0.5)],
    "4.4": [lambda runs, name: -runs[runs.seed == 0].groupby("variant").loss.min()[["plain", name]].diff()[name]],
    "4.5": [lambda a, b, n: (a - b) / (a * (1 - a) / n) ** 0.5],
    "5.1": [lambda X, Y: (affine(X, Y)[0], Y.mean(0)), lambda X, Y: (affine(X, Y)[0][:, 0], affine(X, Y)[1])],
    "5.2": [lambda model, text: set_blocks(model, list(blocks(model))[1:]) or [0.1, 0.2, 0.3]],
    "5.3": [lambda whole, a, b, both: both - a - b],
    "5.4": [lambda tried: tuple(tried.loc[tried.test.idxmin(), ["penalty", "test"]])],
    "5.5": [lambda score, cost: pearsonr(score, cost)[0]],
    "6.1": [
        lambda run, ids: False,
        lambda run, ids: not torch.equal(*changed_at_the_end(run, ids)),
        lambda run, ids: not torch.equal(*(h[:, :3] for h in changed_at_the_end(run, ids))),
        lambda run, ids: torch.equal(*(h[:, :-1] for h in changed_at_the_end(run, ids))),
        lambda run, ids: int(torch.ne(*changed_at_the_end(run, ids)).any(-1).sum()) == 2 * len(ids),
    ],
    "6.2": [lambda a, b: about(a - b, (a - b).std())],
    "6.3": [
        lambda X, Y: (X, Y),
        lambda X, Y: (100 * X, 100 * Y),
        lambda X, Y: (torch.cat([X, 100 + X]), torch.cat([Y, 100 + X])),
        lambda X, Y: (torch.cat([X, X[:1]]), torch.cat([Y, Y[:1]])),
    ],
    "6.4": [lambda X, Y, mask: raw(X.flatten(0, 1), Y.flatten(0, 1))],
    "6.5": [lambda X, A: centred(A).square().sum() / centred(X + A).square().sum()],
    "7.1": [lambda X, Y: (centred(Y) - centred(X) @ fit(centred(X), centred(Y))).norm(dim=1) / Y.norm(dim=1)],
    "7.2": [lambda e: e.sort(descending=True).values[:4].sum() / e.sum()],
    "7.3": [lambda model, h, ids: cross_entropy_of(model.lm_head(h)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())],
    "7.4": [lambda e, marked: (e.quantile(0.01), e.quantile(0.99)), lambda e, marked: e[marked].mean()],
    "7.5": [lambda h: torch.stack([vecdot(b - a, h[-1]) / h[-1].square().sum(-1) for a, b in pairwise(h)])],
}
# An answer of the right kind that no known mistake gives, where a function that returns 0.123 is not one.
STRANGE = {
    "1.3": 7,
    "1.5": lambda X, Y: torch.zeros(3, 4),
    "2.1": 0.123,
    "2.2": lambda trained, twin: twin.linearity,
    "2.4": lambda X: torch.ones(len(X)),
    "3.2": lambda before, after: (0.123, 0.123),
    "3.3": lambda values: (0.123, 0.123),
    "4.2": lambda x, y: torch.tensor([1.0, 2.0, 3.0]),
    "4.3": (1, 4, 0.123),
    "5.1": lambda X, Y: (torch.eye(8), torch.ones(8)),
    "5.2": lambda model, text: [0.1, 0.2, 0.3],
    "5.4": lambda tried: (0.1, 0.2),
    "6.1": lambda run, ids: 0.123,
    "6.2": lambda other, decoder: (0.123, 0.123),
    "6.3": lambda X, Y: (X[:, :3], Y[:, :3]),
    "7.1": lambda X, Y: torch.ones(len(X)),
    "7.4": lambda errors, marked: (0.1, 0.2),
    "7.5": lambda stream: torch.ones(4, 5),
}


@pytest.mark.parametrize("exercise", MISTAKES)
def test_a_known_mistake_gets_its_own_hint(exercise):
    hints = [hint(exercise, wrong) for wrong in [*MISTAKES[exercise], STRANGE.get(exercise, lambda *_: 0.123), ...]]
    assert all(hints)
    assert not [said for said in hints if said.startswith("The code stops")]
    assert len(set(hints)) == len(hints)


def test_an_answer_that_fails_or_has_its_dots_is_told_so_wherever_they_are():
    def broken(X, Y):
        raise RuntimeError("my own words")

    assert "RuntimeError: my own words" in hint("1.1", broken)
    assert "a str" in hint("1.1", lambda X, Y: "one")
    assert "(12,)" in hint("1.1", lambda X, Y: X.mean(0))
    assert "not finite" in hint("1.1", lambda X, Y: float("nan"))
    blank = hint("1.1", ...)
    assert "dots" in blank
    for answer in (lambda X, Y: ..., lambda X, Y: None, lambda X, Y: X - ..., lambda X, Y: (...).sum()):
        assert hint("1.1", answer) == blank
    assert hint("1.1", lambda X, Y: X + "a") != blank


def test_a_check_says_whether_it_passed_and_one_that_is_not_there_is_named(capsys):
    assert check("1.3", 65)
    assert not check("1.3", 64)
    assert capsys.readouterr().out.startswith("1.3: passed\n1.3: not yet. ")
    with pytest.raises(ValueError, match=r"no exercise '1\.9'.*1\.1, 1\.2"):
        hint("1.9", 0)
    with pytest.raises(ValueError, match="no chapter with exercises '9'"):
        hint("9.1", 0)
    right = torch.tensor([1e-9, 1.0])  # answers are compared by their largest entry
    assert compared([0.0, 1.0], right) is None
    assert compared([0.0, 1.001], right, known=[0.0, 1.001]) == "known"
    assert compared([0.0, 1.002], right, known=[0.0, 1.001]) == "other"


SOLUTION = "def f(x):\n    y = 1\n    # BEGIN SOLUTION: return ...\n    z = x\n    return z\n    # END SOLUTION\nf(2)"


def test_a_stub_is_the_solution_outside_the_marks_and_none_has_drifted(capsys):
    assert editions.stub_of(SOLUTION) == "def f(x):\n    y = 1\n    return ...\nf(2)"
    assert editions.stub_of(SOLUTION + "\n" + SOLUTION).count("return ...") == 2
    assert editions.main(["stubs"]) == 0, capsys.readouterr().out
    for path in NOTEBOOKS:
        solutions = [cell.source for name, cell in cells_of(path).items() if name.startswith("solution-")]
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
