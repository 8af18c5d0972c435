"""What real models say: scores by selection of tokens, stretch of the text, and twin."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from linstudy.study.results import results

from ..rows.chosen import GAUSSIAN
from .beyond import REAL

ALL, OUTLIERS = "all tokens", "outliers left out"
SCORES = ("linearity", "update_linearity")
HELD_OUT = ("linearity_heldout", "update_linearity_heldout")


def trained(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of protocol.csv of trained models that read whole shards, not the controls' fewer tokens."""
    rows = table[table.weights == "trained"]
    return rows[rows.tokens == rows.groupby("model").tokens.transform("max")]


def first_shard(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the rows of protocol.csv of one model and its twins on the whole first shard of WikiText-2."""
    rows = table[(table.model == model) & (table.corpus == "wikitext-2-valid") & (table["shard"] == 0)]
    return rows[rows.tokens == rows.tokens.max()]


def headline(tables: Callable[[str], pd.DataFrame] = results) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the book's figure as a table, and its control: ``linearity_heldout`` of every layer of the first ``REAL``.

    ``counted`` says of what: all tokens; the outliers left out; and the same for the update alone, without the
    residual. The control is the network with fresh random weights, on the same tokens. Held out, for the reason that
    :func:`beside_twins` gives.
    """
    rows = first_shard(tables("protocol"), next(iter(REAL)))
    by = {key: part for key, part in rows.groupby(["weights", "selection"])}
    few = by["trained", OUTLIERS]
    update = few.assign(linearity_heldout=few.update_linearity_heldout)
    named = {"all tokens": by["trained", ALL], "without the outliers": few, "without outliers and residual": update}
    lines = [part.assign(counted=name) for name, part in named.items()]
    return pd.concat(lines, ignore_index=True), by["random", OUTLIERS]


def between_stretches(
    table: pd.DataFrame, *, selection: str = OUTLIERS, scores: Sequence[str] = HELD_OUT
) -> pd.DataFrame:
    """Say how far apart a layer's scores on different stretches of a text lie: a row a model, text and layer.

    ``stretches`` is how many were read; texts of which only one was are left out.
    """
    rows = trained(table)
    by = rows[rows.selection == selection].groupby(["model", "corpus", "layer"], sort=False)
    found = (by[list(scores)].max() - by[list(scores)].min()).assign(stretches=by["shard"].nunique())
    return found[found.stretches > 1].reset_index()


def beside_twins(table: pd.DataFrame, *, selection: str = OUTLIERS, score: str = "linearity_heldout") -> pd.DataFrame:
    """Set trained models beside their twins on the same tokens: a row a model, number of tokens and layer.

    ``trained`` is the score; ``random`` and ``permuted`` the mean over seeds, with ``_low`` and ``_high``; ``below``
    says whether the trained layer scores less than every twin's. A held-out score, for a reason: what a twin makes of
    a token is nearly decided by which one it is, so a map learns the tokens by heart, of which there are fewer
    than the adjustment counts. In sample a twin then scores far more than on tokens it was not fitted to.
    """
    rows = controls(table)
    rows = rows[(rows.selection == selection) & rows.weights.isin(("trained", "random", "permuted"))]
    found = rows.groupby(["model", "tokens", "layer", "weights"])[score].agg(["mean", "min", "max"]).unstack("weights")
    twins = [name for name in ("random", "permuted") if name in found["mean"]]
    wide = found["mean"][["trained", *twins]]
    for name in twins:
        wide[[f"{name}_low", f"{name}_high"]] = found[[("min", name), ("max", name)]].to_numpy()
    wide["below"] = wide.trained < found["min"][twins].min(axis=1)
    return wide.reset_index().rename_axis(columns=None)


def swapped(table: pd.DataFrame, *, selection: str = OUTLIERS) -> pd.DataFrame:
    """Give trained layers what their twins have, one factor at a time: a row a model, number of tokens and layer.

    ``trained`` is LS. By 1 - LS = (1 - LS_res) * update ratio, ``random_size`` and ``permuted_size`` are what it would
    be with the twin's update ratio, ``random_shape`` and ``permuted_shape`` with its LS_res; ``random`` and
    ``permuted`` the twin's own, with both. All on held-out tokens, as in :func:`beside_twins`, and means over seeds.
    """
    rows = controls(table)
    rows = rows[rows.selection == selection].assign(shape=1 - rows.update_linearity_heldout)
    rows["size"] = (1 - rows.linearity_heldout) / rows["shape"]
    mean = rows.groupby(["model", "tokens", "layer", "weights"])[["shape", "size"]].mean().unstack("weights")
    shape, size = mean["shape"], mean["size"]
    found = pd.DataFrame({"trained": 1 - shape.trained * size.trained})
    for twin in ("random", "permuted"):
        if twin in shape:
            found[f"{twin}_size"] = 1 - shape.trained * size[twin]
            found[f"{twin}_shape"] = 1 - shape[twin] * size.trained
            found[twin] = 1 - shape[twin] * size[twin]
    return found.reset_index()


def controls(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of protocol.csv of the controls, and of the trained models that read what they read."""
    others = table[table.weights != "trained"]
    return table.merge(others[["model", "corpus", "tokens", "shard"]].drop_duplicates())


def on_gaussian(table: pd.DataFrame) -> pd.DataFrame:
    """Set layers on a text beside the same layers on Gaussian tokens, as many: a row a model, layer and kind of token.

    ``read`` is "the text" or "Gaussian tokens"; the held-out scores are means over draws, outliers left out.
    """
    rows = controls(table)
    rows = rows[rows.selection == OUTLIERS]
    drawn = rows[rows.weights == GAUSSIAN]
    text = rows[rows.weights == "trained"].merge(drawn[["model", "corpus", "tokens"]].drop_duplicates())
    both = pd.concat([text.assign(read="the text"), drawn.assign(read="Gaussian tokens")])
    return both.groupby(["model", "read", "layer"], sort=False, as_index=False)[[*HELD_OUT]].mean()


def unquantised(table: pd.DataFrame, *, scores: Sequence[str] = SCORES) -> pd.DataFrame:
    """Read off what scores would be without the errors of quantisation: a row a model, selection, layer and score.

    A quantised model has these errors once; with ``noise`` of the same size it has their variance two and three times.
    ``none`` is where the line through the three meets no error, ``value`` the score as it is, ``change`` the
    difference, ``bend`` how far the line misses the three. Of a model whose full precision is at hand, rounded to Q4_1
    for the purpose, ``known`` is the score without, else NaN.
    """
    rows, found = controls(table), []
    for model, part in rows.groupby("model", sort=False):
        noisy = part[part.weights.str.contains("noise")]
        part = part[part.tokens.isin(noisy.tokens)]  # twins read a whole shard, too, and the trained model with them
        rounded = part.weights.str.startswith("Q4_1").any()
        steps = ["Q4_1", "Q4_1 + noise", "Q4_1 + noise + noise"] if rounded else ["trained", "noise", "noise + noise"]
        mean = part.groupby(["selection", "layer", "weights"], sort=False)[list(scores)].mean()
        for score in scores:
            values = mean[score].unstack("weights")
            if not set(steps) <= set(values):
                continue
            three = values[steps].to_numpy()
            slope, none = np.polyfit([1, 2, 3], three.T, 1)
            bend = np.abs(three - (none[:, None] + slope[:, None] * [1, 2, 3])).max(axis=1)
            one = pd.DataFrame({"value": three[:, 0], "none": none, "change": three[:, 0] - none, "bend": bend})
            one["known"] = values["trained"].to_numpy() if rounded else np.nan
            found.append(one.set_index(values.index).reset_index().assign(model=model, score=score))
    return pd.concat(found, ignore_index=True)
