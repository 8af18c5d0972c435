"""The tables of long runs: what tells the rows of each apart, and what every row says of where it comes from."""

from dataclasses import dataclass
from importlib.resources import files
from typing import TypedDict

MODEL = ("model", "revision", "weights", "seed", "corpus", "tokens")  # what was measured, and on what
FITTED = ("model", "revision", "corpus", "tokens")  # what was changed, and by how much text

TRAINED = ("preset", "corpus", "penalty", "weight", "scaling", "weight_decay", "rate", "seed", "step")
COMPARED = (*TRAINED, "last")  # what the penalty does with the last block's output


class Provenance(TypedDict):
    """The columns that every table has besides its own."""

    command: str
    commit: str
    date: str
    versions: str
    hardware: str
    minutes: float


@dataclass(frozen=True)
class Table:
    """What tells the rows of a table apart: the columns of its ``key``, which every row has.

    The other columns are those of its file in ``linstudy/results``.
    """

    name: str
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is required."""
        return (*self.key, *Provenance.__annotations__)

    @property
    def header(self) -> tuple[str, ...]:
        """Every column, in the order of the shipped file."""
        path = files("linstudy") / "results" / f"{self.name}.csv"
        if not path.is_file():
            return self.columns
        with path.open(encoding="utf-8") as file:
            return tuple(file.readline().strip().split(","))


_ALL = (
    # a row a layer of a measured model; a shard is which stretch of the text, of so many tokens, was read
    Table("profiles", (*MODEL, "shard", "step", "part", "layer")),
    # the same with tokens left out, a row a layer and ablation
    Table("outliers", (*MODEL, "ablation", "part", "layer")),
    # what the stream is like between the layers, a row a boundary
    Table("boundaries", (*MODEL, "boundary")),
    # every selection of tokens and features of a real model and of its twins, a row a selection and layer. What is
    # asked, and what would refute it, stands in book/log.md.
    Table("protocol", (*MODEL, "shard", "part", "selection", "layer")),
    # a pruned model, a row each text that it was tried on: which layers went, what was done with them, what it cost
    Table("pruning", (*FITTED, "seed", "text", "order", "action", "layers")),
    # what each layer costs alone, beside what the scores say of it, a row a layer, action and shard of the text
    Table("layer_costs", (*FITTED, "shard", "action", "layer")),
    # a pruned model after training, or the whole one: a row a recipe, rate and seed; ``tokens`` are those of training
    Table("healing", (*FITTED, "action", "start", "healing", "rate", "seed")),
    # what a real model loses, a row a stretch of the text that is tested
    Table("losses", (*FITTED, "text", "part", "choice", "action", "order", "layers", "stretch")),
    # by maps and by derivatives: ``sampled`` tokens are those whose derivatives were taken
    Table("derivatives", (*FITTED, "layer", "predictor")),
    # small models with random weights, a row a layer: what an architecture scores untrained
    Table("families", ("model", "stack", "seed", "corpus", "tokens", "part", "layer")),
    # random networks by their width, a row a layer
    Table("widths", ("model", "width", "seed", "corpus", "tokens", "part", "layer")),
    # models pretrained with a penalty, or with a control in its place, a row a layer after the last step
    Table("regularisation", (*TRAINED, "layer")),
    # the same by the preregistered design: rates chosen on three seeds, six or more fresh ones that judge
    Table("pretraining", (*COMPARED, "layer")),
    # finished models trained further, a row a layer after the last step; step 0 is the model as it came
    Table("continued", ("model", "revision", *COMPARED[1:], "selection", "layer")),
    # the same on the way, at steps 0, 1, 2, 3, 4, 6 and so on; or the published checkpoints of a model
    Table("dynamics", ("model", "revision", *COMPARED, "layer")),
    # what fine-tuning changed, a row a layer, on the model's text, on another and on the task's own
    Table("finetuning", ("model", "revision", "task", "labels", "rate", "seed", "text", "layer")),
    # what models can do: a number a task, metric, predictor, layer (of a probe) and seed
    Table("evaluations", ("model", "revision", "task", "metric", "predictor", "layer", "seed")),
    # models of ten architectures, trained alike, and their twins: a row a layer, and a part of layers that read an
    # encoder
    Table("matched", ("architecture", "corpus", "seed", "weights", "stack", "part", "layer")),
)
TABLES = {table.name: table for table in _ALL}
