"""What the long runs are: every model, text and control whose rows the tables should have."""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from pathlib import Path

import pandas as pd

from linstudy.fetched import SOURCES, pocket_folders
from linstudy.lookup import entries

from .reach import BESIDE, MADE, SHARED_MODEL, digest
from .real_runs import HEALED, fetched_source, losses_run, real_runs
from .rows import TABLES, chosen, finetuning, pretraining
from .rows.source import LENGTH, Source
from .runs import Run

# Models of the hub, each with its commit, so that it is the same one next year, the size of machine that measures it,
# its number type (float32 where it fits, for bfloat16 rounds the stream itself), and the size that AdamW's memory of it
# needs where it is one of the paper's Table 1, which are tuned.
HUB = entries("hub.csv", __package__)
# Published checkpoints, by the names of their revisions; dense at first, where most happens.
PYTHIA_STEPS = (0, *(2**power for power in range(10)), *(1000 * 2**power for power in range(8)), 143_000)
BLOOM_STEPS = (1000, 10_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000)
CHECKPOINTS = {
    "EleutherAI/pythia-70m": {step: f"step{step}" for step in PYTHIA_STEPS},
    "EleutherAI/pythia-160m": {step: f"step{step}" for step in PYTHIA_STEPS},
    "EleutherAI/pythia-1b": {step: f"step{step}" for step in PYTHIA_STEPS},
    "bigscience/bloom-560m-intermediate": {step: f"global_step{step}" for step in BLOOM_STEPS},
}
PLAIN = "stories-1m"  # of the pocket models the one that was trained without a penalty
REAL = "smollm2-135m"  # of the fetched models the one that is tuned, by a machine that can
# What is trained by the plan in book/preregistration.md, in its order: the preset, the variants, the steps, the texts
# with what they need, and the size of machine; the last of them where there is a graphics card.
PLANNED_TEXTS = {"tinystories-train-sample": "shared texts", "pydocs": "nothing"}
PLANNED = (
    ("nano", pretraining.PRIMARY, (64, 256), PLANNED_TEXTS, "tiny"),
    ("nano", pretraining.SMALLER, (64, 256), PLANNED_TEXTS, "tiny"),
    ("nano", (*pretraining.PRIMARY, *pretraining.SMALLER), (1024,), PLANNED_TEXTS, "tiny"),
    ("nano", pretraining.SECONDARY, (64, 256, 1024), PLANNED_TEXTS, "tiny"),
    ("pocket", pretraining.LARGE, (128,), PLANNED_TEXTS, "tiny"),
    ("pocket", pretraining.LARGE, (4882,), {"stories": "nothing", "wikitext": "hub"}, "t4"),
)
# What is measured on the way: preset, text, steps, the size and what else it needs; and how many seeds of a variant.
FOLLOWED = (
    ("nano", "tinystories-train-sample", 1024, "tiny", "shared texts"),
    ("pocket", "pydocs", 256, "tiny", "nothing"),
    ("pocket", "stories", 4882, "t4", "nothing"),
)
FOLLOWED_SEEDS = {"plain": 6, "cosine-0.5": 4, "mse-0.5": 4}
OWN_TEXTS = {"stories": "stories", "pydocs": "pydocs"}  # perplexity on the text that was learnt, and on another
FITTED = 64 * LENGTH  # tokens that small models are pruned by
KINDS = ("costs", "pruning", "healing")  # of runs on a pruned model


def registry() -> tuple[Run, ...]:
    """Return today's runs, in the order in which they are done: what this machine can surely do comes first."""
    return tuple(_runs())


def some_checkpoints(name: str, *, every: int = 4, tokens: int = 64 * LENGTH) -> pd.DataFrame:
    """Measure every so-many-th published checkpoint of a model of the hub, on few enough tokens to wait for it."""
    source = Source(name, "", name, "wikitext", "wikitext")
    revisions = dict(list(CHECKPOINTS[name].items())[::every])
    return TABLES["dynamics"].rows(source=source, revisions=revisions, tokens=tokens)


