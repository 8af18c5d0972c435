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
ALONE, TOGETHER, PUBLISHED = "alone", "together", "published"
ACTIONS = ("remove", "affine")
BUDGETS = (2, 3, 4, 6, 8, 10, 12, 15)
SCORED = ("linearity", "update_linearity", "block_influence")
# Layers of gemma3-270m without which P. Martra, Rearchitecting LLMs (2026), prints a perplexity, on Cosmopedia.
SETS = {(): 13.39, (9, 10, 15, 17): 125.7, (9, 10, 11, 12): 490.0, (13, 14, 15, 16): 464.0, (15, 16, 17, 18): 264.0}
ORDERS = ("cheapest", *SCORED, "last_but_one_first")  # "cheapest" alone, on blocks that were fitted


def losses(keep: Keep, source: Source, *, tokens: int, part: str, choice: str, action: str, dtype: str) -> None:
    """Remove or replace every layer alone, or more and more of them, or published sets; measure on other blocks.

    The whole model's rows have no ``which``. Of the ``part`` "sublayers", attention and MLP count as one each: twice as
    many go, the cheapest first, which need not be of the same layers.
    """
    from ...prune import choose, fit
    from ...prune.calibration import Calibration
    from ...prune.fitting import exits
    from ...prune.parts import SUBLAYERS
    from ..losses import block_losses

    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + TESTED, framed=source.framed)
    fitted, tested = blocks[:-TESTED], blocks[-TESTED:]
    known = Calibration(model, fitted)
    layers = range(1, known.depth + 1) if choice != PUBLISHED else sorted(set().union(*SETS))
    pieces = 2 if part == SUBLAYERS else 1

    @cache
    def states(some: str) -> Any:
        return exits(model, fitted[:TESTED] if some == "fitted" else tested)

    @cache
    def changes(action: str) -> dict[str, Any]:
        made = fit(model, layers, action, blocks=fitted, part=part)
        return {f"{one.first}.{one.part}" if pieces > 1 else f"{one.first}": one for one in made}

    def measured(action: str, which: Sequence[str], some: str = "tested") -> Any:
        made = [changes(action)[name] for name in which]
        return block_losses(model, tested if some == "tested" else fitted[:TESTED], made, exits=states(some))

    def rows(action: str, which: Sequence[str]) -> pd.DataFrame:
        nats = measured(action, which).view(STRETCHES, -1).mean(1)
        found = pd.DataFrame({"stretch": range(STRETCHES), "nats": nats.tolist()})
        named = [name for name in changes("remove") if name in which]  # by layers
        return found.assign(which=" ".join(named), dtype=dtype, **text_of(tested))

    @cache
    def ranking(order: str) -> list[str]:
        if order != "cheapest":
            return [f"{layer}" for layer in choose(model, fitted, order, known=known)]
        return sorted(changes("remove"), key=lambda name: float(measured("remove", (name,), "fitted").mean()))

    def several(order: str, count: int) -> pd.DataFrame:
        return rows(action, ranking(order)[:count])

    keep(partial(rows, "remove", ()), action="whole", order="whole", layers=0)
    if choice == ALONE:
        for name in changes("remove"):
            keep(partial(rows, action, (name,)), order=f"layer {name}", layers=1)
    elif choice == PUBLISHED:
        for which in ([*map(str, one)] for one in SETS if one):
            keep(partial(rows, action, which), order=f"layers {' '.join(which)}", layers=len(which))
    else:
        orders = ORDERS if pieces == 1 else ORDERS[:1]  # the others are of whole layers
        for order, count in product(orders, (one for one in BUDGETS if one < known.depth)):
            keep(partial(several, order, pieces * count), order=order, layers=pieces * count)


# what a real model loses, a row a stretch of the text that is tested; ``tokens`` are those that maps were fitted on
LOSSES = Table(
    "losses",
    key=("model", "revision", "corpus", "tokens", "part", "choice", "action", "order", "layers", "stretch"),
    measured=(*TEXT, "which", "nats"),
    maker=losses,
)
