"""The exercises: every stub fails with a hint, every solution passes as promised, and mistakes are known."""

import ast
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
from scipy.stats import kendalltau, pearsonr, spearmanr, t
from torch.nn.functional import cosine_similarity

from casebook.exercises import check, hint
from casebook.exercises.answers import compared
from casebook.exercises.asking import CHAPTERS, checks_of, hints_of
from linstudy import cross_entropy, profile_of_states
from linstudy.models import final_norm, without

editions = script("tools/editions.py")

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


def same_but_for_rounding(said, wanted):
    """Say whether texts are the same but for last digits of numbers: another processor rounds its own way."""
    number = re.compile(r"[+-]?\d+\.\d+")
    steps = [1.1 * 10.0 ** -len(one.partition(".")[2]) for one in number.findall(wanted)]
    pairs = zip(number.findall(said), number.findall(wanted), steps, strict=False)
    near = all(abs(float(one) - float(other)) <= step for one, other, step in pairs)
    return number.sub("number", said) == number.sub("number", wanted) and near


def test_outputs_are_compared_to_their_last_digit():
    assert same_but_for_rounding("1.1: a +0.12, 3 b", "1.1: a +0.13, 3 b")
    assert not same_but_for_rounding("1.1: a +0.12, 3 b", "1.1: a +0.14, 3 b")
    assert not same_but_for_rounding("1.1: a +0.12, 3 b", "1.1: a +0.12, 4 b")
    assert not same_but_for_rounding("a 1.0", "a 1.0 and 2.0")


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


@pytest.mark.slow
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
            assert same_but_for_rounding(solved, promised(cells[f"expected-{exercise}"]))


# Wrong answers that people give. Each must get a hint of its own, not the one for an answer that nobody knows.


def fit(X, Y):
    return torch.linalg.lstsq(X, Y).solution


def centred(X):
    return X - X.mean(0)


def share(error, whole):
    return 1 - error.square().sum() / whole.square().sum()


def ratio(part, whole):
    return part.square().sum() / whole.square().sum()


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


def about(values, reach):
    return values.mean() - reach, values.mean() + reach


def errors_of(runs, *, ddof=1):
    groups = runs.groupby("labels").change
    return groups.std(ddof=ddof) / groups.count() ** 0.5


def gap(runs):
    means = runs.groupby("labels").change.mean()
    return means["true"] - means["shuffled"], math.hypot(*errors_of(runs))


def gain_of(runs, name, *, chooses, judges):
    losses = {}
    for variant, of in runs.groupby("variant"):
        rate = of[of.seed.isin(chooses)].groupby("rate").loss.mean().idxmin()
        losses[variant] = of[(of.rate == rate) & of.seed.isin(judges)].loss.mean()
    return losses["plain"] - losses[name]


def costs_of(model, text, of=float):
    left = []
    for index in range(3):
        with without(model, [index]):
            left.append(of(cross_entropy(model, text)))
    return [one - of(cross_entropy(model, text)) for one in left]


def lengths(X, Y):
    return (centred(Y) - centred(X) @ fit(centred(X), centred(Y))).norm(dim=1)


def next_loss(logits, ids):
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())


def shuffled_means(errors, marked):
    return torch.stack([errors[marked[torch.randperm(len(marked))]].mean() for _ in range(2000)])


def resampled_means(some):
    return torch.stack([some[torch.randint(len(some), some.shape)].mean() for _ in range(2000)])


def added(stream):
    return [stream[0], *(after - before for before, after in pairwise(stream))]


def projections(stream, parts):
    return torch.stack([(part * stream[-1]).sum(-1) / stream[-1].square().sum(-1) for part in parts])


def changed_at_the_end(run, ids):
    other = ids.clone()
    other[:, -1] = 0
    return run(ids), run(other)


