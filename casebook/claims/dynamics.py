"""What pretraining and fine-tuning do to the scores: where they turn, and what is owed to a task; two claims judged."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations, product

import numpy as np
import pandas as pd

from ..rows.finetuning import ALL, ARMS, JUDGES, LABELS, LOW_RANK, TASKS
from ..sweeps import CHOOSING
from ..verdicts import LEVEL, changes, contrasts

SCORES = ("linearity", "update_linearity")
SHORT = {"linearity": "LS", "update_linearity": "LS_res"}
TUNED = "stories-1m"  # the model whose fine-tunings are judged
SETS = {"nano": "tinystories-train-sample", "pocket": "pydocs"}  # what is followed from step 0 on, and its text
RUN = ["variant", "seed"]
RISE = 0.02  # of a score: less than this is none, and neither is a difference between variants
ALIKE = 0.01  # of LS_res after fine-tuning
TOGETHER = 1 - (1 - LEVEL) / 9  # three tasks on three texts


def runs_of_ours(dynamics: pd.DataFrame, preset: str = "") -> pd.DataFrame:
    """Return our runs in dynamics.csv by ``variant``; with a ``preset`` the plan's on its text (``SETS``)."""
    rows = dynamics[dynamics.revision == ""].astype({"step": int, "layer": int})
    if preset:
        rows = rows[(rows.preset == preset) & (rows.corpus == SETS[preset])]
    penalty = rows.penalty.str.replace("mse", "MSE") + " " + rows.weight.astype(str)
    return rows.assign(variant=penalty.where(~rows.penalty.isin(["none", ""]), "plain"))


