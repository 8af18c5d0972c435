"""What the long runs are: every model, text and control whose rows the tables should have."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from . import evaluation_rows, finetuning_rows, pretraining_rows, pruning_rows, rows
from .reach import BESIDE, MADE, SHARED_MODEL, Needs, digest, pocket_folders
from .runs import Run


@dataclass(frozen=True)
class HubModel:
    """A model on the hub, for machines of ``size`` or larger; ``commit`` so that it is the same one next year."""

    name: str
    commit: str
    size: str = "t4"
    dtype: str = "float32"  # where it fits: bfloat16 rounds the stream itself


HUB = (
    HubModel("gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e"),
    HubModel("gpt2-large", "32b71b12589c2f8d625668d2335a01cac3249519"),
    HubModel("facebook/opt-125m", "27dcfa74d334bc871f3234de431e71c6eeba5dd6"),
    HubModel("facebook/opt-1.3b", "3f5c25d0bc631cb57ac65913f76e22c2dfb61d62"),
    HubModel("EleutherAI/pythia-70m", "a39f36b100fe8a5377810d56c3f4789b9c53ac42"),
    HubModel("EleutherAI/pythia-160m", "50f5173d932e8e61f858120bcb800b97af589f46"),
    HubModel("EleutherAI/pythia-1b", "f73d7dcc545c8bd326d8559c8ef84ffe92fea6b2"),
    HubModel("EleutherAI/pythia-2.8b", "2a259cdd96a4beb1cdf467512e3904197345f6a9", size="full"),
    HubModel("bigscience/bloom-560m", "ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971"),
    HubModel("TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T", "036fa4651240b9a1487f709833b9e4b96b4c1574"),
    HubModel("meta-llama/Llama-3.2-1B", "4e20de362430cd3b72f300e6b0f18e50e7166e08"),
    HubModel("Qwen/Qwen2.5-0.5B", "060db6499f32faf8b98477b0a26969ef7d8b9987"),
    HubModel("Qwen/Qwen2.5-1.5B", "8faed761d45a263340a0528343f099c05c9a4323"),
    HubModel("mistralai/Mistral-7B-v0.1", "27d67f1b5f57dc0953326b2601d68371d40ea8da", size="full", dtype="bfloat16"),
)

OWN_TEXTS = {"stories": "stories", "pydocs": "pydocs"}  # perplexity on the text that was learnt, and on another
# The models of the pruning chapter; the last is in the paper's Figure 6, and of 7 B parameters.
PRUNED = {"facebook/opt-125m", "facebook/opt-1.3b", "gpt2", "EleutherAI/pythia-1b", "meta-llama/Llama-3.2-1B"}
LLAMA_2 = HubModel(
    "meta-llama/Llama-2-7b-hf", "01c7f73d771dfac7d292323805ebc428287df4f9", size="full", dtype="bfloat16"
)


# Published checkpoints, by the names of their revisions; dense at first, where most happens.
PYTHIA_STEPS = (0, *(2**power for power in range(10)), *(1000 * 2**power for power in range(8)), 143_000)
BLOOM_STEPS = (1000, 10_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000)
CHECKPOINTS = {
    "EleutherAI/pythia-70m": {step: f"step{step}" for step in PYTHIA_STEPS},
    "EleutherAI/pythia-160m": {step: f"step{step}" for step in PYTHIA_STEPS},
    "EleutherAI/pythia-1b": {step: f"step{step}" for step in PYTHIA_STEPS},
    "bigscience/bloom-560m-intermediate": {step: f"global_step{step}" for step in BLOOM_STEPS},
}
# Models of the paper's Table 1, which are tuned on its tasks, by the size that AdamW's memory of them needs.
TUNED = {"facebook/opt-125m": "t4", "gpt2": "t4", "facebook/opt-1.3b": "full", "gpt2-large": "full"}
KINDS = ("costs", "pruning", "healing")  # of runs on a pruned model
PLAIN = "stories-1m"  # of the pocket models the one that was trained without a penalty
# What is trained again and again: its name, the preset, steps, texts, variants, and the size that it needs.
SWEPT = (
    ("nano", "nano", 256, ("stories", "pydocs"), pretraining_rows.VARIANTS, "tiny"),
    ("nano-longer", "nano", 1024, ("stories",), pretraining_rows.LONGER, "tiny"),
    ("nano-longer", "nano", 768, ("pydocs",), pretraining_rows.LONGER, "tiny"),  # all the text there is
    ("pocket", "pocket", 4882, ("stories", "wikitext"), pretraining_rows.VARIANTS, "t4"),
)
FOLLOWED = {"nano": (6e-3, 1024, "tiny"), "pocket": (6e-3, 4882, "t4")}  # rate, steps


def registry() -> tuple[Run, ...]:
    """Return today's runs, in the order in which they are done: what this machine can surely do comes first."""
    runs: list[Run] = []
    for name in rows.SMALL:
        key = {"model": name, "tokens": rows.FAMILY_TOKENS}
        runs.append(Run(f"families-{name.replace(' ', '-')}", "families", "tiny", "nothing", key, _families(name)))
    for text in ("tinystories-train-sample", "wikitext-2-valid"):
        source = rows.Source("stories260K", digest(SHARED_MODEL), SHARED_MODEL, text, BESIDE / "data" / f"{text}.txt")
        runs += _measured(source, tokens=320 * rows.LENGTH, needs="shared model")
    for name, folder in pocket_folders().items():
        for text in ("stories", "pydocs"):
            runs += _measured(rows.Source(name, digest(folder), name, text, text), tokens=200 * rows.LENGTH)
    runs += _followed()
    runs += _swept()
    for name, folder in pocket_folders().items():
        runs += _behaviour(rows.Source(name, digest(folder), name, "stories", "stories"))
    for model in HUB:
        source = rows.Source(model.name, model.commit[:12], model.name, "wikitext", "wikitext", model.commit)
        tokens = 1024 * rows.LENGTH  # a floor of 0.01 up to a width of 2,600
        runs += _measured(source, tokens=tokens, needs="hub", size=model.size, dtype=model.dtype)
    for name, revisions in CHECKPOINTS.items():
        source = rows.Source(name, "", name, "wikitext", "wikitext")
        make = partial(pretraining_rows.checkpoint_rows, source, revisions, tokens=256 * rows.LENGTH)
        key = {"model": name, "corpus": "wikitext"}
        runs.append(Run(f"dynamics-{name}", "dynamics", "t4", "hub", key, make))
    for model in (model for model in HUB if model.name in TUNED):
        source = rows.Source(model.name, model.commit[:12], model.name, "wikitext", "wikitext", model.commit)
        runs += _tuned(source, finetuning_rows.HUB_TASKS, needs="hub", size=TUNED[model.name], rate=1e-5)
    runs += _pruning()
    return tuple(runs)


