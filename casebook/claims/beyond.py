"""Whether the score is the decoder's: architectures trained alike, and real models of two kinds beside their twins."""

import pandas as pd

from ..verdicts import LEVEL, changes

DECODER = "decoder"
WEIGHTS = ("trained", "random", "permuted")
SCORE, UPDATE, RATIO = "linearity_heldout", "update_linearity_heldout", "update_ratio"
NETWORK = ["network", "kind", "norm"]
REAL = {"smollm2-135m": ("decoder", "pre"), "gemma3-270m": ("decoder", "pre and post"), "minilm": ("encoder", "post")}


def networks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of whole layers of matched.csv with the column ``network``: an architecture, or a stack of one.

    ``contest`` is False where the trained model of that seed guesses no better than the frequency of tokens does.
    """
    rows = table[table.part == "block"]
    stack = rows["stack"].fillna("")
    rows = rows.assign(network=rows.architecture.where(stack == "", rows.architecture + ": " + stack))
    trained = rows[rows.weights == "trained"].groupby(["architecture", "seed"])[["nats", "unigram_nats"]].first()
    contest = (trained.nats < trained.unigram_nats).rename("contest")
    return rows.join(contest, on=["architecture", "seed"])


def medians(table: pd.DataFrame, scores: tuple[str, ...] = (SCORE, RATIO)) -> pd.DataFrame:
    """Return the median over layers of these columns: a row a network, kind of weights and seed, contests only."""
    rows = networks(table)
    return rows[rows.contest].groupby([*NETWORK, "weights", "seed"], sort=False)[list(scores)].median().reset_index()


def beside_decoder(table: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame:
    """Compare every network with the decoder of the same seed: a row a network.

    ``value`` and ``decoder`` are means over seeds of the median over layers, ``gap`` how far the first lies above
    the second, with the interval ``low`` to ``high`` of the mean of many seeds (Student's t), each for itself.
    """
    seeds = medians(table, (SCORE,))
    seeds = seeds[seeds.weights == "trained"]
    decoder = seeds[seeds.network == DECODER].set_index("seed")[SCORE]
    rows = []
    for key, part in seeds[seeds.network != DECODER].groupby(NETWORK, sort=False):
        own = part.set_index("seed")[SCORE]
        both = own.index.intersection(decoder.index)
        found = changes(own[both] - decoder[both], level=level)
        row = dict(zip(NETWORK, key, strict=True)) | {"value": part[SCORE].mean()}
        row |= {"decoder": decoder.mean(), "gap": found.mean}
        rows.append(row | dict(zip(("low", "high"), found.interval, strict=True)) | {"seeds": len(found.values)})
    return pd.DataFrame(rows)


def beside_twins(table: pd.DataFrame) -> pd.DataFrame:
    """Return how far the trained networks lie above their first weights and above permuted ones: a row a network.

    ``random`` and ``permuted`` are means over seeds of differences of medians over layers, with their intervals.
    """
    wide = medians(table, (SCORE,)).pivot(index=["network", "seed"], columns="weights", values=SCORE)
    rows = []
    for network, part in wide.groupby("network", sort=False):
        row = {"network": network}
        for twin in WEIGHTS[1:]:
            found = changes((part.trained - part[twin]).dropna())  # seeds that have both
            row |= {twin: found.mean, f"{twin}_low": found.interval[0], f"{twin}_high": found.interval[1]}
        rows.append(row)
    return pd.DataFrame(rows)


def real_models(protocol: pd.DataFrame, *, selection: str) -> pd.DataFrame:
    """Return the layers of real models, as trained and of both twins, at one number of tokens a dimension.

    It is the number at which an encoder and most models of ``REAL`` have both twins in protocol.csv; scores of a layer
    are means over seeds. The columns are those of :func:`networks` that a figure needs, and ``a_dimension``.
    """
    rows = protocol[protocol.model.isin(REAL) & (protocol.corpus == "wikitext-2-valid") & (protocol["shard"] == 0)]
    rows = rows[(rows.selection == selection) & rows.weights.isin(WEIGHTS)]
    whole = rows.groupby(["model", "tokens"]).weights.transform("nunique") == len(WEIGHTS)
    # The floor is d / (n - 1): its inverse, rounded to 5, tells runs of one number of tokens a dimension.
    rows = rows[whole].assign(a_dimension=(0.2 / rows.floor[whole]).round() * 5)
    encoders = [name for name, (kind, _) in REAL.items() if kind == "encoder"]
    shared = rows[rows.a_dimension.isin(rows.a_dimension[rows.model.isin(encoders)])]
    models = shared.groupby("a_dimension").model.nunique()
    rows = shared[shared.a_dimension == models[models == models.max()].index.max()]
    key = ["model", "weights", "layer", "a_dimension"]
    rows = rows.groupby(key, sort=False)[[SCORE, UPDATE, RATIO]].mean().reset_index().sort_values("weights", key=_place)
    rows = rows.sort_values("model", key=lambda names: names.map(list(REAL).index), kind="stable", ignore_index=True)
    kinds = pd.DataFrame([REAL[name] for name in rows.model], columns=["kind", "norm"])
    return rows.rename(columns={"model": "network"}).join(kinds)


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure draws: a row a layer of a network, means over seeds, in the order of the trained score."""
    rows = networks(table)
    key = [*NETWORK, "weights", "layer"]
    rows = rows[rows.contest].groupby(key, sort=False)[[SCORE, UPDATE, RATIO]].mean().reset_index()
    rows = rows.sort_values("weights", key=_place, kind="stable")
    order = rows[rows.weights == "trained"].groupby("network")[SCORE].median().sort_values(ascending=False)
    place = {name: number for number, name in enumerate(order.index)}
    return rows.sort_values("network", key=lambda names: names.map(place), kind="stable", ignore_index=True)


def _place(weights: pd.Series) -> pd.Series:
    return weights.map(WEIGHTS.index)
