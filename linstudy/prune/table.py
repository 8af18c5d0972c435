"""Every order with every action at every budget: a row each, with perplexity, parameters and time."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from ..evaluate import cross_entropy
from ..lookup import named
from ..models import blocks as model_blocks
from ..models import name_of
from .actions import ACTIONS, fit
from .changes import Change, changed, count_parameters
from .latency import latency
from .orders import ORDERS, Blocks
from .scores import layer_scores

# What others have proposed, as an order and an action, without the training that some of them add.
BASELINES: dict[str, tuple[str, str]] = {
    "ShortGPT": ("block_influence", "remove"),  # Men et al. 2024
    "Gromov et al.": ("angular", "remove"),  # 2024
    "SLEB": ("greedy", "remove"),  # Song et al. 2024; here the first and the last layer may go too
    "ReplaceMe": ("angular", "merge"),  # Shopkhoev et al. 2025, by least squares
}
Texts = Int[Tensor, "other length"]
Row = dict[str, str | int | float]


def pruning_table(
    model: PreTrainedModel,
    calibration: Blocks,
    evaluation: Mapping[str, Texts],
    *,
    orders: Sequence[str] = tuple(ORDERS),
    actions: Sequence[str] = tuple(ACTIONS),
    budgets: Sequence[int] = (1, 2, 3, 4),
    seeds: Sequence[int] = (0, 1, 2),
    batches: Sequence[int] = (1, 8),
) -> Iterator[Row]:
    """Yield one row for every order, action, budget and text, after those of the whole model.

    Args:
        model: a decoder; between two rows it is whole.
        calibration: blocks by which layers are chosen and on which maps are fitted.
        evaluation: by the name of their text, the blocks on which perplexity is measured: none of calibration's.
        orders: names in ``ORDERS``.
        actions: names in ``ACTIONS``. Where layers are merged, the first stays: there is none before it.
        budgets: how many layers go.
        seeds: of the random order; all other rows have seed 0.
        batches: texts at once when times are measured; none, and there are no times.

    Yields:
        ``model``, ``text``, ``order`` and ``action`` ("whole" for the whole model), ``layers`` (how many went),
        ``which`` (their numbers), ``perplexity``, ``parameters``, ``seed``, and of :func:`latency` ``prefill_ms``,
        ``decode_ms``, ``prefill_share`` and ``decode_share``, with a batch other than 1 after the name
        (``decode_ms_8``). Times depend on how many blocks and maps are left alone, and are measured once for each.

    """
    for kind, registry, names in (("order", ORDERS, orders), ("action", ACTIONS, actions)):
        for name in names:
            named(registry, name, kind)
    name = name_of(model)
    measured = _measurements(model, calibration, evaluation, batches)
    chosen = _choices(model, calibration, max(budgets))

    def rows(order: str, action: str, layers: list[int], seed: int) -> Iterator[Row]:
        shared, perplexities = measured(action, layers)
        for text, perplexity in perplexities.items():
            what: Row = {"model": name, "text": text, "order": order, "action": action, "layers": len(layers)}
            what |= {"which": " ".join(map(str, layers)), "perplexity": perplexity}
            yield what | shared | {"seed": seed}

    yield from rows("whole", "whole", [], 0)
    for order in orders:
        for seed in seeds if order == "random" else (0,):
            for action in actions:
                for budget in budgets:
                    yield from rows(order, action, chosen(order, seed, ACTIONS[action].merged, budget), seed)


def _choices(model: PreTrainedModel, calibration: Blocks, most: int) -> Callable[[str, int, bool, int], list[int]]:
    """Return the function that chooses layers; what has been found out for one budget serves the others."""
    scores = layer_scores(model, calibration)
    found: dict[tuple, list[int]] = {}

    def chosen(order: str, seed: int, merged: bool, budget: int) -> list[int]:
        count = budget if order == "angular" else most  # all others: the first of the longest list
        key = (order, seed, merged, count)
        if key not in found:
            fixed = (1,) if merged else ()
            found[key] = ORDERS[order](model, calibration, count=count, fixed=fixed, seed=seed, scores=scores)
        return sorted(found[key][:budget])

    return chosen


def _measurements(
    model: PreTrainedModel, calibration: Blocks, evaluation: Mapping[str, Texts], batches: Sequence[int]
) -> Callable[[str, list[int]], tuple[Row, dict[str, float]]]:
    """Return the function that measures; what is the same by another name is measured once."""
    alone: dict[int, Change] = {}
    known: dict[tuple[str, tuple[int, ...]], tuple[Row, dict[str, float]]] = {}
    times: dict[tuple[int, int], Row] = {}

    def changes_of(action: str, layers: list[int]) -> list[Change]:
        if action == "whole":
            return []
        if action != "affine":
            return fit(model, layers, action, blocks=calibration)
        if not alone:
            depth = len(model_blocks(model))
            alone.update({one.first: one for one in fit(model, range(1, depth + 1), action, blocks=calibration)})
        return [alone[layer] for layer in layers]

    def measured(action: str, layers: list[int]) -> tuple[Row, dict[str, float]]:
        key = (_same(action, layers), tuple(layers))
        if key not in known:
            changes = changes_of(key[0], layers)
            with changed(model, changes):
                perplexities = {text: math.exp(cross_entropy(model, some)) for text, some in evaluation.items()}
                shared: Row = {"parameters": count_parameters(model)}
                shape = len(model_blocks(model)), sum(one.map is not None and not one.merged for one in changes)
            if shape not in times:
                times[shape] = _times(model, changes, batches)
            known[key] = shared | times[shape], perplexities
        return known[key]

    return measured


def _same(action: str, layers: list[int]) -> str:
    """Return the simplest action that does the same: runs of one layer are in sequence, one layer is one layer."""
    if action == "run" and all(after - before > 1 for before, after in pairwise(layers)):
        action = "sequential"
    return "affine" if action == "sequential" and len(layers) == 1 else action


def _times(model: PreTrainedModel, changes: list[Change], batches: Sequence[int]) -> Row:
    row: Row = {}
    for batch in batches:
        end = "" if batch == 1 else f"_{batch}"
        found = latency(model, lambda: changed(model, changes), batch=batch)
        row |= {f"{name}{end}": value for name, value in found.items()}
    return row