def _swept() -> Iterable[Run]:
    """List the sweeps of rates: of no penalty, the penalties and the controls."""
    for name, preset, steps, texts, variants, size in SWEPT:
        for variant, text in product(variants, texts):
            key = {"preset": preset, "corpus": text, **variant.key, "step": steps}
            make = partial(pretraining_rows.regularisation_rows, preset, text, variant, steps=steps)
            needs = "hub" if text == "wikitext" else "nothing"
            yield Run(f"regularisation-{name}-{text}-{variant.name}", "regularisation", size, needs, key, make)


def _followed() -> Iterable[Run]:
    """List the pretrainings that are measured on the way."""
    for preset, (rate, steps, size) in FOLLOWED.items():
        for variant, seed in product(pretraining_rows.FOLLOWED, range(rows.SEEDS)):
            key = {"preset": preset, "corpus": "stories", **variant.key, "seed": seed}
            options = {"rate": rate, "seed": seed, "steps": steps}
            make = partial(pretraining_rows.dynamics_rows, preset, "stories", variant, **options)
            yield Run(f"dynamics-{preset}-stories-{variant.name}-{seed}", "dynamics", size, "nothing", key, make)


def _behaviour(source: rows.Source) -> Iterable[Run]:
    """List what is done with a pretrained model: it is asked and probed, and the plain one is tuned."""
    key = {"model": source.model, "revision": source.revision}
    make = partial(evaluation_rows.evaluation_rows, source)
    yield Run(f"evaluations-{source.model}", "evaluations", "tiny", "nothing", key, make)
    if source.model == PLAIN:
        yield from _tuned(source, finetuning_rows.TASKS)


