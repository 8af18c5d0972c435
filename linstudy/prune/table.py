"""Every order with every action at every budget: a row each, with perplexity, parameters and time."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from ..evaluate import cross_entropy
from ..lookup import named
from ..models import blocks as model_blocks
from ..models import name_of
from .actions import ACTIONS
from .calibration import Calibration
from .changes import Change, changed
from .fitting import Blocks
from .latency import latency
from .orders import ORDERS, choose, may_go

Texts = Int[Tensor, "other length"]
Row = dict[str, str | int | float]
Choice = tuple[str, str, int, int]  # order, action, how many layers go, seed


def choices(
    *,
    orders: Sequence[str] = tuple(ORDERS),
    actions: Sequence[str] = tuple(ACTIONS),
    budgets: Sequence[int] = (1, 2, 3, 4),
    seeds: Sequence[int] = (0, 1, 2),
) -> list[Choice]:
    """Return every combination for a table, first the whole model: order, action, how many layers go, and the seed.

    ``orders`` are names in ``ORDERS``, ``actions`` in ``ACTIONS``; the random order has every seed, the others 0.
    Raises ValueError for an unknown name.
    """
    for action in actions:
        named(ACTIONS, action, "action")
    chosen = [("whole", "whole", 0, 0)]
    for order in orders:
        for seed in seeds if named(ORDERS, order, "order").drawn else (0,):
            chosen += [(order, action, count, seed) for action in actions for count in budgets]
    return chosen


def pruning_table(
    model: PreTrainedModel,
    calibration: Blocks,
    evaluation: Mapping[str, Texts],
    chosen: Iterable[Choice],
    *,
    batches: Sequence[int] = (1, 8),
) -> Iterator[Row]:
    """Yield one row for every choice and text, as soon as it is measured; between two rows the model is whole.

    Layers are chosen and maps fitted by the blocks of ``calibration``; ``evaluation`` has other ones, by the name of
    their text, for perplexity. ``chosen`` is what is tried, as :func:`choices` lists it; where layers are merged, the
    first stays, for there is none before it. ``batches`` are texts at once when times are measured.

    Columns: ``model``, ``text``, ``order`` and ``action`` ("whole" for the whole model), ``layers`` (how many went),
    ``which`` (their numbers), ``perplexity``, ``parameters``, ``seed``, and those of :func:`latency`, with a batch
    other than 1 after the name (``decode_ms_8``). Times depend on how many blocks and maps are left alone, and are
    measured once for each.

    Raises ValueError where more layers are to go than there are.
    """
    chosen, known = list(chosen), Calibration(model, calibration)
    for count in {count for _, _, count, _ in chosen} - {0}:
        may_go(known.depth, count, fixed=())
    found: dict[tuple[str, tuple[int, ...]], tuple[Row, dict[str, float]]] = {}  # the same by another name, once
    times: dict[tuple[int, int], Row] = {}
    for order, action, count, seed in chosen:
        layers = []
        if count:
            fixed = (1,) if ACTIONS[action].merged else ()
            layers = sorted(choose(model, calibration, order, count=count, fixed=fixed, seed=seed, known=known))
        key = (_same(action, layers), tuple(layers))
        if key not in found:
            changes = known.changes(*key) if layers else []
            found[key] = _measured(model, changes, evaluation, batches, times)
        shared, perplexities = found[key]
        for text, perplexity in perplexities.items():
            what: Row = {"model": name_of(model), "text": text, "order": order, "action": action, "layers": count}
            what |= {"which": " ".join(map(str, layers)), "perplexity": perplexity}
            yield what | shared | {"seed": seed}


def _same(action: str, layers: list[int]) -> str:
    """Return the simplest action that does the same: runs of one layer are in sequence, one layer is one layer."""
    if action == "run" and all(after - before > 1 for before, after in pairwise(layers)):
        action = "sequential"
    return "affine" if action == "sequential" and len(layers) == 1 else action


def _measured(
    model: PreTrainedModel,
    changes: list[Change],
    evaluation: Mapping[str, Texts],
    batches: Sequence[int],
    times: dict[tuple[int, int], Row],
) -> tuple[Row, dict[str, float]]:
    """Return parameters and times of a changed model, and its perplexity on each text."""
    with changed(model, changes):
        perplexities = {text: math.exp(cross_entropy(model, some)) for text, some in evaluation.items()}
        shared: Row = {"parameters": model.num_parameters()}
        shape = len(model_blocks(model)), sum(one.map is not None and not one.merged for one in changes)
    if shape not in times:
        times[shape] = {
            name if batch == 1 else f"{name}_{batch}": value
            for batch in batches
            for name, value in latency(model, lambda: changed(model, changes), batch=batch).items()
        }
    return shared | times[shape], perplexities