def _runs() -> Iterator[Run]:
    for name in chosen.SMALL:
        arguments = {"model": name, "tokens": chosen.FAMILY_TOKENS}
        yield Run(f"families-{name.replace(' ', '-')}", TABLES["families"], arguments)
    for name, width in product(chosen.WIDENED, chosen.WIDTHS):
        yield Run(f"widths-{name}-{width}", TABLES["widths"], {"model": name, "width": width})
    for name in chosen.ARCHITECTURES:
        arguments = {"architecture": name, "corpus": "tinystories-train-sample"}
        yield Run(f"matched-{_short(name)}", TABLES["matched"], arguments, needs="shared texts")
    for text in ("tinystories-train-sample", "wikitext-2-valid"):
        yield from _measured(_beside(text), tokens=320 * LENGTH, needs="shared model")
    for name, text in product(pocket_folders(), OWN_TEXTS):
        yield from _measured(_own(name, text), tokens=200 * LENGTH)
    yield from real_runs()
    own = {"source": _own(PLAIN), "tokens": 80 * LENGTH, "sampled": 40, "features": None, "dtype": "float32"}
    yield Run(f"derivatives-{PLAIN}-stories", TABLES["derivatives"], own)
    yield from _gone_on()
    yield from _followed()
    yield from _planned()
    for name in pocket_folders():
        source = _own(name)
        yield Run(f"evaluations-{name}", TABLES["evaluations"], {"source": source})
        if name == PLAIN:
            yield from _tuned(source, finetuning.TASKS)
            yield Run(f"harmed-{name}", TABLES["harmed"], {"source": source})
    real = Source(REAL, SOURCES[REAL].sha256[:12], REAL, "stories", "stories")
    yield from _tuned(real, finetuning.TASKS, needs=REAL, size="t4")
    for name, one in HUB.items():
        # a floor of 0.01 up to a width of 2,600
        where = {"needs": "hub", "size": one["size"], "dtype": one["dtype"]}
        yield from _measured(_on_hub(name), tokens=1024 * LENGTH, **where)
    for name, revisions in CHECKPOINTS.items():
        source = Source(name, "", name, "wikitext", "wikitext")
        arguments = {"source": source, "revisions": revisions, "tokens": 256 * LENGTH}
        yield Run(f"dynamics-{name}", TABLES["dynamics"], arguments, "t4", "hub")
    for name in (name for name, one in HUB.items() if one["tuned"]):
        yield from _tuned(_on_hub(name), finetuning.HUB_TASKS, needs="hub", size=HUB[name]["tuned"])
    yield from _pruning()


def _short(architecture: str) -> str:
    """Return an architecture's name without blanks and signs, for the name of a run."""
    return architecture.replace(" / √layer", "-scaled").replace(", ", "-").replace(" ", "-").lower()


def _on_hub(name: str) -> Source:
    commit = HUB[name]["commit"]
    return Source(name, commit[:12], name, "wikitext", "wikitext", commit)


def _own(name: str, text: str = "stories") -> Source:
    return Source(name, digest(pocket_folders()[name]), name, text, text)


def _beside(text: str) -> Source:
    # Its tokenizer begins a text with <s>. The rows that are shipped were measured without, and go on so.
    place = BESIDE / "data" / f"{text}.txt"
    return Source("stories260K", digest(SHARED_MODEL), SHARED_MODEL, text, place, framed=False)


def _planned() -> Iterator[Run]:
    """List the preregistered comparisons of penalties and controls with plain."""
    for preset, variants, lengths, texts, size in PLANNED:
        for steps, (text, needs), variant in product(lengths, texts.items(), variants):
            arguments = {"preset": preset, "corpus": text, "variant": variant, "step": steps}
            prefix = "" if preset == "nano" else f"{preset}-"
            name = f"pretraining-{prefix}{text}-{steps}-{variant.name.replace(' ', '-')}"
            yield Run(name, TABLES["pretraining"], arguments, size, needs)


