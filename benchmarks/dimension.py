"""Time the intrinsic dimension against LLM-Microscope's loop over all pairs of points; `run.py` writes the rows."""

import statistics

import torch

POINTS = 4096  # as many as LLM-Microscope takes


def dimension() -> list[tuple]:
    """Time TwoNN on clouds of two widths against the double loop, and compare the numbers."""
    from run import met, timed
    from test_dimension import in_a_double_loop

    from linstudy.measure import intrinsic_dimension

    def ours(points: torch.Tensor) -> None:
        intrinsic_dimension(points, keep=0.2)

    rows = []
    for width in (128, 768):
        points = cloud(width)
        ours(points)
        # Their loop keeps scalars between its temporaries and grows beyond 20 GiB; this one is the same without that.
        turns = [(timed(in_a_double_loop, points), timed(ours, points)) for _ in range(3)]
        ratio = statistics.median(loop / fast for loop, fast in turns)
        loop, fast = (statistics.median(times) for times in zip(*turns, strict=True))
        detail = f"median of 3; {loop:.2f} s against {fast:.3f} s; {POINTS:,} points, {torch.get_num_threads()} threads"
        figure = f"times faster than the double loop over points, width {width}"
        rows.append((figure, f"{ratio:.0f}", ">= 20", met(ratio >= 20), detail))
        theirs, number = in_a_double_loop(points), intrinsic_dimension(points, keep=0.2)
        apart = abs(number / theirs - 1)
        figure = f"relative difference from its dimension, width {width}"
        rows.append((figure, f"{apart:.1e}", "<= 1e-6", met(apart <= 1e-6), f"{number:.4f}"))
    return rows


def cloud(width: int) -> torch.Tensor:
    """Draw points on a bent surface of twelve dimensions, with a little noise in all others."""
    draw = torch.Generator().manual_seed(0)
    surface = torch.randn(POINTS, 12, generator=draw) @ torch.randn(12, width, generator=draw)
    return torch.tanh(surface) + 0.05 * torch.randn(POINTS, width, generator=draw)
