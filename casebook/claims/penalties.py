"""What penalties on neighbouring states do: variants against plain, each at its best rate, and the paper's Table 2."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import pandas as pd

from ..rows.pretraining import FRESH, JUDGES, OTHERS, PLANNED, PRIMARY, SECONDARY, SMALLER, VARIANTS, Variant
from ..sweeps import CHOOSING, judged
from ..verdicts import contrasts
from .real import ALL, HELD_OUT

COMPARISON = ("score", "corpus", "training_tokens", "kind", "variant")  # tells comparisons with plain apart
SHARE = 0.005  # of plain's loss: a difference that is as good as none
MARGINS = dict.fromkeys(("linearity", "update_linearity", *HELD_OUT), 0.02)
SCORES = ("validation_nats", "linearity", "update_linearity", "norm_ratio")


@dataclass(frozen=True)
class Design:
    """How runs that are compared with plain were made."""

    variants: Sequence[Variant]
    choosing: Sequence[int]  # the seeds on which rates were compared
    plain: int  # runs of plain that judge, in a text and length
    others: int  # of each other variant
    families: Mapping[str, Sequence[Variant]]  # whose intervals hold together, by their kind
    cells: int = 1  # texts and lengths in which they hold together, too


FAMILIES = {"penalty": PRIMARY[1:], "control": SMALLER, "secondary": SECONDARY}
PLAN = Design(PLANNED, CHOOSING, JUDGES["plain"], OTHERS, FAMILIES, cells=6)
# The design of regularisation.csv.
EARLIER = Design(VARIANTS, (0,), len(FRESH), len(FRESH), {"penalty": PRIMARY[1:], "control": SMALLER[:1]})
DESIGNS = {"pretraining": PLAN, "regularisation": EARLIER}  # by the table, the better one first
# Questions in the public validation splits, and what the commonest answer gets there, in per cent; the latter is our
# memory of them and not the paper's.
QUESTIONS = {
    **{"boolq": 3270, "cb-acc": 56, "copa": 100, "multirc": 4848, "record-em": 10_000, "rte": 277, "wic": 638},
    "xstorycloze-en": 1511,
}
SHARED = {"cb-f1": "cb-acc", "record-f1": "record-em"}  # two columns of one task
CONSTANT = {"boolq": 62.2, "multirc": 57.2}


def compared(
    rows: pd.DataFrame, scores: Sequence[str] = ("validation_nats", "update_linearity"), *, design: Design = PLAN
) -> pd.DataFrame:
    """Compare the variants of pretraining.csv with plain, as book/preregistration.md says; or those of another design.

    A row a score, text, length (``training_tokens``) and variant: the ``effect`` (its mean less plain's), the interval
    from ``low`` to ``high``, which holds for all comparisons of its ``kind`` in all cells of the design together, the
    ``margin`` within which it counts as none, the ``verdict``, and the mean of ``plain``. A kind is compared
    in a cell when all its runs are there, and those of plain.
    """
    found = []
    for (corpus, tokens), cell in that_judge(rows, design).groupby(["corpus", "training_tokens"], sort=False):
        of = {name: part for name, part in cell.groupby("variant", sort=False)}
        if len(of.get("plain", ())) < design.plain:
            continue
        for score, (kind, family) in product(scores, design.families.items()):
            if any(len(of.get(one.title, ())) < design.others for one in family):
                continue
            groups = {one.title: of[one.title][score].tolist() for one in family}
            plain = of["plain"][score].mean()
            options = {"margin": MARGINS.get(score, SHARE * plain), "level": 1 - 0.05 / design.cells}
            for variant, one in contrasts(groups, of["plain"][score].tolist(), **options).items():
                key = dict(zip(COMPARISON, (score, corpus, int(tokens), kind, variant), strict=True))
                found.append(key | asdict(one) | {"verdict": one.verdict, "plain": plain})
    return pd.DataFrame(found, columns=[*COMPARISON, "effect", "low", "high", "margin", "verdict", "plain"])


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what penalties do to finished models that read on (continued.csv) with plain: a row a score and variant.

    ``effect`` is the mean less plain's, from ``low`` to ``high`` (all variants of a model and score together), beside
    the ``margin`` of the ``verdict``, the mean of ``plain``, and the score ``before``. Scores are means over layers;
    the loss does not depend on the ``selection`` of tokens and stands once.
    """
    rows, found = named(table, PLANNED), []
    key = ["model", "selection", "step", "variant", "seed"]
    runs = rows.groupby(key, sort=False, as_index=False)[["validation_nats", *HELD_OUT]].mean()
    for (model, selection), part in runs.groupby(["model", "selection"], sort=False):
        last, before = part[part.step == part.step.max()], part[part.step == 0].iloc[0]
        of = dict(list(last.groupby("variant", sort=False)))
        for score in HELD_OUT if selection != ALL else ("validation_nats", *HELD_OUT):
            groups = {name: one[score].tolist() for name, one in of.items()}
            plain = groups.pop("plain")
            mean = of["plain"][score].mean()
            for variant, one in contrasts(groups, plain, margin=MARGINS.get(score, SHARE * mean)).items():
                row = {"model": model, "selection": selection, "score": score, "variant": variant, **asdict(one)}
                row |= {"verdict": one.verdict, "plain": mean, "before": before[score]}
                found.append(row)
    return pd.DataFrame(found)


def by_both_designs(tables: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Do what :func:`compared` does with both tables; the earlier design speaks where the plan has not come to.

    The column ``table`` says whose rows they are.
    """
    found, seen = [], set()
    for name, design in DESIGNS.items():
        rows = compared(tables(name).query("preset == 'nano'"), design=design).assign(table=name)
        cells = [*zip(rows.corpus, rows.training_tokens, strict=True)]
        found.append(rows[[cell not in seen for cell in cells]])
        seen |= set(cells)
    return pd.concat(found, ignore_index=True)


def that_judge(rows: pd.DataFrame, design: Design = PLAN) -> pd.DataFrame:
    """Return the named runs that judge, of any variant: a row a run, its scores averaged over the layers."""
    return named(judged(rows, design.choosing), design.variants)


def less_plain(rows: pd.DataFrame, design: Design = PLAN) -> pd.DataFrame:
    """Return the runs that judge, with columns ``d_`` and a score: less the mean of plain in their text and length."""
    runs, of_cell = that_judge(rows, design), ["corpus", "training_tokens"]
    plain = runs[runs.variant == "plain"].groupby(of_cell)[list(SCORES)].mean().add_prefix("d_")
    runs = runs.join(plain, on=of_cell)
    return runs.assign(**{name: runs[name.removeprefix("d_")] - runs[name] for name in plain})


def named(rows: pd.DataFrame, variants: Sequence[Variant] = VARIANTS) -> pd.DataFrame:
    """Name each row's ``variant``, in the order of ``variants``, and drop all other rows."""
    titles = pd.DataFrame([one.key | {"variant": one.title} for one in variants])
    found = rows.merge(titles, on=[name for name in variants[0].key if name in rows])
    order = [one.title for one in variants]
    return found.sort_values("variant", key=lambda names: names.map(order.index), kind="stable")


def gain_by_rate(runs: pd.DataFrame) -> pd.DataFrame:
    """Say how much lower than plain's a variant's loss is, by the rate at which the two are compared.

    ``runs`` are named runs of the seeds that choose. A row a text and variant: the ``least`` and ``most`` nats gained
    at a rate that both were trained with, these rates, and the gain of each ``at_its_best`` rate.
    """
    rows = []
    for corpus, part in runs.groupby("corpus", sort=False):
        losses = part.pivot_table(index="rate", columns="variant", values="validation_nats", sort=False)
        for variant in losses.columns.drop("plain"):
            gain = (losses.plain - losses[variant]).dropna()
            row = {"corpus": corpus, "variant": variant, "least": gain.min(), "at": gain.idxmin()}
            row |= {"most": gain.max(), "at_rate": gain.idxmax()}
            rows.append(row | {"at_its_best": losses.plain.min() - losses[variant].min()})
    return pd.DataFrame(rows)


def of_the_judges(rows: pd.DataFrame, design: Design = PLAN) -> pd.DataFrame:
    """Return the rows of the layers of those runs that judge."""
    key = [name for name in (*Variant().key, "corpus", "step", "seed", "rate") if name in rows]
    return named(rows, design.variants).merge(that_judge(rows, design)[key], on=key)


def inner_and_last(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return mean scores of each variant's last layer, and of those before it: a row a ``place`` and variant."""
    place = (profiles.layer == profiles.layer.max()).map({True: "last", False: "inner"}).rename("place")
    scores = [score for score in (*SCORES, "cosine") if score in profiles]
    return profiles.groupby([place, "variant"], sort=False)[scores].mean().reset_index()


def solved(choices: pd.DataFrame) -> pd.DataFrame:
    """Compare zero-shot accuracies with what knows nothing: a row a task, a column a variant and a predictor.

    The last columns, ``NAME solves``, say whether a variant is more than two standard errors above all of these.
    """
    likelier = choices[choices.predictor == "likelihood"]
    controls = choices[choices.predictor.isin(["constant", "shared words"])]
    once = likelier.pivot_table(index="task", columns="variant", values="value", sort=False)
    error = likelier.groupby("task").standard_error.max().rename("standard error")
    known = controls.pivot_table(index="task", columns="predictor", values="value", sort=False)
    mark = (known.max(axis=1) + 2 * error).reindex(once.index)
    return pd.concat([once, error, known, once.gt(mark, axis=0).add_suffix(" solves")], axis=1)


def best_probes(probes: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of each task's probes at their best layer: a row a task, a column a variant or a control."""
    means = probes.groupby(["task", "predictor", "variant", "layer"], sort=False).value.mean()
    best = means.groupby(["task", "predictor", "variant"], sort=False).max()
    ours = best.xs("probe", level="predictor").unstack()
    others = best.drop("probe", level="predictor").groupby(["task", "predictor"], sort=False).max().unstack()
    return pd.concat([ours, others], axis=1)


def table_2(printed: pd.DataFrame) -> pd.DataFrame:
    """Compare the penalised models of the paper's Table 2 with their baselines: a row a model and task.

    ``z`` is the difference in standard errors of two accuracies on so many questions; ``above_constant`` by how much
    the penalised one is above the constant answer, in points, where that is known.
    """
    rows = []
    theirs = printed.set_index("model")
    for model in theirs.index[theirs.index.str.contains("+", regex=False)]:
        for task, count in QUESTIONS.items():
            p, q = theirs.loc[model, task] / 100, theirs.loc[model.split(" + ")[0], task] / 100
            error = ((p * (1 - p) + q * (1 - q)) / count) ** 0.5
            above = theirs.loc[model, task] - CONSTANT.get(task, float("nan"))
            rows.append({"model": model, "task": task, "z": (p - q) / error, "above_constant": above})
    return pd.DataFrame(rows)


def gains(printed: pd.DataFrame, without: Mapping[str, float] = CONSTANT) -> pd.DataFrame:
    """Return the mean gain of each penalised model over its baseline, as printed and ``without`` some tasks.

    ``error`` is the standard error of the latter, in points, that the numbers of questions alone give it: binomial for
    every column, F1 taken for an accuracy, added up within questions that two columns share (``SHARED``). That both
    models answer the same questions is not counted, for it is not printed which they got right.
    """
    theirs = printed.set_index("model").drop(columns="mean")
    penalised = theirs[theirs.index.str.contains("+", regex=False)]
    base = theirs.loc[penalised.index.str.split(" + ", regex=False).str[0]].set_axis(penalised.index)
    gain, kept = penalised - base, penalised.columns.drop([*without])
    asked = kept.to_series().map(lambda name: SHARED.get(name, name))
    variance = penalised[kept] * (100 - penalised[kept]) + base[kept] * (100 - base[kept])
    errors = (variance / asked.map(QUESTIONS)) ** 0.5
    error = (errors.T.groupby(asked).sum() ** 2).sum() ** 0.5 / len(kept)
    return pd.DataFrame({"gain": gain.mean(axis=1), "without_the_two": gain[kept].mean(axis=1), "error": error})


def no_whole_questions(printed: pd.DataFrame) -> pd.DataFrame:
    """Return the printed accuracies that no number of questions gives, with the number that would."""
    long = printed.melt("model", list(QUESTIONS), var_name="task", value_name="printed")
    long = long.assign(of=long.task.map(QUESTIONS))
    long = long.assign(right=long.printed * long.of / 100)
    return long[(long.right.round() * 100 / long.of - long.printed).abs() > 0.0051]  # two digits are printed
