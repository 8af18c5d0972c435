"""What a measurement takes, counted on paper: tokens, operations, bytes of moments, passes, what is sent, hours."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MOMENTS, CELL = 2, 8  # matrices of d x d that a layer has: of x with x and of x with its update; bytes a number
# Operations in units of d³ that solving a layer takes in float64, by the orders of LAPACK (Golub & Van Loan, 8.3):
# 9 for all eigenvectors of a symmetric matrix, and some three products of d x d matrices, 2 each.
SOLVING = 9 + 3 * 2


@dataclass(frozen=True)
class Shape:
    """What of a model decides the cost of measuring it."""

    layers: int
    width: int
    weights: int  # of the matrices inside all layers: a token meets each of them once
    attended: int  # heads times the width of one


def gated(layers: int, width: int, inner: int, *, grouped: int, attended: int | None = None) -> Shape:
    """Return the shape of a decoder with gated MLPs; ``grouped`` is the width of all keys, and of all values."""
    attended = attended or width
    return Shape(layers, width, layers * width * (2 * attended + 2 * grouped + 3 * inner), attended)


LARGE = {  # published shapes of the three sizes
    "7 B (Llama 2)": gated(32, 4096, 11008, grouped=4096),
    "70 B (Llama 2)": gated(80, 8192, 28672, grouped=1024),
    "400 B (Llama 3.1)": gated(126, 16384, 53248, grouped=1024),
}


def counted(shape: Shape, *, floor: float = 0.01, length: int = 256, tokens: int | None = None) -> dict[str, int]:
    """Count what one text, one selection of tokens and every layer take.

    ``tokens`` are those with which unrelated data would score ``floor``, d / (n - 1), unless given. ``forward``,
    ``products`` and ``solving`` are operations, a multiplication and an addition being two: the layers over blocks of
    ``length`` tokens, without the head, which no score needs; the moments; and the maps. ``bytes`` are those of the
    moments.
    """
    d = shape.width
    tokens = math.ceil(d / floor) + 1 if tokens is None else tokens
    # Scores and their values, a token; none is left out for lying later.
    attention = 4 * length * shape.attended * shape.layers
    return {
        "tokens": tokens,
        "forward": tokens * (2 * shape.weights + attention),
        "products": tokens * shape.layers * MOMENTS * 2 * d**2,
        "solving": shape.layers * SOLVING * d**3,
        "bytes": shape.layers * MOMENTS * CELL * d**2,
    }


def needed(
    counts: Mapping[str, int], rates: Mapping[str, float], *, layers: int, memory: int, ranks: int
) -> dict[str, int | float]:
    """Return passes over the text, bytes that each of ``ranks`` processes sends, and hours of one processor.

    A pass measures as many layers as have moments in ``memory`` bytes, at least one, and runs the whole model. The
    moments are added over the ranks once, by a ring, which sends 2 (r - 1) / r times their bytes. ``rates`` are
    operations a second that are reached in ``forward``, ``products`` and ``solving``.
    """
    at_once = max(1, memory * layers // counts["bytes"])
    passes = math.ceil(layers / at_once)
    seconds = passes * counts["forward"] / rates["forward"]
    seconds += counts["products"] / rates["products"] + counts["solving"] / rates["solving"]
    sent = 2 * (ranks - 1) / ranks * counts["bytes"]
    return {"passes": passes, "sent": sent, "hours": seconds / 3600}
