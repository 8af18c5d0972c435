"""What penalties on neighbouring states do: variants against plain and against controls, each at its best rate."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import pandas as pd

from linstudy.show import label

from ..rows.pretraining import (
    HELD,
    HELD_SQUARES,
    JUDGES,
    LARGE,
    OTHERS,
    PLANNED,
    PRIMARY,
    SECONDARY,
    SMALLER,
    Variant,
)
from ..sweeps import judged
from ..verdicts import contrasts, weighted
from .real import ALL, HELD_OUT

COMPARISON = ("score", "corpus", "training_tokens", "kind", "variant")  # tells comparisons with plain apart
SHARE = 0.005  # of plain's loss: a difference that is as good as none
MARGINS = dict.fromkeys(("linearity", "update_linearity", *HELD_OUT), 0.02)
SCORES = ("validation_nats", "linearity", "update_linearity", "norm_ratio")
CELLS = 4  # texts and lengths in which the last layer is asked about, and in which the controls have rows
SLOWER = SMALLER[-1].title  # the control that told on little text
READ_ON = 3  # comparisons with plain that the plan names for a finished model


@dataclass(frozen=True)
class Design:
    """How runs that are compared with plain were made."""

    variants: Sequence[Variant]
    families: Mapping[str, Sequence[Variant]]  # whose intervals hold together, by their kind
    cells: int = 1  # texts and lengths in which they hold together, too
    preset: str = "nano"  # the size of the models


FAMILIES = {
    "penalty": PRIMARY[1:],
    "held": (HELD,),
    "squares held": (HELD_SQUARES,),
    "control": SMALLER,
    "secondary": SECONDARY,
}
PLAN = Design(PLANNED, FAMILIES, cells=6)
# The same at the next size; it stands here before its rows, for the plan says how they are judged.
ONE_UP = {"penalty": PRIMARY[1:], "held": (HELD,), "control": SMALLER[-1:]}
LARGER = Design(LARGE, ONE_UP, cells=2, preset="pocket")


def compared(
    rows: pd.DataFrame, scores: Sequence[str] = ("validation_nats", "update_linearity"), *, design: Design = PLAN
) -> pd.DataFrame:
    """Compare the variants of pretraining.csv with plain, as book/preregistration.md says; or those of another design.

    A row a score, ``text``, length (``training_tokens``) and variant: the ``effect`` (its mean less plain's), the
    interval from ``low`` to ``high``, which holds for all comparisons of its ``kind`` in all cells of the design
    together, the ``margin`` within which it counts as none, the ``verdict``, and the mean of ``plain``. A kind is
    compared in a cell when all its runs are there, and those of plain; slower branches alone with their share of the
    level.
    """
    found = []
    for (corpus, tokens), cell in that_judge(rows, design).groupby(["corpus", "training_tokens"], sort=False):
        of = {name: part for name, part in cell.groupby("variant", sort=False)}
        if len(of.get("plain", ())) < JUDGES["plain"]:
            continue
        for score, (kind, family) in product(scores, design.families.items()):
            there = [one.title for one in family if len(of.get(one.title, ())) == OTHERS]
            if len(there) < len(family) and there != [SLOWER]:
                continue
            groups = {title: of[title][score].tolist() for title in there}
            plain, share = of["plain"][score].mean(), len(there) / len(family)
            options = {"margin": MARGINS.get(score, SHARE * plain), "level": 1 - 0.05 / design.cells * share}
            for variant, one in contrasts(groups, of["plain"][score].tolist(), **options).items():
                key = dict(zip(COMPARISON, (score, corpus, int(tokens), kind, variant), strict=True))
                found.append(key | asdict(one) | {"verdict": one.verdict, "plain": plain})
    table = pd.DataFrame(found, columns=[*COMPARISON, "effect", "low", "high", "margin", "verdict", "plain"])
    return table.assign(text=table.corpus.map(label))


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what penalties do to finished models that read on (continued.csv) with plain: a row a score and variant.

    ``effect`` is the mean less plain's, from ``low`` to ``high`` (for all variants that the plan names, of a model and
    score, together: those that are there have their share of it; ``HELD`` stands alone), beside the ``margin`` of the
    ``verdict``, the mean of ``plain`` over so many ``seeds``, and the score ``before``. Scores are means over layers;
    the loss does not depend on the ``selection`` of tokens and stands once.
    """
    rows, found = named(table, PLANNED), []
    key = ["model", "selection", "step", "variant", "seed"]
    runs = rows.groupby(key, sort=False, as_index=False)[["validation_nats", *HELD_OUT]].mean()
    for (model, selection), part in runs.groupby(["model", "selection"], sort=False):
        last, before = part[part.step == part.step.max()], part[part.step == 0]
        if before.empty:  # plain's, which all others are compared with
            continue
        of = dict(list(last.groupby("variant", sort=False)))
        for score in HELD_OUT if selection != ALL else ("validation_nats", *HELD_OUT):
            groups = {name: one[score].tolist() for name, one in of.items()}
            plain, held = groups.pop("plain"), groups.pop(HELD.title, None)
            mean = of["plain"][score].mean()
            margin = MARGINS.get(score, SHARE * mean)
            told = contrasts(groups, plain, margin=margin, level=1 - 0.05 * len(groups) / READ_ON) if groups else {}
            if held:
                told |= contrasts({HELD.title: held}, plain, margin=margin)
            for variant, one in told.items():
                row = {"model": model, "selection": selection, "score": score, "variant": variant, **asdict(one)}
                row |= {"verdict": one.verdict, "plain": mean, "seeds": len(plain), "before": before[score].iloc[0]}
                found.append(row)
    return pd.DataFrame(found)


def at_an_end(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return models and variants of continued.csv that were judged at an end of their rates, unlike the plan asks."""
    rows = named(table, PLANNED).query("rate > 0")
    tried = rows.groupby(["model", "variant"], sort=False).rate.agg(["min", "max"])
    judged_at = rows[rows.step == rows.step.max()].groupby(["model", "variant"]).rate.first()
    return [key for key, (low, high) in tried.iterrows() if judged_at[key] in (low, high)]


def less_half(rows: pd.DataFrame) -> pd.DataFrame:
    """Say whether slower branches gain half of what a penalty does, in every cell where it gains: rows as `compared`'s.

    ``effect`` is their loss less plain's, less half of the penalty's (``variant``) less plain's: below 0 they gain more
    than half. Intervals hold for the four cells of a penalty together.
    """
    found = []
    for (corpus, tokens), cell in that_judge(rows).groupby(["corpus", "training_tokens"], sort=False):
        nats = cell.groupby("variant", sort=False).validation_nats
        of, means = {name: part.tolist() for name, part in nats}, nats.mean()
        if len(of.get(SLOWER, ())) < OTHERS or len(of.get("plain", ())) < JUDGES["plain"]:
            continue
        for one in (*PRIMARY[1:], HELD, HELD_SQUARES):
            if len(of.get(one.title, ())) == OTHERS and means[one.title] < means["plain"]:
                groups = [(of[SLOWER], 1.0), (of[one.title], -0.5), (of["plain"], -0.5)]
                told = weighted(groups, level=1 - 0.05 / CELLS)
                row = {"text": label(corpus), "training_tokens": int(tokens), "variant": one.title}
                found.append(row | asdict(told) | {"verdict": told.verdict})
    return pd.DataFrame(found)


def by_weight(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`compared` says of every weight, with columns ``penalty`` and ``weight``.

    Cells in which not all weights are judged are left out, and so are penalties that count the last block's output.
    """
    some = {one.title: one for one in (*PRIMARY[1:], *SECONDARY) if one.last == "out"}
    families = {kind: FAMILIES[kind] for kind in ("penalty", "secondary")}
    found = compared(rows, SCORES, design=replace(PLAN, families=families))
    found = found[found.variant.isin(some)]
    found = found[found.groupby(["score", "corpus", "training_tokens"]).variant.transform("size") == len(some)]
    variants = found.variant.map(some)
    return found.assign(penalty=variants.map(lambda one: one.penalty), weight=variants.map(lambda one: one.weight))


def last_layers(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare last layers by whether the penalty counts their output: a row a score, text, length, penalty, ``last``.

    The penalty leaves that output out in the control (``last`` is "out"), which ``effect`` is measured from, as in
    :func:`compared`; ``out`` is the control's mean, ``plain`` that of no penalty. Scores are the last layer's own, the
    loss is the model's.
    """
    ends = of_the_judges(rows)
    ends = ends[ends.layer == ends.layer.max()]
    cell, found = ["corpus", "training_tokens"], []
    plain = ends[ends.variant == "plain"].groupby(cell)[list(SCORES)].mean()
    for key, part in ends[ends.weight == PRIMARY[1].weight].groupby([*cell, "penalty"], sort=False):
        of = dict(list(part.groupby("last", sort=False)))
        if len(of) < 3 or min(map(len, of.values())) < OTHERS:
            continue
        out = of.pop("out")
        for score in SCORES:
            groups = {last: held[score].tolist() for last, held in of.items()}
            means = {"out": out[score].mean(), "plain": plain.loc[key[:2], score]}
            options = {"margin": MARGINS.get(score, SHARE * means["out"]), "level": 1 - 0.05 / CELLS}
            for last, one in contrasts(groups, out[score].tolist(), **options).items():
                row = {"score": score, **dict(zip([*cell, "penalty"], key, strict=True)), "text": label(key[0])}
                found.append(row | {"last": last, **asdict(one), "verdict": one.verdict, **means})
    return pd.DataFrame(found)


def that_judge(rows: pd.DataFrame, design: Design = PLAN) -> pd.DataFrame:
    """Return the named runs that judge, of any variant: a row a run, its scores averaged over the layers."""
    return named(judged(rows[rows.preset == design.preset]), design.variants)


def less_plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that judge, with columns ``d_`` and a score: less the mean of plain in their text and length."""
    runs, of_cell = that_judge(rows), ["corpus", "training_tokens"]
    plain = runs[runs.variant == "plain"].groupby(of_cell)[list(SCORES)].mean().add_prefix("d_")
    runs = runs.join(plain, on=of_cell)
    return runs.assign(**{name: runs[name.removeprefix("d_")] - runs[name] for name in plain})


def named(rows: pd.DataFrame, variants: Sequence[Variant] = PLANNED) -> pd.DataFrame:
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


def of_the_judges(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the layers of those runs that judge."""
    key = [name for name in (*Variant().key, "corpus", "step", "seed", "rate") if name in rows]
    return named(rows).merge(that_judge(rows)[key], on=key)
