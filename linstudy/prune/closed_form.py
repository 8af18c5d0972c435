"""The affine map that stands in for a layer, all from moments: its ridge penalty is chosen on held-out tokens."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ..measure.centred import Centred
from ..measure.moments import JointMoments, added
from ..measure.scores import best_map, correlation, need_tokens

PENALTIES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # added to the variance of every feature, which is scaled to 1


@torch.no_grad()
def affine_map(
    fitted: JointMoments, heldout: JointMoments, *, like: Tensor, bias: bool = True, residual: bool = True
) -> tuple[nn.Linear, float]:
    """Return the map x -> x + xA + b, or without ``residual`` x -> xA + b, and its ridge penalty.

    The penalty is the best on held-out tokens; then A and b are fitted to all tokens, none of which is read twice. It
    shrinks A, the map of the update d = y - x, towards 0, and so the map of y towards the identity: where the tokens
    say nothing, a stand-in does what removing the layer does. Without ``bias`` b is 0, and A is fitted to x and d
    themselves instead of their deviations from the mean. The module is of ``like``'s type and on its device.

    Raises ValueError where the fitted tokens do not outnumber the dimensions, or where none are held out.
    """
    need_tokens(fitted.tokens, fitted.dim)
    all_tokens = added((fitted, heldout))
    m, h, everything = (one.centred() if bias else about_zero(one) for one in (fitted, heldout, all_tokens))
    penalty = best_penalty(m, h)
    a = best_map(everything, penalty=penalty)
    layer = nn.Linear(*a.shape, device=like.device, dtype=like.dtype)
    layer.weight.copy_((a + torch.eye(len(a), dtype=a.dtype, device=a.device) if residual else a).T)
    layer.bias.copy_(everything.mean_d - everything.mean_x @ a)
    return layer, penalty


def best_penalty(m: Centred, h: Centred) -> float:
    """Return the penalty whose map, fitted to m, has the least squared error on the tokens of h.

    All penalties are tried in one eigenbasis.
    """
    scale, scaled = correlation(m.xx)
    values, vectors = torch.linalg.eigh(scaled)
    basis = vectors / scale[:, None]
    mapped = basis.T @ m.xd  # A in this basis, not yet divided by the eigenvalues
    wanted = (mapped * (basis.T @ h.xd)).sum(1)
    spent = (basis.T @ h.xx @ basis) * (mapped @ mapped.T)
    moved_x, moved_d = (h.mean_x - m.mean_x) @ basis, h.mean_d - m.mean_d
    errors = []
    for penalty in PENALTIES:
        weights = torch.where(values > m.resolution * values[-1], 1 / (values + penalty), 0)
        off = moved_d - (moved_x * weights) @ mapped
        errors.append(float(weights @ spent @ weights - 2 * weights @ wanted + h.tokens * off @ off))
    return PENALTIES[errors.index(min(errors))]


def about_zero(moments: JointMoments) -> Centred:
    """Return the moments about 0 in place of the means."""
    m = moments.centred()
    n, none = m.tokens, torch.zeros_like(m.mean_x)
    xx, xd = m.xx.addr(m.mean_x, m.mean_x, alpha=n), m.xd.addr(m.mean_x, m.mean_d, alpha=n)
    return replace(m, mean_x=none, mean_d=none, xx=xx, xd=xd, dd=m.dd + n * m.mean_d.square())
