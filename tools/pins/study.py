"""Print a sum of everything the study's tables, runs and commands give, to see that a redesign changes none of it."""

# ruff: noqa: E402, SIM105

import hashlib
import io
import os
import sys
import warnings
from contextlib import redirect_stdout

os.environ |= {"HF_HUB_OFFLINE": "1", "LINSTUDY_SIZE": "tiny", "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
warnings.filterwarnings("ignore")

import pandas as pd

import linstudy
from linstudy.cli import main
from linstudy.study.provenance import ROOT
from linstudy.study.registry import registry
from linstudy.study.results import TABLES, paper_table, published, results
from linstudy.study.rows import evaluation, finetuning, pretraining, profiles, pruning
from linstudy.study.rows.source import LENGTH, Source
from linstudy.study.sweeps import bracketed, judged, swept
from linstudy.study.table import Provenance
from linstudy.study.verdicts import changes, verdict


def say(name, value):
    print(name, hashlib.sha256(repr(value).encode()).hexdigest(), flush=True)


def cells(frame):
    return [(name, frame[name].astype(object).where(frame[name].notna(), "").map(repr).tolist()) for name in frame]


def sorted_cells(name, frame):
    """The columns of a table, in its order, of rows sorted by their key: what a file of them would hold."""
    known = TABLES[name]
    wanted = [column for column in known.columns if column not in Provenance.__annotations__]
    frame = frame[[column for column in wanted if not column.endswith(("_ms", "_share", "_ms_8", "_share_8"))]].copy()
    for column in frame.select_dtypes("number"):
        frame[column] = frame[column].astype(float)
    keys = [
        ["" if pd.isna(cell) else str(cell) for cell in row] for row in frame[list(known.key)].itertuples(index=False)
    ]
    return cells(frame.iloc[sorted(range(len(frame)), key=keys.__getitem__)])


def printed(*words):
    said = io.StringIO()
    with redirect_stdout(said):
        try:
            main(words)
        except SystemExit:
            pass
    return said.getvalue()


def plain(value):
    return repr(value).replace(str(ROOT.parent), "..")


for table in TABLES:
    say(f"table {table}", cells(results(table)))
    say(f"columns {table}", (TABLES[table].key, TABLES[table].measured))
say("published", cells(published()))
for number in (1, 2, 3):
    say(f"paper table {number}", cells(paper_table(number)))
say("results --list", printed("results", "--list"))
for verb in ("", "profile", "pretrain", "prune", "results", "doctor"):
    say(f"help {verb}", printed(*verb.split(), "--help"))

# What the old key does not say and the arguments do is left out on the left: a run's rate, what is named elsewhere.
runs = registry()
say("runs", [(run.name, run.table.name, run.size, run.needs) for run in runs])
say("keys", [sorted((n, repr(v)) for n, v in run.key.items() if n != "rate") for run in runs])


def arguments(run):
    """Under the names that they had."""
    renamed = {"families": {"model": "name"}, "regularisation": {"step": "steps"}}.get(run.table.name, {})
    new = ("healing", "tokens") if run.table.name == "families" else ("healing",)
    return {renamed.get(name, name): value for name, value in run.arguments.items() if name not in new}


say("arguments", [sorted((n, plain(v)) for n, v in arguments(run).items()) for run in runs])

everything = results("regularisation")
say("swept", cells(swept(everything)))
say("judged", cells(judged(everything)))
say("bracketed", [bracketed(lambda rate, best=best: abs(rate - best), (1.0, 2.0)) for best in (0.1, 0.9, 1.2, 9.0)])
say(
    "changes",
    [(c.interval, c.direction) for c in (changes(v) for v in ((-1.0, -1.1, -1.2), (0.1, -0.2), (1.0,)))],
)
say("verdicts", [verdict("falls", words.split()) for words in ("falls", "falls rises", "undecided falls", "")])

if "quick" in sys.argv:
    sys.exit()

# Rows at tiny size.
import torch

torch.set_num_threads(1)
L = LENGTH
pocket = Source("stories-1m", "abc", "stories-1m", "stories", "stories")
tiny = {"tokens": 4 * L, "dtype": "float32"}
for name in ("profiles", "outliers", "boundaries"):
    for weights in ("trained", "random") if name != "outliers" else ("trained",):
        say(f"rows {name} {weights}", sorted_cells(name, TABLES[name].rows(source=pocket, weights=weights, **tiny)))
profiles.SEEDS = 1
say("rows families", sorted_cells("families", TABLES["families"].rows(model="gpt2", tokens=profiles.FAMILY_TOKENS)))

from dataclasses import replace

from linstudy.train import PRESETS

STEPS = 12
SPECK = {"layers": 3, "width": 16, "inner": 32, "head_dim": 4, "vocab_size": 300, "length": 64}
PRESETS["speck"] = replace(PRESETS["nano"], name="speck", **SPECK, tokens=STEPS * 4 * 64, peak_rate=1e-2)
pretraining.RATES["speck"] = (5e-3, 1e-2)
pretraining.MEASURED = 1024
cosine = pretraining.Variant("cosine", 0.5)
branches = pretraining.Variant(scaling="branches=0.3,power=0")
for variant in (cosine, branches):
    made = TABLES["regularisation"].rows(preset="speck", corpus="stories", variant=variant, step=STEPS)
    say(f"rows regularisation {variant.name}", sorted_cells("regularisation", made))
made = TABLES["dynamics"].rows(preset="speck", corpus="stories", variant=cosine, rate=1e-2, seed=1, steps=STEPS)
say("rows dynamics", sorted_cells("dynamics", made))
made = TABLES["dynamics"].rows(
    source=Source("stories-1m", "", "stories-1m", "stories", "stories"), revisions={0: None, 4: None}, tokens=4 * L
)
say("rows checkpoints", cells(made[["layer", "step", "linearity", "validation_nats", "tokens", "text_hash"]]))

for name, value in {"EXAMPLES": 32, "TESTED": 16, "STEPS": 3, "BATCH": 4, "SEEDS": (0, 1), "BLOCKS": 4}.items():
    setattr(finetuning, name, value)
for task, shuffled in (("question", False), ("question", True), ("preference", False), ("pydocs", False)):
    made = TABLES["finetuning"].rows(source=pocket, task=task, shuffled=shuffled)
    say(f"rows finetuning {task} {shuffled}", sorted_cells("finetuning", made))

for name, value in {"PROMPTS": 2, "SAMPLES": (0, 1), "CHOICES": 8, "EXAMPLES": 20, "KNOWN": 50}.items():
    setattr(evaluation, name, value)
evaluation.PROBED = ("entailment",)
say("rows evaluations", sorted_cells("evaluations", TABLES["evaluations"].rows(source=pocket)))

small = {"BUDGETS": (2,), "EVALUATED": {True: 3, False: 2}, "SHARD_BLOCKS": 2, "EXAMPLES": 24, "SEEDS": (0, 1)}
small["HEALED"] = {"steps": 2, "batch": 2, "warmup": 1, "log_every": 1, "validate_every": 2}
for name, value in small.items():
    setattr(pruning, name, value)

import tempfile

from linstudy import load
from linstudy.models import small_model

with tempfile.TemporaryDirectory() as folder:
    tokenizer = load("stories-1m")[1]
    small_model("llama", seed=3, vocab_size=len(tokenizer), num_hidden_layers=4).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    mine = Source("mine", "0" * 12, folder, "stories", "stories")
    texts = {"stories": "stories", "pydocs": "pydocs"}
    tiny["tokens"] = 6 * L
    say("rows costs", sorted_cells("layer_costs", TABLES["layer_costs"].rows(source=mine, **tiny)))
    say(
        "rows pruning",
        sorted_cells(
            "pruning", TABLES["pruning"].rows(source=mine, texts=texts, healing="none", task="preference", **tiny)
        ),
    )
    say(
        "rows healing",
        sorted_cells("pruning", TABLES["pruning"].rows(source=mine, texts=texts, healing="stand-ins", **tiny)),
    )
say("names", linstudy.__all__)
