"""What our tables say of each claim of the paper (C1 to C9): one row a measurement, with its spread and its control."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd

from linstudy.study.results import results

from ..rows import pretraining
from ..rows.finetuning import JUDGES
from . import beyond, dynamics, penalties, prices, pruning, real
from .real import ALL
from .real import OUTLIERS as WITHOUT

Tables = Callable[[str], pd.DataFrame]  # returns a table by its name, as linstudy.results does

NEAR = 0.985  # what rounds to 0.99 or more
SEVERAL = (6, 12)  # layers of thirty that go together
# The largest models here, trained by others; the decoders' weights were quantised.
REAL = tuple(name for name, (kind, _) in beyond.REAL.items() if kind == "decoder")
(ENCODER,) = (name for name, (kind, _) in beyond.REAL.items() if kind == "encoder")
PLAIN = ("stories260K", "stories-1m", *REAL)  # decoders that no penalty was put on
FAMILIES = ("llama", "gpt2", "gemma2", "olmo2", "bert", "roberta", "bart", "t5", "mamba")  # one or two a kind
COLUMNS = ["measure", "model", "text", "value", "low", "high", "spread over", "control", "its value", "table"]


def evidence(claim: str, tables: Tables = results) -> pd.DataFrame:
    """Return the rows of our tables that bear on a claim, "C1" to "C9"; its columns are ``COLUMNS``.

    ``value`` lies in ``low`` to ``high``, as ``spread over`` says: the range of layers or models, or the interval of a
    mean over seeds (of C5 and C6 wide enough for their family) or over stretches of text. ``its value`` is that of the
    ``control``, missing where there is none. ``table`` names the table that the row is computed from; ``tables``
    returns one by its name. Raises KeyError for another claim.
    """
    once = cache(tables)  # a claim looks into a table more than once
    return pd.DataFrame(list(_CLAIMS[claim](once)), columns=COLUMNS)


def measured(tables: Tables) -> pd.DataFrame:
    """Return the blocks of the small models of profiles.csv and the real ones of protocol.csv, trained and random.

    A row a layer, means over shards and draws, on the most tokens that were read; scores are held out. ``ablation``
    says which tokens were counted.
    """
    small, real = tables("profiles"), tables("protocol")
    small = small[~small.model.isin([*REAL, ENCODER])].assign(ablation=ALL)
    real = real[real.model.isin([*REAL, ENCODER]) & real.selection.isin([ALL, WITHOUT])]
    real = real[real.tokens == real.groupby(["model", "corpus", "weights"]).tokens.transform("max")]
    rows = pd.concat([small, real.assign(ablation=real.selection)], ignore_index=True)
    rows = rows[(rows.part == "block") & ~rows.corpus.str.contains("shuffled")]
    rows = rows.assign(linearity=rows.linearity_heldout, update_linearity=rows.update_linearity_heldout)
    key = ["model", "weights", "corpus", "ablation", "layer"]
    scores = ["linearity", "update_linearity", "update_ratio", "norm_ratio", "cosine"]
    return rows.groupby(key, sort=False)[scores].mean().reset_index()


def _row(measure: str, model: str, text: str, spread: tuple, control: tuple[str, float], table: str) -> dict:
    return dict(zip(COLUMNS, (measure, model, text, *spread, *control, table), strict=True))


def _layers(values: pd.Series) -> tuple[float, float, float, str]:
    """Return the median and range of some layers, and over how many it is."""
    return values.median(), values.min(), values.max(), f"{len(values)} layers"


def _alone(value: float) -> tuple[float, float, float, str]:
    """Return a number that has no spread."""
    return value, np.nan, np.nan, ""


def _table(model: str) -> str:
    return "protocol" if model in (*REAL, ENCODER) else "profiles"


def _by_layer(
    tables: Tables, measure: str, score: str, ablations: tuple[str, ...] = (ALL,), *, encoder: bool = False
) -> Iterator[dict]:
    """Describe a score of every trained decoder, or of the encoder, on every text; its random twin is the control."""
    rows = measured(tables)
    rows = rows[rows.model.isin([ENCODER] if encoder else PLAIN)]
    twins = rows[rows.weights == "random"].groupby(["model", "corpus", "ablation"])[score].median()
    trained = rows[(rows.weights == "trained") & rows.ablation.isin(ablations)]
    for (model, corpus, ablation), part in trained.groupby(["model", "corpus", "ablation"], sort=False):
        name = measure if ablation == ALL else f"{measure}, {ablation}"
        twin = ("random twin", twins.get((model, corpus, ablation), np.nan))
        yield _row(name, model, corpus, _layers(part[score]), twin, _table(model))


def _near_one(tables: Tables) -> Iterator[dict]:
    yield from _by_layer(tables, "LS", "linearity", (ALL, WITHOUT))
    rows = measured(tables)
    rows = rows[(rows.weights == "trained") & (rows.ablation == ALL) & rows.model.isin(PLAIN)]
    for (model, corpus), part in rows.groupby(["model", "corpus"], sort=False):
        share = (part.linearity >= NEAR).mean()
        yield _row("share of layers near 0.99", model, corpus, _alone(share), ("all", 1.0), _table(model))


def _without_residual(tables: Tables) -> Iterator[dict]:
    yield from _by_layer(tables, "LS_res", "update_linearity", (ALL, WITHOUT))
    yield from _by_layer(tables, "update ratio", "update_ratio", (ALL, WITHOUT))


def _alike(tables: Tables) -> Iterator[dict]:
    yield from _by_layer(tables, "cosine of neighbours", "cosine")
    yield from _by_layer(tables, "norm ratio", "norm_ratio")


def _pretraining(tables: Tables) -> Iterator[dict]:
    """Say of both sets of runs how the mean over layers goes, and how many layers rise before they fall."""
    names = {"change": "last less first step", "rise": "rise to the top", "fall": "fall from the top"}
    for preset, corpus in dynamics.SETS.items():
        rows = dynamics.runs_of_ours(tables("dynamics"), preset)
        plain = rows[rows.variant == "plain"]
        shares = dynamics.rising(dynamics.of_layers(plain))
        for one in dynamics.over_seeds(dynamics.turns(plain), ["variant"]).itertuples():
            if one.what in names:
                spread, control = (one.mean, one.low, one.high, f"{one.seeds} seeds"), ("no change", 0.0)
                yield _row(f"{one.score}, {names[one.what]}", preset, corpus, spread, control, "dynamics")
        for symbol, share in shares.items():
            yield _row(f"{symbol}, layers that rise first", preset, corpus, _alone(share), ("", np.nan), "dynamics")


def _finetuning(tables: Tables) -> Iterator[dict]:
    """Say what was learnt, and what true labels change beside shuffled ones, and no labels beside true ones."""
    means = dynamics.per_seed(tables("finetuning"))
    learnt = dynamics.learnt(means)
    for one in learnt[learnt.labels == "true"].itertuples():
        spread = (one.gain, one.low, one.high, f"{JUDGES} seeds")
        yield _row("accuracy less the constant answer's", "stories-1m", one.task, spread, ("", np.nan), "finetuning")
    found = dynamics.always(means)
    of = found.set_index(["task", "text", "labels"]).change
    for one in found[found.labels != "shuffled"].itertuples():
        other = "shuffled" if one.labels == "true" else "true"
        spread = (one.change, one.low, one.high, f"{JUDGES} seeds")
        control = (f"{other} labels", of[one.task, one.text, other])
        measure = f"change of LS_res, {one.labels.removesuffix(' labels')} labels"
        yield _row(measure, "stories-1m", f"{one.task}, on {one.text}", spread, control, "finetuning")


def _regularised(tables: Tables) -> Iterator[dict]:
    names = {"validation_nats": "loss less plain's, nats", "update_linearity": "LS_res less plain's"}
    rows = penalties.compared(tables("pretraining"))
    cell = ["corpus", "training_tokens"]
    slower = penalties.SLOWER  # named beforehand; the best of four by its mean would be so by luck as well
    effects = rows[rows.variant == slower].set_index([*cell, "score"]).effect
    for one in rows[~rows.kind.isin(["control", "secondary"])].itertuples():
        at = (one.corpus, one.training_tokens, one.score)
        control = (slower, effects[at]) if at in effects else ("", np.nan)
        text = f"{one.corpus}, {one.training_tokens:,.0f} tokens"
        spread = (one.effect, one.low, one.high, f"{pretraining.OTHERS} seeds beside {pretraining.JUDGES['plain']}")
        yield _row(f"{names[one.score]}, {one.variant}", "nano", text, spread, control, "pretraining")
    yield from _reading_on(tables)


def _reading_on(tables: Tables) -> Iterator[dict]:
    names = {"validation_nats": "loss less plain's, nats", "update_linearity_heldout": "LS_res less plain's"}
    found = penalties.finished(tables("continued"))
    found = found[(found.selection == ALL) & found.score.isin(names)]
    control = penalties.SLOWER
    effects = found.set_index(["model", "score", "variant"]).effect
    for one in found[found.variant != control].itertuples():
        key = (one.model, one.score, control)
        beside = (control, effects[key]) if key in effects else ("", np.nan)
        spread = (one.effect, one.low, one.high, f"{one.seeds} seeds beside {one.seeds}")
        yield _row(f"{names[one.score]}, {one.variant}", one.model, "reading on", spread, beside, "continued")


def _removed(tables: Tables) -> Iterator[dict]:
    yield from _really_removed(tables)
    costs = tables("layer_costs")
    for score, symbol in (("linearity", "LS"), ("update_linearity", "LS_res")):
        found = pruning.agreement(costs[costs.action.isin(["remove", "affine"])])
        for action, part in found[found.score == score].groupby("action", sort=False):
            means = part.groupby("model").tau.mean()
            spread = (means.median(), means.min(), means.max(), f"{len(means)} models")
            yield _row(f"tau of {symbol} and cost, {action}", "all", "own", spread, ("chance", 0.0), "layer_costs")
    for (model, action), part in costs[costs.action.isin(["remove", "affine"])].groupby(
        ["model", "action"], sort=False
    ):
        nats = part.groupby("layer").delta_nats.mean()
        yield _row(f"nats lost, {action}", model, "own", _layers(nats), ("whole model", 0.0), "layer_costs")


def _really_removed(tables: Tables) -> Iterator[dict]:
    losses, protocol = tables("losses"), real.trained(tables("protocol"))
    losses = losses[(losses.part == "block") & (losses.choice == "alone")]
    found = prices.agreement(losses, protocol[protocol.selection == ALL])
    found = found[found.action == "remove"].set_index(["model", "corpus", "score"])
    for (model, corpus, score), one in found.iterrows():
        if score in dynamics.SHORT:
            spread = (one.tau, one.low, one.high, "stretches of text")
            rival = ("update ratio", found.tau[model, corpus, "update_ratio"])
            yield _row(f"tau of {dynamics.SHORT[score]} and cost, remove", model, corpus, spread, rival, "losses")
    for (model, corpus, action), part in prices.by_layer(losses).groupby(["model", "corpus", "action"], sort=False):
        yield _row(f"nats lost, {action}", model, corpus, _layers(part.nats), ("whole model", 0.0), "losses")
    for (model, text), part in prices.carried(tables("losses")).groupby(["model", "text"], sort=False):
        own = ("the text's own map", part.own.median())
        yield _row("cost of a map of another text, nats", model, text, _layers(part.other), own, "losses")
    several = prices.together(tables("losses"))
    several = several[several.model.isin(REAL) & several.layers.isin(SEVERAL) & several.order.isin(dynamics.SHORT)]
    for one in several.itertuples():
        what = f"nats lost by {one.layers} layers of the highest {dynamics.SHORT[one.order]}, {one.action}"
        spread = (one.nats, one.low, one.high, "stretches of text")
        cheapest = ("the cheapest ones", one.nats - one.above_nats)
        yield _row(what, one.model, one.corpus, spread, cheapest, "losses")


def _tails(tables: Tables) -> Iterator[dict]:
    rows = tables("boundaries").dropna(subset="error_median")
    rows = rows.assign(tail=rows.error_p999 / rows.error_median)
    twins = rows[rows.weights == "random"].groupby(["model", "corpus"])["tail"].median()
    for (model, corpus), part in rows[rows.weights == "trained"].groupby(["model", "corpus"], sort=False):
        twin = ("random twin", twins.get((model, corpus), np.nan))
        yield _row("error, 99.9th percentile by median", model, corpus, _layers(part["tail"]), twin, "boundaries")


def _exclusive(tables: Tables) -> Iterator[dict]:
    yield from _by_layer(tables, "LS", "linearity", (ALL, WITHOUT), encoder=True)
    for _, one in beyond.beside_decoder(tables("matched")).iterrows():
        spread, control = (one.gap, one.low, one.high, f"{one.seeds} seeds"), ("the decoder's LS", one.decoder)
        yield _row("LS less the decoder's", one.network, "tinystories-train-sample", spread, control, "matched")
    families = tables("families")
    rows = families[(families.part == "block") & families.model.isin(FAMILIES)].assign(
        stack=families["stack"].fillna("")
    )
    for (family, stack), part in rows.groupby(["model", "stack"], sort=False):
        spread = _layers(part.groupby("layer").linearity.mean())
        yield _row("LS, random weights", f"{family} {stack}".strip(), "stories", spread, ("", np.nan), "families")


_CLAIMS: dict[str, Callable[[Tables], Iterator[dict]]] = {
    "C1": _near_one,
    "C2": _without_residual,
    "C3": _alike,
    "C4": _pretraining,
    "C5": _finetuning,
    "C6": _regularised,
    "C7": _removed,
    "C8": _tails,
    "C9": _exclusive,
}