def normed(X):
    return torch.nn.functional.layer_norm(X, X.shape[-1:])


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
    "2.1": [50, 0.01, 0.005, 0.02**0.5],
    "2.2": [
        lambda a, b: 1 - (1 - b.update_linearity) * a.update_ratio,
        lambda a, b: 1 - a.update_linearity * b.update_ratio,
        lambda a, b: (1 - a.update_linearity) * b.update_ratio,
        lambda a, b: a.linearity,
    ],
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
    "2.5": [
        lambda X, Y: centred(Y - X).square().sum() / centred(Y).square().sum(),
        lambda X, Y: (Y.double() - X.double()).square().sum() / Y.double().square().sum(),
        lambda X, Y: (centred(Y.double() - X.double()).square().sum() / centred(Y.double()).square().sum()).sqrt(),
        lambda X, Y: centred(Y - X).double().square().sum() / centred(Y).double().square().sum(),
    ],
    "3.1": [
        lambda runs: runs.step[runs.update_linearity.idxmax()],
        lambda runs: runs.update_linearity.idxmax(),
        lambda runs: runs.step.max(),
        lambda runs: runs.groupby("step").update_linearity.mean().argmax(),
        lambda runs: runs.groupby("step").update_linearity.mean().max(),
    ],
    "3.2": [
        lambda a, b: (math.log(b[0] / a[0]), math.log(b[1] / a[1])),
        lambda a, b: (math.log10((1 - b[0]) / (1 - a[0])), math.log10(b[1] / a[1])),
        lambda b, a: (math.log((1 - b[0]) / (1 - a[0])), math.log(b[1] / a[1])),
        lambda a, b: (math.log(b[1] / a[1]), math.log((1 - b[0]) / (1 - a[0]))),
    ],
    "3.3": [
        lambda x: about(x, 1.95996 * x.std(ddof=1) / len(x) ** 0.5),
        lambda x: about(x, t.ppf(0.975, len(x) - 1) * x.std() / len(x) ** 0.5),
        lambda x: about(x, t.ppf(0.975, len(x) - 1) * x.std(ddof=1)),
        lambda x: about(x, t.ppf(0.95, len(x) - 1) * x.std(ddof=1) / len(x) ** 0.5),
        lambda x: (x.min(), x.max()),
    ],
    "3.4": [
        lambda runs: (-gap(runs)[0], gap(runs)[1]),
        lambda runs: (gap(runs)[0], sum(errors_of(runs))),
        lambda runs: (gap(runs)[0], math.hypot(*runs.groupby("labels").change.std())),
        lambda runs: (gap(runs)[0], math.hypot(*errors_of(runs, ddof=0))),
        lambda runs: (gap(runs)[0], runs.change.sem()),
    ],
    "3.5": [
        lambda at, losses, scores: np.interp(at, losses, scores),
        lambda at, losses, scores: np.interp(at, losses[::-1], scores),
        lambda at, losses, scores: scores[np.abs(losses - at).argmin()],
    ],
    "4.1": [
        lambda h, w: w * sum((1 - cosine_similarity(x, y, dim=-1)).mean() for x, y in pairwise(h)),
        lambda h, w: sum((1 - cosine_similarity(x, y, dim=-1)).mean() for x, y in pairwise(h[:-1])),
        lambda h, w: w * sum(cosine_similarity(x, y, dim=-1).mean() for x, y in pairwise(h[:-1])),
        lambda h, w: w * sum((1 - cosine_similarity(x, y, dim=-1)).sum() for x, y in pairwise(h[:-1])),
        lambda h, w: w * sum((1 - cosine_similarity(x, y, dim=-1)).mean() for x, y in pairwise(h[1:-1])),
    ],
    "4.2": [
        lambda x, y: y / (x.norm() * y.norm()) - (x @ y) * x / (x.norm() ** 3 * y.norm()),
        lambda x, y: -y / (x.norm() * y.norm()),
        lambda x, y: -y / y.norm() + (x @ y) * x / (x.norm() ** 2 * y.norm()),
    ],
    "4.3": [(2, 4, 64), (1, 2, 64), (1, 4, 0.5 / 128), (1, 4, 0.5), (1, 4, 128)],
    "4.4": [
        lambda runs, name: gain_of(runs, name, chooses={0}, judges={0, 1, 2}),
        lambda runs, name: gain_of(runs, name, chooses={0}, judges={0}),
        lambda runs, name: gain_of(runs, name, chooses={1, 2}, judges={1, 2}),
        lambda runs, name: -gain_of(runs, name, chooses={0}, judges={1, 2}),
    ],
    "4.5": [
        lambda a, b, n: (a - b) / (a * (1 - a) / n) ** 0.5,
        lambda a, b, n: (a - b) / (a * (1 - a) + b * (1 - b)) ** 0.5,
        lambda a, b, n: (a - b) / ((a * (1 - a) + b * (1 - b)) / n),
        lambda a, b, n: (a - b) / ((a * (1 - a) / n) ** 0.5 + (b * (1 - b) / n) ** 0.5),
    ],
    "5.1": [
        lambda X, Y: (affine(X, Y)[0], torch.zeros(X.shape[1])),
        lambda X, Y: (affine(X, Y)[0], Y.mean(0)),
        lambda X, Y: affine(X, Y - X),
        lambda X, Y: (fit(X, Y), torch.zeros(X.shape[1])),
        lambda X, Y: (affine(X, Y)[0][:, 0], affine(X, Y)[1]),
    ],
    "5.2": [
        lambda model, text: [value + cross_entropy(model, text) for value in costs_of(model, text)],
        lambda model, text: [-value for value in costs_of(model, text)],
        lambda model, text: costs_of(model, text, of=math.exp),
    ],
    "5.3": [
        lambda whole, a, b, both: both - a - b,
        lambda whole, a, b, both: both - whole,
        lambda whole, a, b, both: a + b - both - whole,
    ],
    "5.4": [
        lambda tried: tuple(tried.loc[tried.test.idxmin(), ["penalty", "test"]]),
        lambda tried: tuple(tried.loc[tried.fitted.idxmin(), ["penalty", "test"]]),
        lambda tried: tuple(tried.loc[tried.validation.idxmin(), ["penalty", "validation"]]),
        lambda tried: tuple(tried.loc[tried.validation.idxmin(), ["test", "penalty"]]),
    ],
    "5.5": [
        lambda score, cost: pearsonr(score, cost)[0],
        lambda score, cost: spearmanr(score, cost)[0],
        lambda score, cost: -kendalltau(score, cost)[0],
        lambda score, cost: (1 + kendalltau(score, cost)[0]) / 2,
    ],
    "6.1": [
        lambda run, ids: False,
        lambda run, ids: not torch.equal(*changed_at_the_end(run, ids)),
        lambda run, ids: not torch.equal(*(h[:, :3] for h in changed_at_the_end(run, ids))),
    ],
    "6.2": [
        lambda a, b: about(a - b, 1.95996 * (a - b).std() / 3**0.5),
        lambda a, b: about(a - b, (a - b).std()),
        lambda a, b: ((a - b).min(), (a - b).max()),
        lambda a, b: about(b - a, t.ppf(0.975, 2) * (a - b).std() / 3**0.5),
        lambda a, b: about(a - b, t.ppf(0.975, 4) * ((a.var() + b.var()) / 3) ** 0.5),
        lambda a, b: about(a - b, t.ppf(0.975, 2) * (a - b).std()),
    ],
    "6.3": [
        lambda X, Y: (X, Y),
        lambda X, Y: (100 * X, 100 * Y),
        lambda X, Y: (torch.cat([X, 100 + X]), torch.cat([Y, 100 + X])),
        lambda X, Y: (torch.cat([X, X[:1]]), torch.cat([Y, Y[:1]])),
    ],
    "6.4": [
        lambda X, Y, mask: raw(X.flatten(0, 1), Y.flatten(0, 1)),
        lambda X, Y, mask: raw((X * mask[..., None]).flatten(0, 1), (Y * mask[..., None]).flatten(0, 1)),
        lambda X, Y, mask: raw(*(part[:, : mask.sum(1).min()].flatten(0, 1) for part in (X, Y))),
        lambda X, Y, mask: raw(*(part[:, : mask.sum(1).max()].flatten(0, 1) for part in (X, Y))),
    ],
    "6.5": [
        lambda X, A: ratio(centred(A), centred(normed(X + A))),
        lambda X, A: ratio(centred(A), centred(X + A)),
        lambda X, A: ratio(centred(normed(A)), centred(X + normed(A))),
        lambda X, A: ratio(centred(normed(X + A) - X), centred(X)),
        lambda X, A: ratio(centred(normed(X + A) - X), centred(normed(X + A))) ** 0.5,
        lambda X, A: ratio(normed(X + A) - X, normed(X + A)),
    ],
    "7.1": [
        lambda X, Y: lengths(X, Y) / Y.norm(dim=1),
        lambda X, Y: lengths(X, Y) / Y.square().sum(1).mean().sqrt(),
        lambda X, Y: lengths(X, Y),
        lambda X, Y: lengths(X, Y).square() / centred(Y).square().sum(1).mean(),
        lambda X, Y: lengths(X, Y) / centred(Y).std(correction=0),
    ],
    "7.2": [
        lambda e: e.sort(descending=True).values[:4].sum() / e.sum(),
        lambda e: e.square().sort().values[:4].sum() / e.square().sum(),
        lambda e: e[:4].square().sum() / e.square().sum(),
        lambda e: e.square().max() / e.square().sum(),
    ],
    "7.3": [
        lambda model, h, ids: next_loss(model.lm_head(h)[:, :-1], ids[:, 1:]),
        lambda model, h, ids: next_loss(model.lm_head(final_norm(model)(h)), ids),
        lambda model, h, ids: next_loss(model.lm_head(final_norm(model)(h))[:, 1:], ids[:, :-1]),
    ],
    "7.4": [
        lambda e, marked: (e.quantile(0.01), e.quantile(0.99)),
        lambda e, marked: shuffled_means(e, marked).quantile(torch.tensor([0.025, 0.975]).double()),
        lambda e, marked: resampled_means(e[marked]).quantile(torch.tensor([0.01, 0.99]).double()),
        lambda e, marked: e[marked].mean(),
    ],
    "7.5": [
        lambda h: projections(h, added(h))[1:],
        lambda h: torch.stack([d.norm(dim=-1) / h[-1].norm(dim=-1) for d in added(h)]),
        lambda h: torch.stack([cosine_similarity(d, h[-1], dim=-1) for d in added(h)]),
        lambda h: projections(h, h),
        lambda h: projections(h, added(h)).T,
    ],
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


