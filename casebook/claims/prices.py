"""What layers of real models cost, one by one and several, and whether their scores had told."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..rows.chosen import ALONE, PUBLISHED, SETS, TOGETHER, TRIED
from ..verdicts import LEVEL, changes
from .real import SCORES

# What is said of a layer beforehand, and 1 where a large number says that it is dear, -1 where that it is cheap.
SIGNS = {"linearity": -1, "update_linearity": -1, "update_ratio": 1, "norm_ratio": 1, "cosine": -1}
SIGNS |= {"linearity_standardised": -1, "centred_cosine": -1}
SIZES = {"beyond": "update_ratio", "beyond_norm": "norm_ratio"}  # what is held fixed, of partial taus
DRAWS = 1000  # of stretches of the text, with replacement
LAYERS = ["model", "corpus", "part", "layer"]
SAME = ["model", "text", "layer", "stretch"]  # what of a layer is compared by the text of its map


def costs(losses: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of losses.csv with ``nats`` above those of the whole model on the same stretch of text."""
    same = ["model", "corpus", "text", "tokens", "part", "choice", "stretch"]
    whole = losses[losses.action == "whole"].set_index(same).nats.rename("whole")
    rows = losses[losses.action != "whole"].join(whole, on=same)
    return rows.assign(nats=rows.nats - rows.whole)


def by_layer(losses: pd.DataFrame) -> pd.DataFrame:
    """Return what each layer costs alone, in nats a token, with an interval: a row a layer and action."""
    return _with_interval(_alone(losses), [*LAYERS, "action"])


def carried(losses: pd.DataFrame) -> pd.DataFrame:
    """Say what maps cost that were fitted on another text: a row a model, text that is measured, and layer.

    ``removed`` and ``own``, the map of the text itself, are the layer's costs beside it, in nats a token, and
    ``other`` is that of the other text's map. ``dearer_nats`` is other less own, ``saved_nats`` removed less other,
    each from ``low`` to ``high``.
    """
    own = _alone(losses).query("part == 'block'").set_index([*SAME, "action"]).nats.unstack()
    away = _alone(losses, away=True).query("part == 'block' and action == 'affine'")
    both = own.rename(columns={"affine": "own", "remove": "removed"}).join(away.set_index(SAME).nats.rename("other"))
    both = both.dropna().reset_index()
    found = both.groupby(SAME[:-1])[["removed", "own", "other"]].mean()
    for name, nats in (("dearer", both.other - both.own), ("saved", both.removed - both.other)):
        beside = _with_interval(both.assign(nats=nats), SAME[:-1]).set_index(SAME[:-1])
        found = found.join(beside.add_prefix(f"{name}_"))
    return found.reset_index()


def _alone(losses: pd.DataFrame, *, away: bool = False) -> pd.DataFrame:
    """Return the costs of layers alone, measured on the text that maps are fitted on, or on another."""
    rows = costs(losses[(losses.choice == ALONE) & ((losses.text != losses.corpus) == away)])
    return rows.assign(layer=rows.which.astype(int))


def published_sets(losses: pd.DataFrame) -> pd.DataFrame:
    """Set what published sets of layers cost here beside what was printed: a row a set, with a column an action.

    Multiples of the whole model's perplexity, an interval beside each. ``printed`` is the book's, of removal, on
    another text: none of it was measured here.
    """
    rows = _with_interval(costs(losses[losses.choice == PUBLISHED]), ["which", "action"])
    rows[["nats", "low", "high"]] = np.exp(rows[["nats", "low", "high"]])
    wide = rows.pivot(index="which", columns="action", values=["nats", "low", "high"])
    found = {name: wide["nats"][name] for name in wide["nats"]}
    found |= {f"{name} {end}": wide[end][name] for name in wide["nats"] for end in ("low", "high")}
    printed = {" ".join(map(str, which)): perplexity / SETS[()] for which, perplexity in SETS.items()}
    return pd.DataFrame(found).assign(printed=lambda table: table.index.map(printed)).sort_values("printed")


def together(losses: pd.DataFrame) -> pd.DataFrame:
    """Return what several layers of a model cost together: a row a model, text, order, action and number of layers.

    ``nats`` a token above the whole model, from ``low`` to ``high``. ``above_nats`` is by how much that is more than
    the layers cost that are cheapest alone, ``less_nats`` how much more than removing the same ones, each with its
    interval.
    """
    rows = costs(losses[losses.choice.isin([TOGETHER, TRIED]) & (losses.part == "block")])
    key = ["model", "corpus", "order", "action", "layers"]
    found = _with_interval(rows, key).set_index(key)
    for name, column, rival in (("above", "order", "cheapest"), ("less", "action", "remove")):
        same = [*(one for one in key if one != column), "stretch"]
        other = rows[rows[column] == rival].set_index(same).nats.rename("rival")
        both = rows.join(other, on=same).dropna(subset="rival")
        beside = _with_interval(both.assign(nats=both.nats - both.rival), key).set_index(key)
        found = found.join(beside.add_prefix(f"{name}_"))
    return found.reset_index()


