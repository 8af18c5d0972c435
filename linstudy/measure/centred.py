"""Second moments about the means: what every score is made of."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .precision import COARSE, INDEPENDENT, NOISE


@dataclass(frozen=True, eq=False)
class Centred:
    """Sums of products of deviations from the means: what the scores are made of."""

    tokens: int
    mean_x: Float[Tensor, " dim"]
    mean_d: Float[Tensor, " dim"]
    xx: Float[Tensor, "dim dim"]
    xd: Float[Tensor, "dim dim"]
    dd: Float[Tensor, " dim"]
    resolution: float

    @property
    def yy(self) -> Float[Tensor, " dim"]:
        """The same for y = x + d, feature by feature."""
        x, d = self.xx.diagonal(), self.dd
        y = x + 2 * self.xd.diagonal() + d
        return torch.where(y > 10 * self.resolution * (x + d), y, 0)  # what is left of a constant feature is rounding

    @property
    def varies(self) -> bool:
        """Whether x varies by more than the rounding of float32 states; on one token over and over it does not."""
        return bool(self.xx.trace() > self.tokens * NOISE**2 * self.mean_x.square().sum())

    @property
    def float32_did(self) -> bool:
        """Say whether products made in float32 do, where these moments are made of such.

        They do where the features of x are independent enough, the update varies by more than its rounding, and y is
        not the small rest of an x that the layer takes away.
        """
        x, size = self.xx.diagonal(), self.dd / self.tokens + self.mean_d.square()
        if factor(self.xx.float())[1] < INDEPENDENT:
            return False
        coarse = (size > 0) & (self.dd < COARSE**2 * (self.yy + self.tokens * (self.mean_x + self.mean_d).square()))
        return not bool((coarse | (self.yy < INDEPENDENT * x)).any())


def factor(covariance: Float[Tensor, "dim dim"]) -> tuple[Float[Tensor, "dim dim"], float]:
    """Return the Cholesky factor, and the least share of a feature's variance that the features before it leave open.

    The share does not depend on the features' scales; 0 where there is no such factor.
    """
    root, failed = torch.linalg.cholesky_ex(covariance)
    return root, 0.0 if failed else float((root.diagonal().square() / covariance.diagonal()).min())
