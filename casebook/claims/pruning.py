"""Which layers can go: what the tables of pruned models say of scores, promises, methods, time and healing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..figures import frontier

CHOICE = ["model", "text", "which"]  # of layers, which may be another order's choice, too
CONTEST = ["model", "text", "layers"]
REPLACED = ("affine", "sequential")
# What others have proposed, as an order and an action, without the training that some of them add.
BASELINES = {
    "ShortGPT": ("block_influence", "remove"),  # Men et al. 2024
    "Gromov et al.": ("angular", "remove"),  # 2024
    "SLEB": ("greedy", "remove"),  # Song et al. 2024; here the first and the last layer may go too
    "ReplaceMe": ("angular", "merge"),  # Shopkhoev et al. 2025, by least squares
}
OURS = {  # the paper's methods, and ours, likewise
    "paper, removed": ("linearity", "remove"),
    "paper, replaced": ("linearity", "affine"),
    "ours, one shot": ("greedy_replaced", "affine"),
    "ours, sequential": ("greedy_replaced", "sequential"),
}
ALIKE = 1e-9  # perplexities that differ by less are of the same layers, summed in another order
VOCABULARY, OUR_VOCABULARY = {"stories260K": 512}, 2048  # tokens
PROMISES = {  # an action, what it is compared with, and what multiple of that one's perplexity it stays below
    "a map costs less than removing": ("affine", "remove", 1.0),
    "in sequence is no worse than at once": ("sequential", "affine", 1 + 1e-6),
    "merging costs less than removing": ("merge", "remove", 1.0),
}


def agreement(costs: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`casebook.costs.rank_agreement` for every model and shard of layer_costs.csv."""
    from ..costs import rank_agreement

    shards = costs.groupby(["model", "shard"], sort=False)
    found = [
        rank_agreement(part.drop_duplicates("layer"), part).assign(model=model, shard=shard)
        for (model, shard), part in shards
    ]
    return pd.concat(found, ignore_index=True)


def most_linear(costs: pd.DataFrame) -> pd.DataFrame:
    """Compare the most linear layer with the cheapest one: a row a model, score and action, means over shards.

    ``layer`` has the highest ``value`` of the score and costs ``cost`` nats a token, the ``place``-th least ``of`` so
    many layers; ``cheapest`` has ``its_value`` and ``its_cost``.
    """
    rows = []
    for (model, action), part in costs.groupby(["model", "action"], sort=False):
        mean = part.groupby("layer")[["delta_nats", "linearity", "update_linearity"]].mean()
        cost = mean.delta_nats
        for score, symbol in (("linearity", "LS"), ("update_linearity", "LS_res")):
            most, least = mean[score].idxmax(), cost.idxmin()
            row = {"model": model, "score": symbol, "action": action}
            row |= {"layer": most, "value": mean[score][most], "cost": cost[most]}
            row |= {"place": int(cost.rank()[most]), "of": len(cost)}
            rows.append(row | {"cheapest": least, "its_value": mean[score][least], "its_cost": cost[least]})
    return pd.DataFrame(rows)


def on_own_text(table: pd.DataFrame) -> pd.Series:
    """Say of each row of pruning.csv whether perplexity was measured on the kind of text that was fitted."""
    return table.text == table.corpus.replace({"wikitext": "wikitext-test"})


def promises(table: pd.DataFrame) -> pd.DataFrame:
    """Say which of ``PROMISES`` were kept: a row a promise and a row of the table that it is about.

    ``times`` is the perplexity as a multiple of its rival's, which changed the same layers; without one, no row.
    """
    known = table.drop_duplicates(["action", *CHOICE]).set_index(["action", *CHOICE]).perplexity
    found = []
    for promise, (action, rival, limit) in PROMISES.items():
        part = table[table.action == action].assign(promise=promise, rival_action=rival)
        if part.empty or rival not in known.index.unique("action"):
            continue
        part = part.join(known[rival].rename("rival"), on=CHOICE).dropna(subset="rival")
        times = part.perplexity / part.rival
        found.append(part.assign(times=times, kept=times < limit))
    return pd.concat(found, ignore_index=True)


