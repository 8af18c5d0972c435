"""The tables of long runs: what tells their rows apart, and what makes them, a module a kind, imported when it runs."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..table import Table

MODEL = ("model", "revision", "weights", "seed", "corpus", "tokens")  # what was measured, and on what
FITTED = ("model", "revision", "corpus", "tokens")  # what was changed, and by how much text

TRAINED = ("preset", "corpus", "penalty", "weight", "scaling", "weight_decay", "rate", "seed", "step")
COMPARED = (*TRAINED, "last")  # what the penalty does with the last block's output


def by(name: str) -> Callable[..., None]:
    """Return the maker called so in a module of this folder; the module, and torch with it, is imported at its call."""
    module, _, function = name.partition(".")

    def maker(*arguments: Any, **options: Any) -> None:
        getattr(import_module(f".{module}", __package__), function)(*arguments, **options)

    return maker


_ALL = (
    # a row a layer of a measured model; a shard is which stretch of the text, of so many tokens, was read
    Table("profiles", (*MODEL, "shard", "step", "part", "layer"), by("profiles.profiles")),
    # the same with tokens left out, a row a layer and ablation
    Table("outliers", (*MODEL, "ablation", "part", "layer"), by("profiles.outliers")),
    # what the stream is like between the layers, a row a boundary
    Table("boundaries", (*MODEL, "boundary"), by("profiles.boundaries")),
    # every selection of tokens and features of a real model and of its twins, a row a selection and layer. What is
    # asked, and what would refute it, stands in book/log.md.
    Table("protocol", (*MODEL, "shard", "part", "selection", "layer"), by("protocol.runs")),
    # a pruned model, a row each text that it was tried on: which layers went, what was done with them, what it cost
    Table("pruning", (*FITTED, "seed", "text", "order", "action", "layers"), by("pruning.pruning")),
    # what each layer costs alone, beside what the scores say of it, a row a layer, action and shard of the text
    Table("layer_costs", (*FITTED, "shard", "action", "layer"), by("pruning.layer_costs")),
    # a pruned model after training, or the whole one: a row a recipe, rate and seed; ``tokens`` are those of training
    Table("healing", (*FITTED, "action", "start", "healing", "rate", "seed"), by("healing.healing")),
    # what a real model loses, a row a stretch of the text that is tested
    Table("losses", (*FITTED, "part", "choice", "action", "order", "layers", "stretch"), by("losses.losses")),
    # by maps and by derivatives: ``sampled`` tokens are those whose derivatives were taken
    Table("derivatives", (*FITTED, "layer", "predictor"), by("derivatives.runs")),
    # small models with random weights, a row a layer: what an architecture scores untrained
    Table("families", ("model", "stack", "seed", "corpus", "tokens", "part", "layer"), by("profiles.families")),
    # random networks by their width, a row a layer
    Table("widths", ("model", "width", "seed", "corpus", "tokens", "part", "layer"), by("profiles.widths")),
    # models pretrained with a penalty, or with a control in its place, a row a layer after the last step
    Table("regularisation", (*TRAINED, "layer"), by("pretraining.regularisation")),
    # the same by the preregistered design: rates chosen on three seeds, six or more fresh ones that judge
    Table("pretraining", (*COMPARED, "layer"), by("pretraining.pretraining")),
    # finished models trained further, a row a layer after the last step; step 0 is the model as it came
    Table("continued", ("model", "revision", *COMPARED[1:], "selection", "layer"), by("continued.continued")),
    # the same on the way, at steps 0, 1, 2, 3, 4, 6 and so on; or the published checkpoints of a model
    Table("dynamics", ("model", "revision", *COMPARED, "layer"), by("pretraining.dynamics")),
    # what fine-tuning changed, a row a layer, on the model's text, on another and on the task's own
    Table(
        "finetuning",
        ("model", "revision", "task", "labels", "rate", "seed", "text", "layer"),
        by("finetuning.finetuning"),
    ),
    # what models can do: a number a task, metric, predictor, layer (of a probe) and seed
    Table(
        "evaluations",
        ("model", "revision", "task", "metric", "predictor", "layer", "seed"),
        by("evaluation.runs"),
    ),
    # models of ten architectures, trained alike, and their twins: a row a layer, and a part of layers that read an
    # encoder
    Table("matched", ("architecture", "corpus", "seed", "weights", "stack", "part", "layer"), by("matched.matched")),
)
TABLES = {table.name: table for table in _ALL}
