"""What real models lose with layers, or parts of them, removed or replaced: alone, and several by an order."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache, partial
from itertools import product

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from linstudy.models import replaced
from linstudy.prune import Change, changed, choose, fit
from linstudy.prune.calibration import Calibration
from linstudy.prune.fitting import Exits, exits
from linstudy.prune.parts import SUBLAYERS

from ..models import Given
from ..table import Keep
from .chosen import ALONE, PUBLISHED, SETS, TRIED
from .pruning import drawn
from .source import LENGTH, Source, Text, text_of

TESTED, STRETCHES = 16, 8  # blocks on which losses are measured, none of those fitted; stretches to draw intervals from
DTYPE = "float32"
AT_ONCE = 4  # blocks whose logits are in memory
BUDGETS = (2, 3, 4, 6, 8, 10, 12, 15)
ORDERS = ("cheapest", "linearity", "update_linearity", "block_influence", "last_but_one_first")
CHEAPEST = {"cheapest": "remove", "cheapest_replaced": "affine"}  # alone, with this done to it


def losses(keep: Keep, source: Source, tested: Text, *, tokens: int, part: str, choice: str, action: str) -> None:
    """Remove or replace every layer alone, or more and more of them, or published sets; measure on other blocks.

    The whole model's rows have no ``which``. Of the ``part`` "sublayers", attention and MLP count as one each: twice as
    many go, the cheapest first, which need not be of the same layers. Maps are fitted and layers chosen on the source's
    text, and the loss is measured on the one ``tested``: of any text on the same blocks.
    """
    model, tokenizer = source.load(dtype=DTYPE)
    count = tokens // LENGTH + TESTED
    fitted, others = (drawn(text, tokenizer, count, framed=source.framed) for text in (source.text, tested.place))
    fitted, others = fitted[:-TESTED], others[-TESTED:]
    known = Calibration(model, fitted)
    layers = range(1, known.depth + 1) if choice != PUBLISHED else sorted(set().union(*SETS))
    budgets = [count for count in BUDGETS if count < known.depth]
    pieces = 2 if part == SUBLAYERS else 1

    @cache
    def changes(action: str) -> dict[str, Change]:
        made = fit(model, layers, action, blocks=fitted, part=part)
        return {f"{one.first}.{one.part}" if pieces > 1 else f"{one.first}": one for one in made}

    @cache
    def whole() -> Exits:
        return exits(model, others)

    def rows(action: str, which: Sequence[str]) -> pd.DataFrame:
        made = [changes(action)[name] for name in which]
        nats = block_losses(model, others, made, exits=whole()).view(STRETCHES, -1).mean(1)
        found = pd.DataFrame({"stretch": range(STRETCHES), "nats": nats.tolist()})
        named = [name for name in changes("remove") if name in which]  # by layers
        return found.assign(which=" ".join(named), dtype=DTYPE, **text_of(others))

    @cache
    def by_cost(action: str, gone: tuple[str, ...] = ()) -> list[str]:
        some = fitted[:TESTED]
        with changed(model, [changes(action)[name] for name in gone], keep_places=True):
            before = exits(model, some)  # of the model as changed so far: layers before the next one are not run again
            left = {name: one for name, one in changes(action).items() if name not in gone}
            cost = {name: float(block_losses(model, some, [one], exits=before).mean()) for name, one in left.items()}
        return sorted(left, key=cost.get)

    @cache
    def ranking(order: str) -> list[str]:
        if order in CHEAPEST:
            return by_cost(CHEAPEST[order])
        return [f"{layer}" for layer in choose(model, fitted, order, known=known)]

    def several(order: str, count: int) -> pd.DataFrame:
        return rows(action, ranking(order)[:count])

    def grown(gone: tuple[str, ...], count: int) -> pd.DataFrame:
        while len(gone) < count:
            gone = (*gone, by_cost(action, gone)[0])
        return rows(action, gone)

    keep(partial(rows, "remove", ()), action="whole", order="whole", layers=0)
    if choice == ALONE:
        for name in changes("remove"):
            keep(partial(rows, action, (name,)), order=f"layer {name}", layers=1)
    elif choice == PUBLISHED:
        for which in ([*map(str, one)] for one in SETS if one):
            keep(partial(rows, action, which), order=f"layers {' '.join(which)}", layers=len(which))
    elif choice == TRIED:
        gone: tuple[str, ...] = ()
        for count in budgets:
            gone = tuple(keep(partial(grown, gone, count), order="greedy", layers=count).which.iloc[0].split())
        for count in budgets if action == "affine" else ():
            keep(partial(several, "cheapest_replaced", count), order="cheapest_replaced", layers=count)
    else:
        orders = ORDERS if pieces == 1 else ORDERS[:1]  # the others are of whole layers
        for order, count in product(orders, budgets):
            keep(partial(several, order, pieces * count), order=order, layers=pieces * count)


@torch.no_grad()
def block_losses(
    model: PreTrainedModel, blocks: Int[Tensor, "block token"], changes: Sequence[Change] = (), *, exits: Exits
) -> Float[Tensor, " block"]:
    """Return the mean loss of each block, in nats a token, of a model with these changes made.

    ``exits`` are the states that leave the layers of the whole model on these blocks
    (:func:`linstudy.prune.fitting.exits`): they stand in for all layers before the first that is changed.
    """
    first = min((one.first for one in changes), default=1)
    given = Given()
    before = {index: nn.Identity() for index in range(first - 2)} | ({first - 2: given} if first > 1 else {})
    found = []
    with changed(model, changes, keep_places=True), replaced(model, before) if before else nullcontext():
        for start in range(0, len(blocks), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            given.state = exits[first - 1][rows] if first > 1 else None
            ids = blocks[rows].to(model.device)
            logits, wanted = model(ids, use_cache=False).logits[:, :-1].float(), ids[:, 1:]
            nats = nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
            found.append(nats.double().mean(1))
    return torch.cat(found)
