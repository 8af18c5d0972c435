"""Tables of long runs: read as DataFrames, grown row by row without ever losing one."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..files import locked, written_whole
from .provenance import Provenance


@dataclass(frozen=True)
class Table:
    """Columns of a table: ``key`` tells its rows apart, ``key`` and ``measured`` must be there in every row."""

    key: tuple[str, ...]
    measured: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every required column, in the order of the file."""
        return (*self.key, *self.measured, *Provenance.__annotations__)


_MODEL = ("model", "revision", "weights", "seed", "corpus", "tokens")  # what was measured, and on what
_TEXT_OF = ("length", "dtype", "text_hash")
_SCORES = (
    *("linearity_raw", "update_linearity_raw", "linearity", "update_linearity", "floor", "update_ratio"),
    *("norm_ratio", "cosine", "anisotropy", "feature_linearity"),
    *("linearity_standardised", "update_linearity_standardised"),
)
_TRAINING = ("preset", "corpus", "penalty", "weight", "scaling", "weight_decay", "rate", "seed", "step")
_REACHED = ("training_tokens", "validation_nats")
_CHANGED = ("linearity", "update_linearity", "norm_ratio", "cosine")
_PHASES = ("prefill", "decode")

TABLES = {
    # a row a layer of a measured model; a shard is which stretch of the text, of so many tokens, was read
    "profiles": Table(
        key=(*_MODEL, "shard", "step", "part", "layer"),
        measured=(*_TEXT_OF, "heldout", "linearity_heldout", "update_linearity_heldout", *_SCORES),
    ),
    # the same with tokens left out, a row a layer and ablation
    "outliers": Table(key=(*_MODEL, "ablation", "part", "layer"), measured=(*_TEXT_OF, "kept", *_SCORES)),
    # what the stream is like between the layers, a row a boundary; errors are those of the layer before it
    "boundaries": Table(
        key=(*_MODEL, "boundary"),
        measured=(
            *_TEXT_OF,
            *("median", "largest", "times_median", "dimension", "position", "massive"),
            *("outliers", "outlier_variance", "intrinsic_dimension", "anisotropy", "lens_nats", "bare_lens_nats"),
            *("error_median", "error_p90", "error_p99", "error_p999", "error_max", "worst_percent"),
        ),
    ),
    # a pruned model, a row each text that it was tried on: which layers went, what was done with them, what it cost
    "pruning": Table(
        key=("model", "revision", "seed", "corpus", "tokens", "text", "order", "action", "healing", "layers"),
        measured=(
            *("length", "dtype", "text_hash", "which", "perplexity", "parameters"),
            *(f"{phase}_{unit}{batch}" for batch in ("", "_8") for unit in ("ms", "share") for phase in _PHASES),
            *("task", "accuracy", "accuracy_error", "probe_accuracy", "probe_error", "probe_constant"),
        ),
    ),
    # what each layer costs alone, beside what the scores say of it, a row a layer, action and shard of the text
    "layer_costs": Table(
        key=("model", "revision", "corpus", "tokens", "shard", "action", "layer"),
        measured=(
            *(*_TEXT_OF, "perplexity", "delta_perplexity", "delta_nats", "penalty"),
            *("linearity", "update_linearity", "block_influence", "norm_ratio"),
            *("angular_distance", "cca_distance", "cca_bound"),
        ),
    ),
    # small models with random weights, a row a layer: what an architecture scores untrained
    "families": Table(
        key=("model", "stack", "seed", "corpus", "tokens", "part", "layer"), measured=("length", "text_hash", *_SCORES)
    ),
    # models pretrained with a penalty, or with a control in its place, a row a layer after the last step
    "regularisation": Table(
        key=(*_TRAINING, "layer"), measured=("tokens", "length", "text_hash", *_REACHED, "bits_per_byte", *_SCORES)
    ),
    # the same on the way, at steps 0, 1, 2, 4 and so on; or the published checkpoints of a model
    "dynamics": Table(
        key=("model", "revision", *_TRAINING, "layer"), measured=("tokens", "length", "text_hash", *_REACHED, *_SCORES)
    ),
    # what fine-tuning changed, a row a layer, on the text of the task and on a fixed one
    "finetuning": Table(
        key=("model", "revision", "task", "shuffled", "text", "seed", "layer"),
        measured=(
            *("tokens", "length", "text_hash", "steps", "rate", "accuracy", "constant", "loss"),
            *(f"{name}_before" for name in _CHANGED),
            *(f"delta_{name}" for name in _CHANGED),
        ),
    ),
    # what models can do: a number a task, metric, predictor, layer (of a probe) and seed
    "evaluations": Table(
        key=("model", "revision", "task", "metric", "predictor", "layer", "seed"),
        measured=("value", "standard_error", "examples"),
    ),
}

