"""Print a SHA-256 of every plot's SVG bytes and of its alt text, drawn from the shipped tables."""

import hashlib

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import linstudy
from linstudy import show

show.style()


def pin(name, text):
    print(name, hashlib.sha256(text.encode()).hexdigest())


def alt(function, *args, **options):
    """Say a plot's words: from its twin where there is one, else from what it drew."""
    if hasattr(show, "words_of"):
        return None
    return getattr(show, function)(*args, **options)


def drawn(name, ax, words=None):
    said = show.words_of(ax) if hasattr(show, "words_of") else words
    pin(name, show.picture(ax, alt="pinned").html)
    if words is not None or (hasattr(show, "words_of") and name in WITH_WORDS):
        pin(f"{name}, words", said)


WITH_WORDS = set()


def plot(name, function, twin, args, options, extra=None, twin_options=None):
    ax = getattr(show, function)(*args, **options, **(extra or {}))
    if twin is None:
        drawn(name, ax)
        return
    WITH_WORDS.add(name)
    drawn(name, ax, alt(twin, *args, **(options if twin_options is None else twin_options)))


profiles = linstudy.results("profiles")
block = profiles[(profiles.part == "block") & (profiles.model == "stories-1m")]
trained, random = (block[(block.weights == w) & (block.corpus == "stories")] for w in ("trained", "random"))
whole = profiles[(profiles.part == "block") & (profiles.corpus == "stories")]
for y in ("linearity", "update_linearity", "linearity_raw", "update_ratio", "norm_ratio"):
    plot(f"profile {y}", "profile_plot", "alt_text", (trained,), {"y": y}, None)
    plot(f"profile control {y}", "profile_plot", "alt_text", (trained,), {"y": y, "control": random})
    plot(f"profile hue {y}", "profile_plot", "alt_text", (whole,), {"y": y, "hue": "model"})
corpora = block[block.weights == "trained"]
plot("profile corpora", "profile_plot", "alt_text", (corpora,), {"hue": "corpus", "control": random})
outliers = linstudy.results("outliers")
outliers = outliers[(outliers.model == "stories-1m") & (outliers.weights == "trained")]
outliers = outliers[outliers.corpus == outliers.corpus.iloc[0]]
plot("ablation", "ablation_plot", None, (outliers,), {})
plot("ablation update", "ablation_plot", None, (outliers,), {"y": "update_linearity"})
n = np.array([200, 1000, 5000, 20000])
sweep = pd.DataFrame({"tokens": n, "floor": 100 / n, "linearity_raw": 0.5 + 50 / n, "linearity": 0.5 + 1 / n})
sweep["linearity_heldout"] = 0.5 - 60 / n
plot("sweep", "sweep_plot", None, (sweep,), {"truth": 0.5})
plot("sweep two", "sweep_plot", None, (sweep.assign(update_linearity=0.1),), {"y": ("linearity", "update_linearity")})
known = pd.DataFrame({"answer": [0, 0.5, 1] * 2, "linearity": [0.01, 0.49, 1, 0, 0.51, 1], "data": list("aaabbb")})
plot("known answers", "known_answers_plot", None, (known,), {})
plane = whole[whole.model.isin(["stories-1m", "stories260K"]) & (whole.weights == "trained")]
plot("plane", "identity_plane", "identity_alt", (plane,), {})
plot("plane marked", "identity_plane", "identity_alt", (plane,), {"highlight": ("stories-1m", 3)})
plot("plane one", "identity_plane", "identity_alt", (trained,), {"hue": None})
draw = np.random.default_rng(0)
errors = [pd.DataFrame({"layer": i, "relative_error": draw.chisquare(4 + i, 3000) / (4 + i)}) for i in range(1, 6)]
errors = pd.concat(errors)
plot("tail", "tail_plot", "tail_alt", (errors,), {})
plot("tail dims", "tail_plot", "tail_alt", (errors,), {}, {"dims": 30})
families = linstudy.results("families")
families = families[(families.part == "block") & (families.corpus == "stories")]
plot("families", "family_plot", "family_alt", (families,), {})
dynamics = linstudy.results("dynamics")
means = dynamics.groupby(["step", "seed", "penalty", "weight", "training_tokens"], dropna=False, as_index=False)
means = means[["linearity", "update_linearity", "validation_nats"]].mean()
means["variant"] = means.penalty.fillna("").astype(str) + " " + means.weight.fillna(0).astype(str)
for y in ("linearity", "update_linearity", "validation_nats"):
    options = {"y": y, "hue": "variant"}
    plot(f"steps {y}", "steps_plot", "alt_text", (means,), options, None, {"x": "step", **options})
