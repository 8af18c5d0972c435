"""What the paper's Table 2 can be held to without any model: how few questions, which constant answers, which sums."""

from collections.abc import Mapping

import pandas as pd

# Questions in the public validation splits, and what the commonest answer gets there, in per cent; the latter is our
# memory of them and not the paper's.
QUESTIONS = {
    **{"boolq": 3270, "cb-acc": 56, "copa": 100, "multirc": 4848, "record-em": 10_000, "rte": 277, "wic": 638},
    "xstorycloze-en": 1511,
}
SHARED = {"cb-f1": "cb-acc", "record-f1": "record-em"}  # two columns of one task
CONSTANT = {"boolq": 62.2, "multirc": 57.2}


def differences(printed: pd.DataFrame) -> pd.DataFrame:
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
