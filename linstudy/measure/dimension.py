"""How many dimensions a cloud of states really has: TwoNN, from the distances to the two nearest neighbours."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .moments import full_float32

ROWS = 256  # points whose distances are taken at a time
CANDIDATES = 4  # neighbours looked at closely: a point whose two nearest are not surely among them is searched again


@torch.no_grad()
def intrinsic_dimension(points: Float[Tensor, "point dim"], *, keep: float = 0.9) -> float:
    """Estimate the dimension of the manifold that the points lie on (TwoNN, Facco et al. 2017, Sci. Rep. 7:12140).

    Where the density is even around each point, the ratio mu of the distances to its second and first neighbour has
    the distribution F(mu) = 1 - mu^-dimension, so the dimension is the slope of -log(1 - F) over log mu: of a line
    through the origin, fitted to the ``keep`` smallest ratios. The paper of TwoNN discards the largest tenth;
    LLM-Microscope keeps a fifth (``keep=0.2``). The error of chance is some dimension / sqrt(keep * points), and in
    10 dimensions and more thousands of points still give too small a number.

    Give several ``keep``: where they disagree, the points lie on no one manifold. A text that repeats its phrases has
    states that are almost copies, whose large ratios pull the number down. Points that are equal count once, for
    copies at distance 0 say nothing about a dimension. Distances are those of float64 whatever the points come in.

    Raises ValueError for a share that is none, for points that are not finite, and where fewer than three are
    different or their neighbours all equally far (a regular grid).
    """
    if not 0 < keep < 1:
        raise ValueError(f"keep={keep} is not a share of the points: give a number between 0 and 1, such as 0.9")
    if not torch.isfinite(points).all():
        raise ValueError("the points hold NaN or infinity: look for an overflow (float16?) in the model")
    points = (points.cpu() if points.device.type == "mps" else points).double()  # Apple's GPUs have no float64
    different = torch.unique(points, dim=0)
    count = len(different)
    if int(keep * count) < 1 or count < 3:
        raise ValueError(
            f"{len(points)} points, {count} of them different, hold too few neighbours for keep={keep}: "
            "give at least 3 different points, and thousands for an estimate"
        )
    nearest, second = two_nearest(different).unbind(1)
    kept = (second / nearest).log().sort().values[: int(keep * count)]
    share = torch.arange(1, len(kept) + 1, dtype=kept.dtype, device=kept.device) / count
    if not kept.any():
        raise ValueError(
            "each point's two neighbours are equally far, as on a grid, which tells no dimension: add noise"
        )
    return float((kept * -torch.log1p(-share)).sum() / kept.square().sum())


def two_nearest(points: Float[Tensor, "point dim"]) -> Float[Tensor, "point 2"]:
    """Return the distances of every point to its nearest and its second nearest neighbour, in float64.

    Matrix products find the candidates, in float32 and for the few points that this leaves open in float64. They lose
    digits where neighbours are close and the cloud is wide, so the candidates' distances are then taken directly.
    """
    points = points - points.mean(0)
    size = points.abs().max()
    points = points / size  # far from where squares overflow or vanish in float32
    found = points.new_empty(len(points), 2)
    left = torch.arange(len(points), device=points.device)
    for work in (torch.float32, torch.float64):
        left = _search(points, left, found, work)
    for row in left.tolist():  # nearly equal points, which no product can tell apart
        found[row] = (points - points[row]).norm(dim=1).topk(3, largest=False).values[1:]
    return found * size


def _search(
    points: Float[Tensor, "point dim"], rows: Int[Tensor, " row"], found: Float[Tensor, "point 2"], work: torch.dtype
) -> Int[Tensor, " left"]:
    """Fill ``found`` for these rows with products made in ``work``; return the rows for which they cannot be trusted.

    |x|² - 2xy + |y|² is off by less than (dim + 8) eps (|x|² + |y|²), rounding of x and y included. With the squares
    made smaller by that it bounds the squared distance from below. Points that are no candidates have bounds above
    the candidates', so that the two nearest candidates are the two nearest points if they lie below the last bound.
    """
    all_points = points.to(work)
    lowered = points.square().sum(1).mul_(1 - (points.shape[1] + 8) * torch.finfo(work).eps).to(work)
    candidates = min(CANDIDATES, len(points) - 1)
    left = []
    buffer = all_points.new_empty(min(ROWS, len(rows)), len(points))
    for some in rows.split(ROWS):
        bounds = buffer[: len(some)]
        with full_float32():
            torch.addmm(lowered, all_points[some], all_points.T, alpha=-2, out=bounds)
        bounds.scatter_(1, some[:, None], torch.inf)  # no point is its own neighbour
        bound, neighbours = bounds.topk(candidates, largest=False)
        distances = (points[some, None] - points[neighbours]).norm(dim=2).topk(2, largest=False).values
        found[some] = distances
        if candidates < len(points) - 1:
            left.append(some[distances[:, 1].square() > bound[:, -1] + lowered[some]])
    return torch.cat(left) if left else rows[:0]
