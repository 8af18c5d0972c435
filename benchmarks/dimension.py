"""Time the intrinsic dimension against LLM-Microscope's loop over all pairs of points; `run.py` writes the rows."""

import statistics
import time

import torch

POINTS = 4096  # as many as LLM-Microscope takes
TURNS, TIMES = 3, 10  # ours is done ten times a turn, or it would be over before the machine has settled


def dimension() -> list[tuple]:
    """Time TwoNN on clouds of two widths against the double loop, and compare the numbers."""
    from run import met
    from test_dimension import in_a_double_loop

    from linstudy.measure import intrinsic_dimension

    rows = []
    for width in (128, 768):
        points, loop, ours = cloud(width), [], []
        for _ in range(TURNS):
            started = time.perf_counter()
            theirs = in_a_double_loop(points)
            loop.append(time.perf_counter() - started)
            started = time.perf_counter()
            for _ in range(TIMES):
                number = intrinsic_dimension(points, keep=0.2)
            ours.append((time.perf_counter() - started) / TIMES)
        ratio = statistics.median(slow / fast for slow, fast in zip(loop, ours, strict=True))
        seconds = f"{statistics.median(loop):.2f} s against {statistics.median(ours):.3f} s"
        detail = f"median of {TURNS}; {seconds}; {POINTS:,} points, threads: {torch.get_num_threads()}"
        figure = f"times faster than the double loop over points, width {width}"
        rows.append((figure, f"{ratio:.1f}", ">= 20", met(ratio >= 20), detail))
        apart = abs(number / theirs - 1)
        figure = f"relative difference from its dimension, width {width}"
        rows.append((figure, f"{apart:.1e}", "<= 1e-6", met(apart <= 1e-6), f"{number:.4f}"))
    return rows


def cloud(width: int) -> torch.Tensor:
    """Draw points on a bent surface of twelve dimensions, with a little noise in all others."""
    draw = torch.Generator().manual_seed(0)
    surface = torch.randn(POINTS, 12, generator=draw) @ torch.randn(12, width, generator=draw)
    return torch.tanh(surface) + 0.05 * torch.randn(POINTS, width, generator=draw)