def apart(losses: pd.DataFrame) -> pd.DataFrame:
    """Set attention and MLP chosen apart beside whole layers: a row a model, text, action and number of layers.

    ``layers`` and ``sublayers`` are the cheapest of their kind, twice as many of the latter; ``gain`` is how many nats
    a token less the latter cost, from ``low`` to ``high``; ``attention`` how many of them are attentions, which are the
    smaller: equal numbers are not equal sizes.
    """
    rows = costs(losses[losses.choice == TOGETHER])
    rows = rows[rows.order == "cheapest"]
    rows = rows.assign(count=rows.layers.where(rows.part != "sublayers", rows.layers // 2))
    key = ["model", "corpus", "action", "count", "stretch"]
    parts = {name: rows[rows.part == name].set_index(key).nats for name in ("block", "sublayers")}
    both = pd.DataFrame({"layers": parts["block"], "sublayers": parts["sublayers"]}).dropna().reset_index()
    found = _with_interval(both.assign(nats=both.layers - both.sublayers), key[:-1]).rename(columns={"nats": "gain"})
    rows = rows[rows.part == "sublayers"].assign(attention=lambda some: some.which.str.count("attention"))
    chosen = rows.groupby(key[:-1], as_index=False).attention.first()
    return found.merge(both.groupby(key[:-1], as_index=False)[["layers", "sublayers"]].mean()).merge(chosen)


def _with_interval(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return means over stretches with their intervals (Student's t), which have no bounds for one stretch."""
    of = rows.groupby(key).nats
    mean, ends = of.mean(), [changes(part).interval for _, part in of]
    return pd.DataFrame(ends, columns=["low", "high"], index=mean.index).assign(nats=mean).reset_index()


def agreement(losses: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return Kendall's tau of every score of ``SIGNS`` with what layers cost alone: a row a text, part and action.

    1 where the score ranks the layers by their cost, cheap ones first. ``low`` and ``high`` are from stretches of the
    text on which costs are measured, drawn again and again; ``beyond`` and ``beyond_norm`` are partial taus, with the
    update ratio and with the norm ratio held fixed: what the score says that the size of the update does not.
    ``scores`` are rows of whole layers, of one selection of tokens, as protocol.csv and outliers.csv have them; those
    of several shards are averaged.
    """
    names = [name for name in SIGNS if name in scores]
    mean = scores.groupby(["model", "corpus", "layer"])[names].mean() * pd.Series(SIGNS)[names]
    rows, found = _alone(losses), []
    for key, part in rows.groupby(["model", "corpus", "part", "action"], sort=False):
        wide = part.pivot(index="layer", columns="stretch", values="nats").to_numpy()
        ranked = _pairs(mean.loc[key[:2]].loc[sorted(part.layer.unique())].to_numpy().T)
        tau = ranked @ _pairs(wide.mean(axis=1)[None])[0]
        low = high = math.nan  # one stretch says nothing of others
        if wide.shape[1] > 1:
            drawn = ranked @ _pairs(_draws(wide.shape[1]) @ wide.T).T
            low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        one = pd.DataFrame({"score": names, "tau": tau, "low": low, "high": high})
        for column, held in SIZES.items():
            size = names.index(held)
            with_size = ranked @ ranked[size]
            rest = np.sqrt(((1 - with_size**2) * (1 - tau[size] ** 2)).clip(0))
            one[column] = np.divide(tau - with_size * tau[size], rest, out=np.full(len(tau), np.nan), where=rest > 1e-6)
        found.append(one.assign(**dict(zip(("model", "corpus", "part", "action"), key, strict=True)), layers=len(wide)))
    return pd.concat(found, ignore_index=True)


def predicted(losses: pd.DataFrame, scores: pd.DataFrame, layers: Sequence[int]) -> pd.DataFrame:
    """Say how linear some layers are, and what they cost to remove: a row a text and layer.

    ``place`` of a score or cost is its place among all layers, 1 for the highest or the dearest. ``scores`` as for
    :func:`agreement`.
    """
    mean = scores.groupby(["model", "corpus", "layer"])[list(SCORES)].mean()
    removed = by_layer(losses)
    removed = removed[(removed.action == "remove") & (removed.part == "block")].set_index(["model", "corpus", "layer"])
    both = mean.join(removed[["nats", "low", "high"]], how="inner")
    for name in (*SCORES, "nats"):
        both[f"{name}_place"] = both.groupby(["model", "corpus"])[name].rank(ascending=False).astype(int)
    return both[both.index.isin(layers, level="layer")].reset_index()


def _draws(stretches: int) -> np.ndarray:
    """Return weights of stretches, a row a draw with replacement; the same ones every time.

    One fewer is drawn than there are: so few, drawn as many, would scatter too little (the rescaled bootstrap).
    """
    drawn = np.random.default_rng(0).integers(stretches, size=(DRAWS, stretches - 1))
    return np.stack([(drawn == one).mean(axis=1) for one in range(stretches)], axis=1)


def _pairs(values: np.ndarray) -> np.ndarray:
    """Return, for every row, the signs of all differences of two of its values, scaled so that products are tau-b."""
    first, second = np.triu_indices(values.shape[1], k=1)
    signs = np.sign(values[:, first] - values[:, second])
    return signs / np.sqrt((signs**2).sum(axis=1, keepdims=True))
