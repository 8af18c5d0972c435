"""Second moments about the means: what every score is made of."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .precision import NOISE


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
