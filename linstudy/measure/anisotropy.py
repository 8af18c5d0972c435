"""Anisotropy: how much of the variance of a cloud of states lies along one direction."""

import math
from collections.abc import Callable

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
        covariance = states.centred().xx
        total = float(covariance.trace())
        if iterations:
            largest = _by_power_iteration(covariance.__matmul__, covariance[0], iterations)
    else:
        centred = _centred(states)
        total = float(centred.square().sum())
        if iterations:
            largest = _by_power_iteration(lambda v: centred.T @ (centred @ v), centred[0], iterations)
        else:
            covariance = centred.T @ centred
    if not iterations:
        largest = largest_eigenvalue(covariance)
    return largest / total if total > 0 else math.nan


def _centred(states: Float[Tensor, "point dim"]) -> Float[Tensor, "point dim"]:
    if len(states) < 2:
        raise ValueError(f"{len(states)} states have no directions: give two or more")
    if not torch.isfinite(states).all():
        raise ValueError("the states hold NaN or infinity: look for an overflow (float16?) in the model")
    states = (states.cpu() if states.device.type == "mps" else states).double()  # Apple's GPUs have no float64
    return states - states.mean(0)


def _by_power_iteration(times: Callable[[Tensor], Tensor], like: Float[Tensor, " dim"], iterations: int) -> float:
    """Return how much the covariance, multiplied by ``times``, stretches a vector that it has been given so often."""
    # Any fixed vector could be at right angles to the direction sought; a random one is not.
    vector = torch.randn(len(like), generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(like.device)
    for _ in range(iterations):
        vector = times(vector / vector.norm())
    return float(vector.norm())
