"""Linearity scores and the best affine map, read from moments.

The paper's score (Razzhigaev et al. 2024, section 3.1) is LS = 1 - min_A ||XA - Y||² over centred matrices of
Frobenius norm 1, that is the multivariate R² of Y on X. With D = Y - X the best map of D is A - I and leaves the
same error, so every score of (X, Y) follows from those of (X, D):

    1 - LS = (1 - LS_res) · ||D_c||² / ||Y_c||²

which is exact, and keeps its digits where LS is within 1e-7 of 1.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import eigsh
from torch import Tensor, nn

from .centred import Centred, factor
from .moments import JointMoments

COLUMNS = 256  # features of d that are mapped at a time: a third of a matrix in memory, and no slower


def scores(moments: JointMoments) -> dict[str, float]:
    """Return all scores of a layer; the names are the columns of every table (see the book's page on notation).

    ``linearity_raw`` (LS) and ``update_linearity_raw`` (LS_res) are the paper's, in [0, 1]; ``linearity`` and
    ``update_linearity`` correct them for the number of tokens and can fall below 0; the two ``standardised`` ones are
    those of outputs whose every feature was scaled to variance 1, so that no massive feature decides. A score whose
    denominator vanishes (a layer that adds a constant has no LS_res) is NaN, and so are all that rest on the map where
    the states do not vary. Raises ValueError when the tokens do not outnumber the dimensions: every score would be 1.
    """
    need_tokens(moments.tokens, moments.dim)
    m = moments.centred()
    n, dim = m.tokens, moments.dim
    adjust = (n - 1) / (n - dim - 1)
    error = (m.dd - explained(m)).clamp_min(0)  # of y and of d alike, feature by feature
    error = error if m.varies else torch.full_like(error, math.nan)
    share_y, share_d = (error[whole > 0] / whole[whole > 0] for whole in (m.yy, m.dd))  # of the features that vary
    return {
        "linearity_raw": 1 - _share(error, m.yy),
        "update_linearity_raw": 1 - _share(error, m.dd),
        "linearity": 1 - adjust * _share(error, m.yy),
        "update_linearity": 1 - adjust * _share(error, m.dd),
        "floor": dim / (n - 1) if m.varies else math.nan,
        "update_ratio": _share(m.dd, m.yy) if m.varies else math.nan,
        "norm_ratio": float(moments.norm_ratio) / n,
        "cosine": float(moments.cosine) / n,
        "anisotropy": largest_eigenvalue(m.xx) / float(m.xx.trace()) if m.varies else math.nan,
        "feature_linearity": 1 - adjust * float(share_y.median()) if len(share_y) else math.nan,
        "linearity_standardised": 1 - adjust * float(share_y.mean()),
        "update_linearity_standardised": 1 - adjust * float(share_d.mean()),
    }


def heldout_scores(fitted: JointMoments, heldout: JointMoments) -> dict[str, float]:
    """Score the map that ``fitted`` determines on the tokens of ``heldout``, in (-inf, 1].

    Unlike an in-sample score it pays for what the map learnt by heart, and for a text that differs.
    """
    need_tokens(fitted.tokens, fitted.dim)
    m, h = fitted.centred(), heldout.centred()
    a = best_map(m)
    # error of a token = (its deviation from the held-out means, mapped) + (what the means are off)
    off = (h.mean_d - m.mean_d) - (h.mean_x - m.mean_x) @ a
    error = h.dd - 2 * (a * h.xd).sum(0) + (a * (h.xx @ a)).sum(0) + h.tokens * off.square()
    return {"linearity_heldout": 1 - _share(error, h.yy), "update_linearity_heldout": 1 - _share(error, h.dd)}


@torch.no_grad()
def linear_map(moments: JointMoments, *, dtype: torch.dtype = torch.float32) -> nn.Linear:
    """Return the best affine map from the stream entering a layer to the stream leaving it.

    Un-normalised and with its bias, so that it can stand in for the block as it is
    (:func:`linstudy.models.replaced`). Raises ValueError when there are too few tokens to determine it.
    """
    need_tokens(moments.tokens, moments.dim)
    m = moments.centred()
    a = best_map(m)
    layer = nn.Linear(moments.dim, moments.dim, device=a.device, dtype=dtype)
    layer.weight.copy_(a.T + torch.eye(moments.dim, dtype=a.dtype, device=a.device))
    layer.bias.copy_(m.mean_d - m.mean_x @ a)
    return layer


def best_map(m: Centred, *, penalty: float = 0.0) -> Float[Tensor, "dim dim"]:
    """Return A of the least-squares map d - mean_d = (x - mean_x) A, of least norm where x leaves it open.

    A ridge ``penalty`` is added to the variance of every scaled feature, and shrinks the map of d towards 0.
    """
    whiten, back = _whitening(m, penalty)
    return back(whiten(m.xd))


def explained(m: Centred) -> Float[Tensor, " dim"]:
    """Return how much of every feature's sum of squares in d the least-squares map explains, without making the map."""
    whiten, _ = _whitening(m, 0.0)
    return torch.cat([whiten(some).square_().sum(0) for some in m.xd.split(COLUMNS, dim=1)])


def _whitening(m: Centred, penalty: float) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Return the way from the products of x and d to those of whitened x and d, and from there to A.

    The squares of the latter are what x explains. Massive features are 1,000 times the rest, so rank is judged by
    direction, not by size. Directions below the resolution of the products (a LayerNorm's output has one) are absent.
    """
    covariance = m.xx
    if penalty:
        covariance = covariance.clone()
        covariance.diagonal().add_(penalty * _scale(m.xx).square())
    root, independent = factor(covariance)
    if independent > (0 if penalty else 1e4 * m.resolution):  # far from rank-deficient
        return (
            lambda xd: torch.linalg.solve_triangular(root.T, xd.T, upper=True, left=False).T,
            lambda half: torch.linalg.solve_triangular(root.T, half, upper=True),
        )
    scale, scaled = correlation(m.xx)
    scaled.diagonal().add_(penalty)
    values, vectors = torch.linalg.eigh(scaled)
    kept = values > (penalty / 2 or m.resolution * values[-1])
    whitening = vectors[:, kept] / values[kept].sqrt() / scale[:, None]
    return lambda xd: whitening.T @ xd, lambda half: whitening @ half


def correlation(covariance: Float[Tensor, "dim dim"]) -> tuple[Float[Tensor, " dim"], Float[Tensor, "dim dim"]]:
    """Return every feature's scale, 1 where it does not vary, and the covariance in units of these."""
    scale = _scale(covariance)
    return scale, (covariance / scale).div_(scale[:, None])


def _scale(covariance: Float[Tensor, "dim dim"]) -> Float[Tensor, " dim"]:
    scale = covariance.diagonal().clamp_min(0).sqrt()
    return torch.where(scale > 0, scale, 1)


def largest_eigenvalue(symmetric: Float[Tensor, "dim dim"]) -> float:
    """Return the largest eigenvalue, by Lanczos iteration where the matrix is too large to take whole."""
    if len(symmetric) <= 256:
        return float(torch.linalg.eigvalsh(symmetric)[-1])
    start = np.random.default_rng(0).standard_normal(len(symmetric))  # one computed from the matrix could be zero
    return float(eigsh(symmetric.cpu().numpy(), k=1, which="LA", v0=start, tol=1e-10, return_eigenvectors=False)[0])


def need_tokens(tokens: int, dim: int) -> None:
    """Raise ValueError when ``tokens`` cannot determine a map of ``dim`` dimensions."""
    if tokens <= dim + 1:
        raise ValueError(
            f"{tokens} tokens cannot determine an affine map of {dim} dimensions, every score would be 1: "
            f"give at least {dim + 2} tokens, and {100 * dim:,} for a floor of 0.01"
        )


def _share(part: Float[Tensor, " dim"], whole: Float[Tensor, " dim"]) -> float:
    """Return the ratio of two sums, NaN where the whole is nothing."""
    return float(part.sum() / whole.sum()) if whole.sum() > 0 else math.nan