def test_every_exercise_has_mistakes():
    assert set(MISTAKES) == {name for chapter in CHAPTERS for name in checks_of(chapter)}
    assert set(STRANGE) < set(MISTAKES)


@pytest.mark.parametrize("exercise", MISTAKES)
def test_every_mistake_that_a_check_knows_has_a_hint_and_every_hint_is_given(exercise):
    code = ast.parse(inspect.getsource(checks_of(exercise)[exercise]))
    calls = [one for one in ast.walk(code) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "compared"]
    names = [{key.arg for key in call.keywords if key.arg} for call in calls]
    asked = set().union(*(some - {"within", "other"} | ({"other"} - some) for some in names))
    words = {one.value for one in ast.walk(code) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    own = set(hints_of(exercise)) - set(hints_of("any"))
    assert asked <= own
    assert own - asked <= words


@pytest.mark.parametrize("exercise", MISTAKES)
def test_a_known_mistake_gets_its_own_hint(exercise):
    hints = [hint(exercise, wrong) for wrong in [*MISTAKES[exercise], STRANGE.get(exercise, lambda *_: 0.123), ...]]
    assert all(hints)
    assert not [said for said in hints if said.startswith("The code stops")]
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
    assert compared([0.0, 1.0], right) is None
    assert compared([0.0, 1.001], right, known=[0.0, 1.001]) == "known"
    assert compared([0.0, 1.002], right, known=[0.0, 1.001]) == "other"


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