for y in ("linearity", "update_linearity"):
    plot(f"path {y}", "path_plot", "path_alt", (means,), {"y": y, "hue": "variant"})
sweeps = linstudy.results("regularisation")
sweeps["variant"] = sweeps.penalty.fillna("plain").astype(str) + " " + sweeps.weight.fillna(0).astype(str)
for corpus, part in sweeps.groupby("corpus"):
    plot(f"rates {corpus}", "rates_plot", "rates_alt", (part,), {"hue": "variant"})
    options = {"x": "validation_nats", "row": "variant", "reference": 3.3}
    plot(f"spread {corpus}", "spread_plot", "spread_alt", (part,), options)
    options = {"x": "linearity", "row": "variant", "hue": "seed"}
    extra = {"reference_label": "plain"}
    plot(f"spread hue {corpus}", "spread_plot", "spread_alt", (part,), options, extra)
pruning = linstudy.results("pruning")
pruning = pruning[(pruning.model == "stories-1m") & (pruning.layers > 0)].dropna(subset=["decode_ms", "perplexity"])
for action, part in pruning.groupby("action"):
    plot(f"budget {action}", "budget_plot", "budget_alt", (part,), {"whole": 2.0})
    plot(f"budget marked {action}", "budget_plot", "budget_alt", (part,), {}, {"highlight": [part["order"].iloc[0]]})
for x in ("decode_ms", "parameters"):
    plot(f"frontier {x}", "frontier_plot", "frontier_alt", (pruning,), {"x": x})
    chosen = {"chosen": pruning.iloc[5]}
    plot(f"frontier chosen {x}", "frontier_plot", "frontier_alt", (pruning,), {"x": x}, chosen)
names = ["linearity", "update_linearity", "block_influence"]
taus = [(s, a, float(draw.uniform(-1, 1))) for s in names for a in ("removed", "affine") for _ in range(3)]
taus = pd.DataFrame(taus, columns=["score", "action", "tau"])
plot("agreement", "agreement_plot", "agreement_alt", (taus,), {})
fig, axes = plt.subplots(2, 1, figsize=(4.5, 6), sharex=True)
for ax, y in zip(axes, ("linearity", "update_linearity"), strict=True):
    show.profile_plot(trained, y=y, hue="model", control=random, ax=ax)
pin("two panels", show.picture(fig, alt="pinned").html)
words = [alt("alt_text", trained, y=y, hue="model", control=random) for y in ("linearity", "update_linearity")]
pin("two panels, words", show.words_of(fig) if hasattr(show, "words_of") else " ".join(words))
tokens = ["Once", " upon", " a", " time", ",", "\n", " <b>", "é", "▁x", "\x00"]
values = [0.1, 0.5, 2.0, np.nan, 0.01, 1, 3, 0.2, 0.3, 0.4]
heat = show.token_heatmap(tokens, values, log=True)
pin("heat map", heat.html + heat.numbers)
pin("heat map, words", heat.alt)
heat = show.token_heatmap(tokens, values, label="lens_nats", limits=(0.2, 1.5))
pin("heat map limits", heat.html + heat.numbers + heat.alt)
pin("table", show.fallback_table(trained.head(3)[["layer", "linearity", "update_ratio"]]))
pictures = {("a", 1): heat, ("b", 1): heat, ("a", 2): heat, ("b", 2): heat}
made = show.chooser(pictures, labels=("name", "layer"))
pin("chooser", made.first)