def _tuned(
    source: rows.Source,
    tasks: Iterable[str],
    *,
    needs: Needs = "nothing",
    size: str = "tiny",
    rate: float | None = None,
) -> Iterable[Run]:
    """List the fine-tunings of a model, each also with its labels shuffled."""
    for task, shuffled in product(tasks, (False, True)):
        if shuffled and task in finetuning_rows.CONTINUED:
            continue  # a text has no labels
        key = {"model": source.model, "revision": source.revision, "task": task, "shuffled": int(shuffled)}
        make = partial(finetuning_rows.finetuning_rows, source, task, shuffled=shuffled, rate=rate)
        name = f"finetuning-{source.model}-{task}{'-shuffled' if shuffled else ''}"
        yield Run(name, "finetuning", size, needs, key, make)


def _families(name: str) -> partial:
    return partial(rows.family_rows, name)


def _measured(
    source: rows.Source, *, tokens: int, needs: Needs = "nothing", size: str = "tiny", dtype: str = "float32"
) -> Iterable[Run]:
    """List the runs on one model and text."""
    for table, weights, function in (
        ("profiles", "trained", rows.profile_rows),
        ("profiles", "random", rows.profile_rows),
        ("outliers", "trained", rows.outlier_rows),
        ("boundaries", "trained", rows.boundary_rows),
        ("boundaries", "random", rows.boundary_rows),
    ):
        key: dict[str, object] = {"model": source.model, "corpus": source.corpus, "tokens": tokens, "weights": weights}
        if source.revision:  # else the model is not here, and rows of any revision will do
            key["revision"] = source.revision
        make = partial(function, source, tokens=tokens, weights=weights, dtype=dtype)
        yield Run(f"{table}-{source.model}-{source.corpus}-{weights}", table, size, needs, key, make)


def _pruning() -> Iterable[Run]:
    """List the runs on pruned models: what every choice of layers costs, and what training afterwards brings back."""
    text, wikitext = "tinystories-train-sample", {"wikitext-2-valid": BESIDE / "data" / "wikitext-2-valid.txt"}
    source = rows.Source("stories260K", digest(SHARED_MODEL), SHARED_MODEL, text, BESIDE / "data" / f"{text}.txt")
    yield from _pruned(source, {text: source.text} | wikitext, tokens=64 * rows.LENGTH, needs="shared model")
    for name, folder in pocket_folders().items():
        source = rows.Source(name, digest(folder), name, "stories", "stories")
        yield from _pruned(source, OWN_TEXTS, tokens=64 * rows.LENGTH)
    # The shallow one is a control: does a model that lost layers do what one does that never had them?
    for need, kinds in (("mini model", KINDS), ("shallow model", ("pruning",))):
        made = MADE[need]
        source = rows.Source(made.name, digest(made.folder), made.folder, "stories", "stories")
        yield from _pruned(source, OWN_TEXTS, tokens=64 * rows.LENGTH, needs=need, kinds=kinds)
    for model in (*(model for model in HUB if model.name in PRUNED), LLAMA_2):
        source = rows.Source(model.name, model.commit[:12], model.name, "wikitext", "wikitext", model.commit)
        texts = {name: name for name in ("wikitext-test", "tinystories-validation")}
        far: dict = {"task": "arc_easy", "needs": "hub", "size": model.size, "dtype": model.dtype}
        yield from _pruned(source, texts, tokens=512 * rows.LENGTH, **far)


def _pruned(
    source: rows.Source,
    texts: Mapping[str, str | Path],
    *,
    tokens: int,
    task: str = "preference",
    needs: Needs = "nothing",
    size: str = "tiny",
    dtype: str = "float32",
    kinds: Collection[str] = KINDS,
) -> Iterable[Run]:
    """List the runs of these kinds that prune one model by one text."""
    key: dict[str, object] = {"model": source.model, "corpus": source.corpus, "tokens": tokens}
    if source.revision:
        key["revision"] = source.revision
    made = {"tokens": tokens, "dtype": dtype}
    costs = partial(pruning_rows.cost_rows, source, **made)
    pruning = partial(pruning_rows.pruning_rows, source, texts, task=task, **made)
    healing = partial(pruning_rows.healing_rows, source, texts, **made)
    for name, table, more, make in (
        ("costs", "layer_costs", {}, costs),
        ("pruning", "pruning", {"healing": "none"}, pruning),
        ("healing", "pruning", {"healing": "stand-ins"}, healing),
    ):
        if name in kinds:
            yield Run(f"{name}-{source.model}-{source.corpus}", table, size, needs, key | more, make)
