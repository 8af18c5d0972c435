"""What penalties on neighbouring states do: variants against plain, each at its best rate, and the paper's Table 2."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product

import pandas as pd

from ..rows.pretraining import PLANNED, PRIMARY, SECONDARY, SMALLER, VARIANTS, Variant, judges
from ..sweeps import judged
from ..verdicts import changes, contrasts

ALIKE = ["corpus", "step", "seed"]  # a run and its plain partner
COMPARISON = ("score", "corpus", "training_tokens", "kind", "variant")  # tells comparisons with plain apart
CELLS = 6  # of the plan: two texts, three lengths; intervals are made for all of them
FAMILIES = {"penalty": PRIMARY[1:], "control": SMALLER, "secondary": SECONDARY}
SHARE = 0.005  # of plain's loss: a difference that is as good as none
MARGINS = {score: 0.02 for score in ("linearity", "update_linearity")}
CHOOSING = (0,)  # the seed of regularisation.csv on which rates were compared
SCORES = ("validation_nats", "linearity", "update_linearity", "norm_ratio")
# Questions in the public validation splits, and what the commonest answer gets there, in per cent; the latter is our
# memory of them and not the paper's.
QUESTIONS = {
    **{"boolq": 3270, "cb-acc": 56, "copa": 100, "multirc": 4848, "record-em": 10_000, "rte": 277, "wic": 638},
    "xstorycloze-en": 1511,
}
SHARED = {"cb-f1": "cb-acc", "record-f1": "record-em"}  # two columns of one task
CONSTANT = {"boolq": 62.2, "multirc": 57.2}


def compared(rows: pd.DataFrame, scores: Sequence[str] = ("validation_nats", "update_linearity")) -> pd.DataFrame:
    """Compare the variants of pretraining.csv with plain, as book/preregistration.md says.

    A row a score, text, length (``training_tokens``) and variant: the ``effect`` (its mean less plain's), the interval
    from ``low`` to ``high``, which holds for all comparisons of its ``kind`` (``FAMILIES``) in all cells together, the
    ``margin`` within which it counts as none, the ``verdict``, and the mean of ``plain``. A kind is compared
    in a cell when all its runs are there, and those of plain.
    """
    runs = named(judged(rows), PLANNED)
    found = []
    for (corpus, tokens), cell in runs.groupby(["corpus", "training_tokens"], sort=False):
        of = {name: part for name, part in cell.groupby("variant", sort=False)}
        if len(of.get("plain", ())) < len(judges(Variant())):
            continue
        for score, (kind, family) in product(scores, FAMILIES.items()):
            if any(len(of.get(one.title, ())) < len(judges(one)) for one in family):
                continue
            groups = {one.title: of[one.title][score].tolist() for one in family}
            plain = of["plain"][score].mean()
            options = {"margin": MARGINS.get(score, SHARE * plain), "level": 1 - 0.05 / CELLS}
            for variant, one in contrasts(groups, of["plain"][score].tolist(), **options).items():
                key = dict(zip(COMPARISON, (score, corpus, int(tokens), kind, variant), strict=True))
                found.append(key | asdict(one) | {"verdict": one.verdict, "plain": plain})
    return pd.DataFrame(found, columns=[*COMPARISON, "effect", "low", "high", "margin", "verdict", "plain"])


def named(rows: pd.DataFrame, variants: Sequence[Variant] = VARIANTS) -> pd.DataFrame:
    """Name each row's ``variant``, in the order of ``variants``, and drop all other rows."""
    titles = pd.DataFrame([one.key | {"variant": one.title} for one in variants])
    found = rows.merge(titles, on=[name for name in variants[0].key if name in rows])
    order = [one.title for one in variants]
    return found.sort_values("variant", key=lambda names: names.map(order.index), kind="stable")


def against_plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Judge every variant on the seeds that chose nothing, and subtract the plain run of its text, length and seed.

    Columns ``d_`` and a score are differences; they are 0 for plain, and missing where there is no plain run.
    """
    judges = named(judged(rows, CHOOSING))
    plain = judges[judges.variant == "plain"][[*ALIKE, *SCORES]]
    paired = judges.merge(plain, how="left", on=ALIKE, suffixes=("", "_plain"))
    return paired.assign(**{f"d_{score}": paired[score] - paired[f"{score}_plain"] for score in SCORES})


def beyond_the_seeds(
    paired: pd.DataFrame, scores: Sequence[str] = SCORES, by: Sequence[str] = ("corpus", "variant")
) -> pd.DataFrame:
    """Say whether a variant differs from plain by more than its seeds: a row a group and score.

    ``mean`` and the 95 % interval from ``low`` to ``high`` (Student's t over seeds) are of the difference;
    ``direction`` is "falls" or "rises" where the interval leaves 0 out, else "undecided".
    """
    rows = []
    for key, part in paired[paired.variant != "plain"].groupby(list(by), sort=False):
        for score in scores:
            found = changes(part[f"d_{score}"])
            row = dict(zip(by, key, strict=True)) | {"score": score, "mean": found.mean}
            rows.append(row | dict(zip(("low", "high"), found.interval, strict=True)) | {"direction": found.direction})
    return pd.DataFrame(rows)


def gain_by_rate(runs: pd.DataFrame) -> pd.DataFrame:
    """Say how much lower than plain's a variant's loss is, by the rate at which the two are compared.

    ``runs`` are named runs of the seed that chooses. A row a text and variant: the ``least`` and ``most`` nats gained
    at a rate that both were trained with, these rates, and the gain of each ``at_its_best`` rate.
    """
    rows = []
    for corpus, part in runs[runs.seed.isin(CHOOSING)].groupby("corpus", sort=False):
        losses = part.pivot_table(index="rate", columns="variant", values="validation_nats", sort=False)
        for variant in losses.columns.drop("plain"):
            gain = (losses.plain - losses[variant]).dropna()
            row = {"corpus": corpus, "variant": variant, "least": gain.min(), "at": gain.idxmin()}
            row |= {"most": gain.max(), "at_rate": gain.idxmax()}
            rows.append(row | {"at_its_best": losses.plain.min() - losses[variant].min()})
    return pd.DataFrame(rows)


def summary(judges: pd.DataFrame) -> pd.DataFrame:
    """Return a row a text and variant: its rate, means over the seeds, and the range of the losses."""
    columns = ("rate", "validation_nats", "bits_per_byte", "linearity", "update_linearity", "norm_ratio", "cosine")
    groups = judges.sort_values("corpus", kind="stable").groupby(["corpus", "variant"], sort=False)
    means = groups[list(columns)].mean()
    means.insert(2, "from", groups.validation_nats.min())
    means.insert(3, "to", groups.validation_nats.max())
    return means.reset_index()


def with_more_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`against_plain` does, of the variants that were trained on less and on more of a text."""
    paired = against_plain(rows).dropna(subset="validation_nats_plain")
    lengths = paired.groupby(["corpus", "variant"]).step.transform("nunique")
    return paired[lengths > 1].sort_values(["corpus", "step"], kind="stable")


def of_the_judges(rows: pd.DataFrame, judges: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the layers of those runs that judge."""
    key = [*(name for name in VARIANTS[0].key if name in rows), *ALIKE, "rate"]
    return named(rows).merge(judges[key], on=key)


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