def broken(kept: pd.DataFrame) -> pd.DataFrame:
    """Return the different choices of layers that break a promise, the worst first; ``kept`` is of :func:`promises`."""
    rows = kept[~kept.kept].drop_duplicates(["promise", "model", "which"])
    return rows.sort_values("times", ascending=False)


def worse_in_sequence(kept: pd.DataFrame, depths: Mapping[str, int], *, times: float = 1.01) -> pd.DataFrame:
    """Count the choices of several layers that are clearly worse in sequence, with the last layer and without it."""
    rows = kept[(kept.action == "sequential") & (kept.rival_action == "affine") & (kept.layers > 1)]
    rows = rows.drop_duplicates(["model", "which"])
    last = rows.which.str.split().str[-1].astype(int) == rows.model.map(depths)
    counts = (rows.times > times).groupby(last).agg(["sum", "count"]).reindex([True, False], fill_value=0)
    return counts.set_axis(["with the last layer", "without it"]).set_axis(["clearly worse", "of"], axis=1)


def contest(table: pd.DataFrame, methods: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Return the rows of each method, an order and an action, in the order of ``methods``."""
    chosen = [
        table[(table.order == order) & (table.action == action)].assign(method=name)
        for name, (order, action) in methods.items()
    ]
    return pd.concat(chosen, ignore_index=True)


def sane(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models and texts on which the whole model is no worse than one that finds all tokens alike.

    Of one that is worse, any change may be a gain: a contest there says nothing.
    """
    whole = table[table.action == "whole"].groupby(["model", "text"]).perplexity.first()
    alike = whole.index.get_level_values("model").map(lambda model: VOCABULARY.get(model, OUR_VOCABULARY))
    return table[table.set_index(["model", "text"]).index.isin(whole.index[whole <= alike])]


def winners(table: pd.DataFrame, methods: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Return the winner of every contest (a model, a text, a number of layers): ``method`` names all that are alike.

    ``slack`` is its perplexity as a multiple of the least that any order and action of the table reaches there.
    """
    entered = contest(table, methods).sort_values(CONTEST, kind="stable")
    least = entered.groupby(CONTEST).perplexity.transform("min")
    first = entered[entered.perplexity <= least * (1 + ALIKE)]
    won = first.groupby(CONTEST, sort=False).agg(method=("method", " = ".join), perplexity=("perplexity", "min"))
    best = table[table.action != "whole"].groupby(CONTEST).perplexity.min().rename("best")
    won = won.join(best)
    return won.assign(slack=won.perplexity / won.best).reset_index()


def rises(table: pd.DataFrame, variants: Mapping[str, str]) -> pd.DataFrame:
    """Say what losing layers does to models that were trained differently: a row an action, number and variant.

    ``nats`` is the least loss that any choice of so many layers leaves, ``rise`` by how much it is above that of the
    whole model, whose ``layers`` are 0. ``variants`` names the variant of each model.
    """
    rows = table[table.model.isin(variants) & table.action.isin(("whole", "remove", *REPLACED))]
    rows = rows.assign(variant=rows.model.map(variants), nats=np.log(rows.perplexity))
    least = rows.groupby(["action", "layers", "variant"], as_index=False).nats.min()
    whole = least[least.action == "whole"].set_index("variant").nats
    return least.assign(rise=least.nats - least.variant.map(whole))


def at_equal(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the best replaced model with the best removed one that is no slower, or no larger.

    A row a model, measure and number of layers replaced: ``perplexity``, the ``rival``'s (infinite where none is as
    fast or small), and how many layers that one lost.
    """
    rows = []
    for model, part in table.groupby("model", sort=False):
        replaced = part[part.action.isin(REPLACED)]
        for measure in ("decode_share", "parameters"):
            stairs = frontier(part[part.action == "remove"], x=measure)
            for layers, some in replaced.groupby("layers"):
                best = some.loc[some.perplexity.idxmin()]
                rivals = stairs[stairs[measure] <= best[measure]]
                row = {"model": model, "equal": measure, "layers": int(layers), "perplexity": best.perplexity}
                row |= {"rival": rivals.perplexity.min() if len(rivals) else np.inf, "rival_layers": None}
                if len(rivals):
                    row["rival_layers"] = rivals.layers[rivals.perplexity.idxmin()]
                rows.append(row)
    return pd.DataFrame(rows)


def map_share(table: pd.DataFrame) -> pd.Series:
    """Return, for each model, the share of a block's parameters that its map has."""
    parameters = table.groupby(["model", "action", "layers"]).parameters.first().astype(float)
    block = parameters.groupby(["model", "action"]).diff().groupby(["model", "action"]).mean().unstack("action")
    return 1 - block.affine / block["remove"]


def above_proportional(table: pd.DataFrame, depths: Mapping[str, int]) -> pd.DataFrame:
    """Return by what share the times of models that lost layers are above proportional to the blocks left."""
    timed = table[table.action == "remove"].drop_duplicates(["model", "layers"])
    left = 1 - timed.layers.astype(float) / timed.model.map(depths).astype(float)
    shares = timed.set_index(["model", "layers"]).filter(regex="_share(_8)?$")
    return shares.div(left.to_numpy(), axis=0) - 1


def every_choice(table: pd.DataFrame, actions: Sequence[str]) -> pd.DataFrame:
    """Return a row for every choice of layers that was tried with all these actions, fewer layers first."""
    rows = table[table.action.isin(actions)].drop_duplicates(["which", "action"]).sort_values(["layers", "which"])
    return rows[rows.groupby("which").action.transform("nunique") == len(actions)]


def asked(own: pd.DataFrame, far: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models that were asked what they know, by layers changed.

    ``elsewhere`` is the perplexity on the other text. ``worse`` says whether a changed model chooses right less often
    than its whole one by more than two standard errors of the difference.
    """
    rows = own[own.order.isin(["whole", "greedy_replaced"])].dropna(subset="accuracy")
    choice = ["model", "action", "which"]
    rows = rows.join(far.groupby(choice).perplexity.first().rename("elsewhere"), on=choice)
    whole = rows[rows.action == "whole"].set_index("model")
    error = np.hypot(rows.accuracy_error, rows.model.map(whole.accuracy_error))
    worse = rows.model.map(whole.accuracy) - rows.accuracy > 2 * error
    return rows.assign(worse=worse).sort_values(["model", "layers"], kind="stable")


def nearer_or_better(model: Any, layers: Sequence[int], fitted: Any, other: Any) -> pd.DataFrame:
    """Replace the same layers at once and in sequence: is the last state nearer the whole model's, is the loss lower?

    A row a text ("fitted" or "not fitted") and action: ``error``, the squared distance as a share of that state's
    variance, and ``nats``.
    """
    from linstudy.evaluate import cross_entropy
    from linstudy.prune import changed, fit

    from ..tokens import sample_states

    count = min(4096, other.numel())
    texts = {"fitted": fitted, "not fitted": other}
    goals = {text: sample_states(model, some, count)[-1].double() for text, some in texts.items()}
    rows = []
    for action in REPLACED:
        with changed(model, fit(model, layers, action, blocks=fitted), keep_places=True):
            for text, some in texts.items():
                goal = goals[text]
                error = (sample_states(model, some, count)[-1] - goal).square().sum()
                row = {"text": text, "action": action, "nats": cross_entropy(model, some)}
                rows.append(row | {"error": float(error / (goal - goal.mean(0)).square().sum())})
    return pd.DataFrame(rows)