def _gone_on() -> Iterator[Run]:
    """List the finished models that read on, with penalties and without."""
    beside = _beside("tinystories-train-sample")
    real = fetched_source(REAL, beside.corpus)
    small = {"source": beside, "rates": (1e-3, 2e-3), "seeds": 6}
    large = {"source": real, "rates": (5e-5, 1e-4), "seeds": 3}
    for arguments, needs in ((small, "shared model"), (large, REAL)):
        for variant in (*pretraining.PRIMARY, pretraining.Variant(scaling=pretraining.SLOWER), pretraining.HELD):
            name = f"continued-{arguments['source'].model}-{variant.name}"
            yield Run(name, TABLES["continued"], arguments | {"variant": variant, "tokens": 400 * LENGTH}, needs=needs)


def _followed() -> Iterator[Run]:
    """List the pretrainings that are measured on the way."""
    for (preset, text, steps, size, needs), variant in product(FOLLOWED, pretraining.PRIMARY):
        for seed in pretraining.judges(variant)[: FOLLOWED_SEEDS[variant.name]]:
            arguments = {"preset": preset, "corpus": text, "variant": variant, "rate": 6e-3, "seed": seed}
            name = f"dynamics-{preset}-{text}-{variant.name}-{seed}"
            yield Run(name, TABLES["dynamics"], arguments | {"steps": steps}, size, needs)


def _tuned(source: Source, tasks: Collection[str], **where: str) -> Iterator[Run]:
    """List the fine-tunings of a model; a large one wants small rates."""
    ours = source.model == PLAIN
    for trained, task in product(finetuning.ARMS if ours else (finetuning.ALL,), tasks):
        rates = finetuning.RATES[trained] if ours else (1e-5, 2e-5)
        arguments = {"source": source, "task": task, "trained": trained, "rates": rates}
        name = f"finetuning-{source.model}-{task}" + ("-low-rank" if trained == finetuning.LOW_RANK else "")
        yield Run(name, TABLES["finetuning"], arguments, **where)


def _measured(source: Source, *, tokens: int, dtype: str = "float32", **where: str) -> Iterator[Run]:
    """List the runs on one model and text; models that are fetched have the protocol instead."""
    for table, weights in product(("profiles", "outliers", "boundaries"), ("trained", "random")):
        if (table, weights) != ("outliers", "random"):
            arguments = {"source": source, "tokens": tokens, "weights": weights, "dtype": dtype}
            yield Run(f"{table}-{source.model}-{source.corpus}-{weights}", TABLES[table], arguments, **where)


def _pruning() -> Iterator[Run]:
    """List the runs on pruned models: what every choice of layers costs, and what training afterwards brings back."""
    source = _beside("tinystories-train-sample")
    texts = {one.corpus: one.text for one in (source, _beside("wikitext-2-valid"))}
    yield from _pruned(source, texts, needs="shared model", elsewhere=texts["wikitext-2-valid"])
    for part, action in product(("block", "sublayers"), chosen.ACTIONS):
        yield losses_run(source, part, chosen.TOGETHER, action, needs="shared model")
        yield losses_run(_own(PLAIN), part, chosen.TOGETHER, action)
    for name in pocket_folders():
        yield from _pruned(_own(name), OWN_TEXTS)
    # A control: does a model that lost layers do what one does that never had them?
    shallow = MADE["shallow model"]
    source = Source(shallow.name, digest(shallow.folder), shallow.folder, "stories", "stories")
    yield from _pruned(source, OWN_TEXTS, kinds=("pruning",), needs="shallow model")


def _pruned(
    source: Source,
    texts: Mapping[str, str | Path],
    *,
    kinds: Collection[str] = KINDS,
    elsewhere: str | Path | None = None,  # a text of another kind of which the model knows something
    **where: str,
) -> Iterator[Run]:
    """List the runs of these kinds that prune one model by one text."""
    costs = {"source": source, "tokens": FITTED, "dtype": "float32"}
    arguments = {"costs": costs, "pruning": costs | {"texts": texts}}
    arguments["healing"] = {"source": source, "tokens": HEALED, "elsewhere": elsewhere}
    for kind, table in zip(KINDS, ("layer_costs", "pruning", "healing"), strict=True):
        if kind in kinds:
            yield Run(f"{kind}-{source.model}-{source.corpus}", TABLES[table], arguments[kind], **where)
