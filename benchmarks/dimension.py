"""Time the intrinsic dimension against LLM-Microscope's loop over all points; `run.py` writes the rows."""

import statistics
from functools import partial

import torch
from common import met, microscope, timed

POINTS = 4096  # as many as LLM-Microscope takes
TURNS, TIMES = 3, 10  # ours is done ten times a turn, or it would be over before the machine has settled


def dimension() -> list[tuple]:
    """Time TwoNN on clouds of two widths against LLM-Microscope's function and a plain loop, and compare the numbers.

    The plain loop computes what theirs does, without the memory that theirs takes from one point to the next.
    """
    from test_geometry import in_a_double_loop

    from casebook.geometry import intrinsic_dimension

    official = microscope()
    rows = []
    for width in (128, 768):
        points = cloud(width)
        ours = partial(intrinsic_dimension, points, keep=0.2)
        theirs = partial(official.intrinsic_dimension, points, "cpu")
        for name, other, bar, count in (
            ("LLM-Microscope", theirs, ">= 20", 1),  # half a minute, and far from the bar
            ("a plain double loop", partial(in_a_double_loop, points), "none", TURNS),
        ):
            turns = [(timed(other), statistics.mean(timed(ours) for _ in range(TIMES))) for _ in range(count)]
            ratio = statistics.median(slow / fast for slow, fast in turns)
            slow, fast = (statistics.median(each) for each in zip(*turns, strict=True))
            seconds = f"{slow:.2f} s against {fast:.3f} s"
            detail = f"median of {count}; {seconds}; {POINTS:,} points, threads: {torch.get_num_threads()}"
            verdict = met(ratio >= 20) if bar != "none" else "-"
            rows.append(
                (f"times faster than {name} at the dimension, width {width}", f"{ratio:.1f}", bar, verdict, detail)
            )
        number = ours()
        apart = abs(number / theirs() - 1)
        figure = f"relative difference from LLM-Microscope's dimension, width {width}"
        rows.append((figure, f"{apart:.1e}", "<= 1e-6", met(apart <= 1e-6), f"{number:.4f}"))
    return rows


def cloud(width: int) -> torch.Tensor:
    """Draw points on a bent surface of twelve dimensions, with a little noise in all others."""
    draw = torch.Generator().manual_seed(0)
    surface = torch.randn(POINTS, 12, generator=draw) @ torch.randn(12, width, generator=draw)
    return torch.tanh(surface) + 0.05 * torch.randn(POINTS, width, generator=draw)
