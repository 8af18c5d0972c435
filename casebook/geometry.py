"""The shape of a cloud of states: how much of it lies along one direction, and how many dimensions it really has."""

import math
from functools import reduce

import torch
from jaxtyping import Float, Int
from torch import Tensor

from linstudy.measure import JointMoments
from linstudy.measure.precision import full_float32
from linstudy.measure.scores import largest_eigenvalue

ROWS = 256  # points whose distances are taken at a time
CANDIDATES = 4  # neighbours looked at closely: a point whose two nearest are not surely among them is searched again


@torch.no_grad()
def anisotropy(states: JointMoments | Float[Tensor, "point dim"], *, iterations: int | None = None) -> float:
    """Return the share of the variance that lies along the direction with most of it, in [1 / dim, 1].

    That is s_1² / (s_1² + s_2² + ...) with the singular values of the centred states (Razzhigaev et al. 2024, "The
    Shape of Learning"). ``states`` are the moments of a layer, for the stream that enters it, or a matrix of states.
    Of the states' covariance only the largest eigenvalue is taken; no singular values of all states are.

    ``iterations`` makes it so many steps of power iteration, which never form the covariance of a matrix. They
    approach the exact value from below, and every step shrinks the error by (s_2 / s_1)⁴.

    States that do not differ have no variance and no direction: NaN. Raises ValueError for states that are not
    finite, for fewer than two of them, and for less than one iteration.
    """
    if iterations is not None and iterations < 1:
        raise ValueError(f"iterations={iterations} go nowhere: give 1 or more, or leave it out for the exact value")
    if isinstance(states, JointMoments):
        factors = [states.centred().xx]
        total = float(factors[0].trace())
    else:
        if len(states) < 2:
            raise ValueError(f"{len(states)} states have no directions: give two or more")
        states = _in_float64(states, "states")
        centred = states - states[0]  # equal states become zeros, which a mean rounded would not make them
        centred = centred - centred.mean(0)
        factors = [centred.T, centred]  # of the covariance, which iterations do without
        total = float(centred.square().sum())
    if total <= 0:
        return math.nan
    if iterations is None:
        return largest_eigenvalue(reduce(torch.matmul, factors)) / total
    # Any fixed vector could be at right angles to the direction sought; a random one is not.
    vector = torch.randn(factors[-1].shape[1], generator=torch.Generator().manual_seed(0)).to(factors[-1])
    for _ in range(iterations):
        vector = vector / vector.norm()
        for factor in reversed(factors):
            vector = factor @ vector
    return float(vector.norm()) / total


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
    different = torch.unique(_in_float64(points, "points"), dim=0)
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


def _in_float64(points: Float[Tensor, "point dim"], name: str) -> Float[Tensor, "point dim"]:
    if not torch.isfinite(points).all():
        raise ValueError(f"the {name} hold NaN or infinity: look for an overflow (float16?) in the model")
    return (points.cpu() if points.device.type == "mps" else points).double()  # Apple's GPUs have no float64