def layer_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over layers, a row a run and step."""
    columns = [*SCORES, "norm_ratio", "validation_nats"]
    return rows.groupby([*RUN, "step"], sort=False, as_index=False)[columns].mean()


def broken_line(path: pd.Series, *, pieces: int = 3) -> pd.Series:
    """Fit a path, values by their step, by a line of straight pieces over log2(1 + step), by least squares.

    Its corners are the first point, the last, and points between them; they are returned with their heights.
    """
    x, y = np.log2(1 + path.index.to_numpy(dtype=float)), path.to_numpy(dtype=float)
    found = []
    for between in combinations(range(1, len(x) - 1), pieces - 1):
        corners = [0, *between, len(x) - 1]
        # Each corner's share in every point: a line between corners is the mean of the two around it.
        shares = np.column_stack([np.interp(x, x[corners], one) for one in np.eye(pieces + 1)])
        heights = np.linalg.lstsq(shares, y, rcond=None)[0]
        found.append((((shares @ heights - y) ** 2).sum(), corners, heights))
    _, corners, heights = min(found, key=lambda one: one[0])
    return pd.Series(heights, index=path.index[corners])


def turns(rows: pd.DataFrame, by: Sequence[str] = ("variant",)) -> pd.DataFrame:
    """Say how each run's scores go, averaged over the rows of a step: a row a run and score.

    ``change`` from the first step to the last, as measured; and of the :func:`broken_line` through the path the step of
    its ``top``, the ``rise`` before that, and the ``fall`` (below 0) after it.
    """
    found = []
    for key, part in rows.groupby([*by, "seed"], sort=False):
        path = part.groupby("step")[list(SCORES)].mean()
        for score in SCORES:
            line = broken_line(path[score])
            row = {"score": SHORT[score], "change": path[score].iloc[-1] - path[score].iloc[0], "top": line.idxmax()}
            row |= {"rise": line.max() - line.iloc[0], "fall": line.iloc[-1] - line.max()}
            found.append(dict(zip([*by, "seed"], key, strict=True)) | row)
    return pd.DataFrame(found)


def over_seeds(turned: pd.DataFrame, by: Sequence[str], *, level: float = LEVEL) -> pd.DataFrame:
    """Return means over seeds and their intervals (Student's t at ``level``): a row a group, score and quantity.

    The step of a top is averaged as its logarithm.
    """
    found = []
    for key, part in turned.groupby([*by, "score"], sort=False):
        for name in ("change", "rise", "fall", "top"):
            logs = name == "top"
            one = changes(np.log2(1 + part.top) if logs else part[name], level=level)
            mean, low, high = (2**end - 1 if logs else end for end in (one.mean, *one.interval))
            row = dict(zip([*by, "score"], key, strict=True)) | {"what": name, "mean": mean, "low": low, "high": high}
            found.append(row | {"seeds": len(one.values)})
    return pd.DataFrame(found)


def of_layers(rows: pd.DataFrame) -> pd.DataFrame:
    """Judge every layer of one variant, with intervals that hold for all layers together: see :func:`over_seeds`."""
    return over_seeds(turns(rows, ["layer"]), ["layer"], level=1 - (1 - LEVEL) / rows.layer.nunique())


def rising(layers: pd.DataFrame) -> pd.Series:
    """Return for each score the share of layers that rise by more than ``RISE`` beyond their interval."""
    rises = layers[layers.what == "rise"]
    return (rises.low > RISE).groupby(rises.score).mean()


def ingredients(rows: pd.DataFrame) -> pd.DataFrame:
    """Split the change of ln(1 - LS) from step 0 to the last by the identity: a row a layer, seeds averaged.

    It is the sum of what is owed to the linearity of the update and to its size.
    """
    logs = pd.DataFrame(
        {
            "ln (1 - LS)": np.log(1 - rows.linearity_raw),
            "owed to linearity": np.log(1 - rows.update_linearity_raw),
            "owed to size": np.log(rows.update_ratio),
        }
    )
    logs = logs.groupby([rows.step, rows.layer]).mean()
    return logs.loc[rows.step.max()] - logs.loc[0]


def at_loss(means: pd.DataFrame, score: str, nats: float) -> pd.Series:
    """Return a score where each run first has this loss, between the two points around it."""
    found = {}
    for key, run in means.groupby(RUN, sort=False):
        run = run.sort_values("step")
        first = int((run.validation_nats.cummin() <= nats).to_numpy().argmax())
        two = run.iloc[[first, max(first - 1, 0)]]
        found[key] = np.interp(nats, two.validation_nats, two[score])
    return pd.Series(found).rename_axis(RUN)


def at_equal_loss(means: pd.DataFrame) -> pd.DataFrame:
    """Compare the variants with plain where all have the lowest loss that all runs reach: a row a score and variant.

    ``effect`` with its interval, which holds for the variants together, ``margin`` and ``verdict`` are those of
    :func:`casebook.verdicts.contrasts`; ``plain`` is plain's mean.
    """
    nats = np.ceil(100 * means.groupby(RUN).validation_nats.min().max()) / 100
    rows = []
    for score in SCORES:
        of = {name: part.tolist() for name, part in at_loss(means, score, nats).groupby("variant", sort=False)}
        plain = of.pop("plain")
        for variant, one in (contrasts(of, plain, margin=RISE) if of else {}).items():
            row = {"score": SHORT[score], "nats": nats, "variant": variant, "plain": np.mean(plain)}
            rows.append(row | asdict(one) | {"verdict": one.verdict})
    return pd.DataFrame(rows)


def per_seed(finetuning: pd.DataFrame, trained: str = ALL) -> pd.DataFrame:
    """Return means over layers of the runs of ``TUNED`` that judge, a row a task, kind of labels, text and seed.

    ``gain`` is the accuracy on new examples less that of the commonest answer, missing where there are no labels. Tasks
    and labels stand in the order of the plan; a task that is not finished is left out.
    """
    of = (finetuning.model == TUNED) & (finetuning.trained == trained)
    rows = finetuning[of & ~finetuning.seed.isin(CHOOSING)]
    rows = rows[rows.groupby("task").seed.transform("nunique") == JUDGES * len(ARMS[trained])]
    key, numbers = ["task", "labels", "text", "seed"], ["accuracy", "constant", "loss"]
    numbers = [*(name for name in rows if name.startswith("delta_")), *numbers]
    means = _in_order(rows.groupby(key, sort=False, as_index=False)[numbers].mean(), "task", "labels")
    return means.assign(gain=means.accuracy - means.constant)


def _in_order(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Sort rows by what tells fine-tunings apart, in the order of the plan."""
    order = {name: place for place, name in enumerate((*TASKS, *ARMS, *LABELS))}
    return rows.sort_values([*columns], key=lambda names: names.map(order), kind="stable")


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of fine-tunings with their texts, and layers where they have them, as a figure names them."""
    said = rows.assign(text="on " + rows.text.replace("task", "the task's text"))
    return said.assign(layer="layer " + said.layer.astype(str)) if "layer" in said else said


def of_low_rank(finetuning: pd.DataFrame) -> pd.DataFrame:
    """Set corrections of low rank beside all weights, true labels: a row a task and text.

    ``accuracy`` is that of low rank and ``of_all`` that of all weights, ``change`` and ``change_of_all`` are those of
    LS_res, and ``direction`` says whether the former is told from 0; ``delta_nats`` is what low rank costs on the text,
    in nats a token; ``difference`` is low rank less all weights, from ``low`` to ``high``, with its ``verdict``. All
    intervals hold for nine pairs of a task and a text.
    """
    full, rows, score = per_seed(finetuning), [], "delta_update_linearity"
    full = full[full.labels == LABELS[0]]
    for (task, text), part in per_seed(finetuning, LOW_RANK).groupby(["task", "text"], sort=False):
        other = full[(full.task == task) & (full.text == text)]
        one = contrasts({LOW_RANK: part[score].tolist()}, other[score].tolist(), margin=ALIKE, level=TOGETHER)[LOW_RANK]
        row = {"task": task, "text": text, "accuracy": part.accuracy.mean(), "of_all": other.accuracy.mean()}
        own = changes(part[score], level=TOGETHER)
        row |= {"change": own.mean, "direction": own.direction, "change_of_all": other[score].mean()}
        row |= {"delta_nats": part.delta_nats.mean()}
        rows.append(row | {"difference": one.effect, "low": one.low, "high": one.high, "verdict": one.verdict})
    return pd.DataFrame(rows)


def by_rate(finetuning: pd.DataFrame) -> pd.DataFrame:
    """Return means over layers of the runs of ``TUNED`` that choose a rate, a row a task, rate, text and seed.

    ``trained`` says what learnt: all weights, or corrections of low rank. Such runs choose, and judge nothing.
    """
    rows = finetuning[(finetuning.model == TUNED) & finetuning.seed.isin(CHOOSING)]
    key, numbers = ["task", "trained", "rate", "text", "seed"], ["accuracy", "delta_update_linearity", "delta_nats"]
    return _in_order(rows.groupby(key, as_index=False)[numbers].mean(), "task", "trained")  # rates rise


def learnt(means: pd.DataFrame) -> pd.DataFrame:
    """Say what was learnt on new examples: a row a task and kind of labels, the ``gain`` with its interval."""
    found = []
    told = means.dropna(subset="gain").drop_duplicates(["task", "labels", "seed"])
    for (task, labels), part in told.groupby(["task", "labels"], sort=False):
        gain = changes(part.gain)
        row = {"task": task, "labels": labels, "accuracy": part.accuracy.mean(), "gain": gain.mean}
        found.append(
            row | dict(zip(("low", "high"), gain.interval, strict=True)) | {"learnt": gain.direction == "rises"}
        )
    return pd.DataFrame(found)


def always(means: pd.DataFrame, score: str = "delta_update_linearity") -> pd.DataFrame:
    """Judge the claim that fine-tuning raises LS_res: a row a task, text and kind of labels, of :func:`per_seed`.

    ``change`` is the mean with its interval (``low``, ``high``) and ``direction``. Of shuffled labels and of none,
    ``to_true`` is the difference to true labels, with its interval (``from``, ``to``) and ``verdict``. All intervals
    hold for nine pairs of a task and a text.
    """
    rows = []
    for task, text in product(dict.fromkeys(means.task), dict.fromkeys(means.text)):
        part = means[(means.task == task) & (means.text == text)]
        of = {labels: part[part.labels == labels][score].tolist() for labels in LABELS}
        control = of["true"]
        against = contrasts({name: of[name] for name in LABELS[1:]}, control, margin=ALIKE, level=TOGETHER)
        for labels in LABELS:
            one = changes(of[labels], level=TOGETHER)
            row = {"task": task, "text": text, "labels": labels, "change": one.mean}
            row |= {"low": one.interval[0], "high": one.interval[1], "direction": one.direction}
            if labels in against:
                other = against[labels]
                row |= {"to_true": other.effect, "from": other.low, "to": other.high, "verdict": other.verdict}
            rows.append(row)
    return pd.DataFrame(rows)
