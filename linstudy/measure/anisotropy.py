"""Anisotropy: how much of the variance of a cloud of states lies along one direction."""

import math
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from .moments import JointMoments
from .scores import largest_eigenvalue


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
        centred = _centred(states)
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


def _centred(states: Float[Tensor, "point dim"]) -> Float[Tensor, "point dim"]:
    if len(states) < 2:
        raise ValueError(f"{len(states)} states have no directions: give two or more")
    if not torch.isfinite(states).all():
        raise ValueError("the states hold NaN or infinity: look for an overflow (float16?) in the model")
    states = (states.cpu() if states.device.type == "mps" else states).double()  # Apple's GPUs have no float64
    states = states - states[0]  # equal states become zeros, which a mean rounded would not make them
    return states - states.mean(0)
