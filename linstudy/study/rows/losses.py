"""What real models lose with layers, or parts of them, removed or replaced: alone, and several by an order."""

from collections.abc import Sequence
from functools import cache, partial
from itertools import product
from typing import Any

import pandas as pd

from ..table import Keep, Table
from .pruning import drawn
from .source import LENGTH, TEXT, Source, text_of

TESTED, STRETCHES = 16, 8  # blocks on which losses are measured, none of those fitted; stretches to draw intervals from
ALONE, TOGETHER = "alone", "together"
ACTIONS = ("remove", "affine")
BUDGETS = (2, 3, 4, 6, 8, 10, 12, 15)
SCORED = ("linearity", "update_linearity", "block_influence")
ORDERS = ("cheapest", *SCORED, "last_but_one_first")  # "cheapest" alone, on blocks that were fitted


def losses(keep: Keep, source: Source, *, tokens: int, part: str, choice: str, action: str, dtype: str) -> None:
    """Remove or replace every layer alone, or more and more of them together; measure the loss on other blocks.

    The whole model's rows have no ``which``.
    """
    from ...prune import choose, fit
    from ...prune.calibration import Calibration
    from ...prune.fitting import exits
    from ..losses import block_losses

    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + TESTED, framed=source.framed)
    fitted, tested = blocks[:-TESTED], blocks[-TESTED:]
    known = Calibration(model, fitted)
    layers = range(1, known.depth + 1)

    @cache
    def states(some: str) -> Any:
        return exits(model, fitted[:TESTED] if some == "fitted" else tested)

    @cache
    def changes(action: str) -> dict[int, Any]:
        return {one.first: one for one in fit(model, layers, action, blocks=fitted, part=part)}

    def measured(action: str, which: Sequence[int], some: str = "tested") -> Any:
        made = [changes(action)[layer] for layer in which]
        return block_losses(model, tested if some == "tested" else fitted[:TESTED], made, exits=states(some))

    def rows(action: str, which: Sequence[int]) -> pd.DataFrame:
        nats = measured(action, which).view(STRETCHES, -1).mean(1)
        found = pd.DataFrame({"stretch": range(STRETCHES), "nats": nats.tolist()})
        return found.assign(which=" ".join(map(str, sorted(which))), dtype=dtype, **text_of(tested))

    def cheapest() -> list[int]:
        return sorted(layers, key=lambda layer: float(measured("remove", (layer,), "fitted").mean()))

    @cache
    def ranking(order: str) -> list[int]:
        return cheapest() if order == "cheapest" else choose(model, fitted, order, known=known)

    def several(order: str, count: int) -> pd.DataFrame:
        return rows(action, ranking(order)[:count])

    keep(partial(rows, "remove", ()), action="whole", order="whole", layers=0)
    if choice == ALONE:
        for layer in layers:
            keep(partial(rows, action, (layer,)), order=f"layer {layer}", layers=1)
    else:
        for order, count in product(ORDERS, BUDGETS):
            keep(partial(several, order, count), order=order, layers=count)


# what a real model loses, a row a stretch of the text that is tested; ``tokens`` are those that maps were fitted on
LOSSES = Table(
    "losses",
    key=("model", "revision", "corpus", "tokens", "part", "choice", "action", "order", "layers", "stretch"),
    measured=(*TEXT, "which", "nats"),
    maker=losses,
)
