"""Print sums of what chapters 3, 4 and 5 say of the shipped tables: python tools/pins/chapters.py.

chapters.txt was made by the cells of the notebooks of commit 553640f, which computed the same in place.
"""

import hashlib
import math

import pandas as pd

import linstudy
from linstudy.prune import BASELINES
from linstudy.study.claims import SIBLINGS, pruning


def pin(name, table):
    """Hash the values of a table, its rows in the order of their words."""
    rows = sorted(repr(tuple(value(cell) for cell in row)) for row in table.itertuples(index=False))
    print(name, hashlib.sha256("\n".join(rows).encode()).hexdigest(), len(rows))


def value(cell):
    if pd.isna(cell):
        return None
    return cell if isinstance(cell, str) else float(cell)


def pruning_chapter():
    costs, everything = linstudy.results("layer_costs"), linstudy.results("pruning")
    table = everything[everything.model != "stories-1m-2-layers"]
    bare = table[table.healing == "none"]
    here = pruning.on_own_text(bare)
    own, far = bare[here], bare[~here]
    named = {"remove": "removed", "affine": "replaced"}
    taus = pruning.agreement(costs).replace({"action": named | {"merge": "merged"}})
    pin("05 agreement", taus[["model", "shard", "action", "score", "tau"]])
    cases = pruning.most_linear(costs[costs.action.isin(named)])
    columns = ["model", "score", "action", "layer", "value", "cost", "cheapest", "its_value", "its_cost", "place"]
    pin("05 most linear", cases.replace({"action": named})[columns])
    kept = pruning.promises(own)
    pin("05 promises", kept.groupby(["promise", "model"]).kept.agg(["sum", "count"]).reset_index())
    broken = pruning.broken(kept)
    broken = broken[broken.action.isin(pruning.REPLACED)]
    pin("05 broken promises", broken[["promise", "model", "which", "times"]])
    worse = pruning.worse_in_sequence(kept, costs.groupby("model").layer.max())
    print("05 in sequence", [f"{row.iloc[0]} of {row.iloc[1]}" for _, row in worse.iterrows()])
    methods = BASELINES | pruning.OURS
    pin("05 contest", pruning.contest(bare, methods)[["model", "text", "layers", "method", "perplexity"]])
    won = pruning.winners(bare, methods)
    pin("05 winners", won[["model", "text", "layers", "method"]])
    at_home = pruning.on_own_text(won)
    least = far.groupby(["model", "action"]).perplexity.min().unstack()
    gained = int((least.drop(columns="whole").min(axis=1) < least.whole).sum())
    print("05 slack", won[at_home].slack.max(), won[~at_home].slack.max(), gained)
    rises = pruning.rises(own, SIBLINGS)
    changed = rises[rises.action != "whole"]
    pin("05 rises", changed[["action", "layers", "variant", "rise"]])
    pin("05 least", changed[["action", "layers", "variant", "nats"]])
    whole = rises[rises.action == "whole"].set_index("variant").nats.sort_index()
    shallow = everything[(everything.model == "stories-1m-2-layers") & (everything.text == "stories")]
    print("05 base", *whole, math.log(shallow.perplexity.iloc[0]))
    ends = pruning.last_and_others(costs, SIBLINGS)
    pin("05 last and others", ends.stack().reset_index())
    equal = pruning.at_equal(own)
    equal = equal.replace({"equal": {"decode_share": "time", "parameters": "size"}})
    pin("05 equal", equal.assign(rival_layers=equal.rival_layers.astype(float)))
    print("05 wins at equal", (equal.perplexity < equal.rival).groupby(equal.equal).sum().to_dict())
    trained = pruning.healed(table)
    means = trained[pruning.on_own_text(trained)].groupby(["model", "action", "healing"]).perplexity.mean()
    pin("05 healed", means.reset_index())
    asked = pruning.asked(own, far)
    pin("05 asked", asked[["model", "layers", "which", "action", "perplexity", "elsewhere"]])
    chance = asked[(asked.action == "whole") & (asked.probe_accuracy - asked.probe_constant < 2 * asked.probe_error)]
    wins = [found[found.action == "affine"].kept for found in (kept, pruning.promises(far))]
    print("05 wins", *(f"{found.sum()} of {len(found)}" for found in wins), sorted(chance.model))
    print("05 fell", asked.worse.sum())


if __name__ == "__main__":
    pruning_chapter()