# What a column holds is said here and not guessed from its cells: a revision of digits alone is no number.
_TEXT = {"model", "revision", "part", "stack", "corpus", "weights", "ablation", "dtype", "text_hash"}
_TEXT |= {"preset", "penalty", "scaling", "task", "text", "metric", "predictor", "order", "action", "healing", "which"}
_TEXT |= set(Provenance.__annotations__) - {"minutes"}
# Whole numbers that may be missing: a finished model has no step.
_WHOLE = {"step", "seed", "shard", "tokens", "layer", "layers", "parameters", "boundary", "length", "dimension"}
_WHOLE |= {"position", "massive", "training_tokens", "steps", "shuffled", "examples"}


def results(table: str, *, folder: str | os.PathLike | None = None) -> pd.DataFrame:
    """Return a table of long runs; it has its columns and no rows before the first run.

    Every row says with which command, commit, versions and hardware it was made, when, and in how many minutes.
    The tables come with the package; ``folder`` names another place to look for ``<table>.csv``.
    """
    known, path = _known(table), _path(table, folder)
    if not path.is_file():
        return _typed(pd.DataFrame(columns=list(known.columns)))
    with path.open(encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    for name in [name for name in frame if name not in _TEXT]:
        with suppress(ValueError):  # a column of text that a later version wrote
            # Python's float gives back the bits that were written; not every pandas does.
            frame[name] = [float(cell) if cell else float("nan") for cell in frame[name]]
    missing = [name for name in known.columns if name not in frame]
    if missing:
        raise ValueError(f"{path.name} lacks the columns {', '.join(missing)}; restore it with `git checkout`.")
    return _typed(frame)


def published() -> pd.DataFrame:
    """Return what others printed: figures of the paper and of its authors' notebook, read off images.

    Columns: ``source``; ``model`` and its ``width``; ``score`` (the column of a profile that it corresponds to);
    ``place`` ("layer 3", "first", "last", or "plateau", the median over the middle of the model); ``value`` and its
    ``uncertainty``, half the range where the reading is one. None of them was measured here.
    """
    return pd.read_csv(_path("published", None))


def paper_table(number: int) -> pd.DataFrame:
    """Return a table of the paper as it is printed there; none of it was measured here.

    1: change of update linearity by fine-tuning and its deviation, a row a model and task. 2: zero-shot tasks of
    SuperGLUE and StoryCloze, in per cent, and their mean as printed. 3: stories graded by GPT-4, from 1 to 10. Tables 2
    and 3 have one training run a row, without spread. Raises ValueError for a table that is not here.
    """
    path = _path(f"paper-table-{number}", None)
    if not path.is_file():
        there = sorted(int(file.stem.rpartition("-")[2]) for file in path.parent.glob("paper-table-*.csv"))
        raise ValueError(f"table {number} of the paper is not here; those that are: {', '.join(map(str, there))}.")
    return pd.read_csv(path)


def have(table: str, *, folder: str | os.PathLike | None = None, **key: object) -> bool:
    """Say whether the table has rows whose key columns have these values (None: the cell is empty)."""
    unknown = [name for name in key if name not in _known(table).key]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no key column of {table}; they are {', '.join(_known(table).key)}.")
    wanted = _typed(pd.DataFrame([key]))
    return _keys(wanted, key)[0] in _keys(results(table, folder=folder), key)


def append(table: str, rows: pd.DataFrame, *, folder: str | os.PathLike | None = None) -> None:
    """Add rows to a table; a row whose key is there already takes that row's place.

    The file is written whole or not at all, floats to the last bit, and by one process at a time.
    """
    known, path = _known(table), _path(table, folder)
    missing = [name for name in known.columns if name not in rows]
    if missing:
        raise ValueError(f"rows for {table} lack the columns {', '.join(missing)}; add them.")
    new = _typed(rows)
    twice = new[list(known.key)].duplicated()
    if twice.any():
        raise ValueError(f"two rows for {table} have the same key {_keys(new[twice], known.key)[0]}; keep one.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        old = results(table, folder=folder)
        columns = list(dict.fromkeys([*old.columns, *new.columns]))
        # A dict keeps the place of a key whose value is replaced.
        merged: dict[tuple[str, ...], dict] = {}
        for part in (old, new):
            merged.update(zip(_keys(part, known.key), part.to_dict("records"), strict=True))
        frame = _typed(pd.DataFrame(list(merged.values()), columns=columns))
        with written_whole(path) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")


def _known(table: str) -> Table:
    if table not in TABLES:
        raise ValueError(f"no table is called {table!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[table]


def _path(table: str, folder: str | os.PathLike | None) -> Path:
    return Path(str(files("linstudy") / "results") if folder is None else folder) / f"{table}.csv"


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    for name in frame:
        try:
            if name in _TEXT:
                frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str)
            elif name in _WHOLE:
                frame[name] = frame[name].astype("Int64")
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name} must hold whole numbers, not {list(frame[name])[:3]}.") from error
    return frame


def _keys(frame: pd.DataFrame, names: Iterable[str]) -> list[tuple[str, ...]]:
    rows = frame[list(names)].itertuples(index=False, name=None)
    return [tuple("" if pd.isna(cell) else str(cell) for cell in row) for row in rows]
