"""Print sums of what chapters 3, 4 and 5 say of the shipped tables: python tools/pins/chapters.py.

chapters.txt was made by the cells of the notebooks of commit 553640f, which computed the same in place.
"""

import hashlib
import math

import pandas as pd

import linstudy
from linstudy.prune import BASELINES
from linstudy.study.claims import SIBLINGS, dynamics, penalties, pruning
from linstudy.study.results import paper_table
from linstudy.study.sweeps import judged, swept


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


def regularised_chapter():
    everything = linstudy.results("regularisation")
    nano = everything[everything.preset == "nano"]
    table = nano[nano.step == nano.step.min()]
    key = ["corpus", "step", "variant", "rate", "seed"]
    runs = penalties.named(swept(table))
    pin("04 runs", runs[[*key, "best", "validation_nats", "linearity", "update_linearity"]])
    paired = penalties.against_plain(table)
    differences = [f"d_{score}" for score in penalties.SCORES]
    pin("04 paired", paired[[*key, *differences]])
    found = penalties.beyond_the_seeds(paired)
    for name, score in {"loss": "validation_nats", "LS": "linearity", "LS_res": "update_linearity"}.items():
        pin(f"04 beyond the seeds, {name}", found[found.score == score].drop(columns="score"))
    judges = paired[penalties.named(judged(table)).columns]
    pin("04 summary", penalties.summary(judges).round(4))
    more = penalties.with_more_text(nano)
    pin("04 with more text", more[[*key, "training_tokens", differences[0]]])
    layers = penalties.of_the_judges(table, judges)
    pin("04 layers", layers[["corpus", "variant", "seed", "layer", "linearity"]])
    profiles = linstudy.results("profiles")
    profiles = profiles[profiles.model.isin(SIBLINGS) & (profiles.part == "block") & (profiles.corpus == "stories")]
    profiles = profiles[profiles.weights == "trained"].assign(variant=profiles.model.map(SIBLINGS))
    scores = ["linearity", "update_linearity", "norm_ratio"]
    pin("04 pocket", penalties.inner_and_last(profiles)[["place", "variant", *scores]])
    asked = linstudy.results("evaluations")
    asked = asked[asked.model.isin(SIBLINGS)].assign(variant=asked.model.map(SIBLINGS))
    asked = asked.sort_values("variant", key=lambda names: names.map([*SIBLINGS.values()].index), kind="stable")
    chosen = penalties.solved(asked[asked.metric == "zero-shot accuracy"])
    numbers = [*SIBLINGS.values(), "standard error", "constant", "shared words"]
    pin("04 chosen right", chosen[numbers].reset_index())
    solving = {name: chosen.index[chosen[f"{name} solves"]] for name in SIBLINGS.values()}
    print("04 beyond the controls", "; ".join(f"{name}: {', '.join(tasks)}" for name, tasks in solving.items()))
    pin("04 best probes", penalties.best_probes(asked[asked.metric == "probe accuracy"]).stack().reset_index())
    printed = paper_table(2)
    compared = penalties.table_2(printed)
    pin("04 critique", compared[["model", "task", "z"]])
    pin("04 gains", penalties.gains(printed).reset_index())
    pin("04 odd", penalties.no_whole_questions(printed))
    most = compared.groupby("task").above_constant.max().dropna()
    print("04 strong", (compared.z.abs() > 3).sum(), most.to_dict())


def dynamics_chapter():
    long = dynamics.runs_of_ours(linstudy.results("dynamics"))
    means = dynamics.layer_means(long)
    plain, of_plain = long[long.variant == "plain"], means[means.variant == "plain"]
    pin("03 means", means)
    pin("03 readings", dynamics.readings(means))
    moved = dynamics.by_layer(plain)
    for score in dynamics.SCORES:
        print("03 since", score, *dynamics.since(of_plain, score, 0))
        pin(f"03 at loss, {score}", dynamics.at_loss(means, score, 1.5).rename("value").reset_index())
        pin(f"03 by layer, {score}", moved[score].reset_index())
    pin("03 at equal loss", dynamics.at_equal_loss(means)[["score", "variant", "value", "to plain"]])
    pin("03 ingredients", dynamics.ingredients(plain).reset_index())
    pin("03 course", dynamics.course(of_plain, ["update_linearity"])[["start", "highest", "at_step", "end"]])
    print("03 falls", f"{dynamics.falling(of_plain, 'update_linearity'):.0%}")
    seeds = dynamics.per_seed(dynamics.labelled(linstudy.results("finetuning")))
    pin("03 per seed", seeds)
    pin(
        "03 always", dynamics.always(seeds)[["task", "text", "change", "it", "to shuffled", "labels", "gain", "learnt"]]
    )
    theirs = paper_table(1)
    times = theirs.change / theirs.deviation
    pin("03 near zero", theirs[times < 2].assign(times=times))


if __name__ == "__main__":
    pruning_chapter()
    regularised_chapter()
    dynamics_chapter()
