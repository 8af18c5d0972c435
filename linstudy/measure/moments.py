"""First and second moments of the stream before and after a layer, kept while batches flow past."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import torch
import torch.distributed
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..files import written_whole

ROWS = 2048  # tokens multiplied at a time: enough for the matrix units, few enough for short float32 sums
CACHED_ROWS = 512  # tokens summed at a time: what is touched a dozen times stays in cache
COLUMNS = 256  # width of the blocks in which a symmetric product is made
EXACT_WIDTH = 256  # up to this width float64 products cost next to nothing
OUTLIER = 8  # a token this many times the median is multiplied in float64 in any case
RESOLUTION = {torch.float32: 1e-8, torch.float64: 1e-12}  # of eigenvalues, as a share of the largest


@dataclass(eq=False)
class JointMoments:
    """Moments of pairs (x, d): x the stream entering a layer, d = y - x the layer's update.

    Fill it with :meth:`update` in batches of any size, in any order, on several machines; read it with
    :func:`linstudy.measure.scores` and :func:`linstudy.linear_map`. Sums are in float64, of deviations from a fixed
    ``location`` in units of a fixed ``scale``, both robust and taken from the first tokens. The update is kept
    instead of y because the moments of (x, y) cancel near LS = 1, where those of (x, d) do not; y's follow from them.

    Products of float32 states are made in float64 where the stream is at most 256 wide or ``exact`` is set, else in
    float32: twice as fast, and good to 1e-6 in every score unless x is close to rank-deficient.

    Example:
        >>> x = torch.randn(1000, 8)
        >>> moments = JointMoments.empty(8).update(x, 2 * x)
        >>> moments.tokens
        1000
    """

    count: Float[Tensor, ""]  # tokens
    location: Float[Tensor, "2 dim"]  # of x and of d, as in all that follow
    scale: Float[Tensor, "2 dim"]
    sums: Float[Tensor, "2 dim"]
    xx: Float[Tensor, "dim dim"]  # upper triangle
    xd: Float[Tensor, "dim dim"]
    dd: Float[Tensor, " dim"]  # diagonal: no score needs more
    cosine: Float[Tensor, ""]  # sum over tokens of cos(x, y)
    norm_ratio: Float[Tensor, ""]  # sum over tokens of |d| / |y|
    resolution: Float[Tensor, ""]  # eigenvalues below this share of the largest are rounding noise

    @classmethod
    def empty(cls, dim: int, *, exact: bool = False, device: torch.device | str | None = None) -> "JointMoments":
        """Start with no tokens, for a stream of width ``dim``."""
        shapes = dict.fromkeys(("location", "scale", "sums"), (2, dim)) | dict.fromkeys(("xx", "xd"), (dim, dim))
        shapes["dd"] = (dim,)
        state = {f.name: torch.zeros(shapes.get(f.name, ()), dtype=torch.float64, device=device) for f in fields(cls)}
        if exact or dim <= EXACT_WIDTH:
            state["resolution"].fill_(RESOLUTION[torch.float64])
        else:
            state["resolution"].fill_(RESOLUTION[torch.float32])
        return cls(**state)

    @property
    def tokens(self) -> int:
        """How many pairs were seen."""
        return int(self.count)

    @property
    def dim(self) -> int:
        """Width of the stream."""
        return len(self.dd)

    @torch.no_grad()
    def update(self, x: Float[Tensor, "token dim"], y: Float[Tensor, "token dim"]) -> "JointMoments":
        """Add the tokens of a batch: ``x`` entering the layer, ``y`` leaving it.

        Raises ValueError for a shape that does not fit and for states that are not finite; the moments are then void.
        """
        if x.shape != y.shape or x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"states of shape {tuple(x.shape)} and {tuple(y.shape)} do not fit moments of width {self.dim}: "
                f"give two matrices of shape (tokens, {self.dim})"
            )
        work = torch.float64 if self.resolution <= RESOLUTION[torch.float64] else torch.float32
        both = torch.empty(2, min(ROWS, len(x)), self.dim, dtype=work, device=x.device)
        with _full_float32():
            for rows_x, rows_y in zip(x.split(ROWS), y.split(ROWS), strict=True):
                ready = both[:, : len(rows_x)]
                cached = (rows_x.split(CACHED_ROWS), rows_y.split(CACHED_ROWS), ready.split(CACHED_ROWS, dim=1))
                for part_x, part_y, part in zip(*cached, strict=True):
                    if len(part_x):
                        self._add(part_x.to(work), part_y.to(work), part)
                self._multiply(*ready)
        if not torch.isfinite(self.sums).all():
            raise ValueError("the states hold NaN or infinity: look for an overflow (float16?) in the model")
        return self

    def _add(self, x: Tensor, y: Tensor, out: Float[Tensor, "2 token dim"]) -> None:
        """Sum all but the products of ``x`` and d = y - x, and leave both, standardised, in ``out``."""
        torch.sub(y, x, out=out[1])
        norm_x, norm_y, norm_d = (m.norm(dim=1).double() for m in (x, y, out[1]))
        tiny = torch.finfo(torch.float64).tiny
        self.cosine += ((norm_x**2 + norm_y**2 - norm_d**2) / (2 * norm_x * norm_y).clamp_min(tiny)).sum()
        self.norm_ratio += (norm_d / norm_y.clamp_min(tiny)).sum()
        if not self.count:
            for which, m in enumerate((x, out[1])):
                self.location[which], self.scale[which] = _location_and_scale(m)
        self.count += len(x)

        torch.sub(x, self.location[0].to(x.dtype), out=out[0])
        out[1] -= self.location[1].to(x.dtype)
        out *= (1 / self.scale).to(x.dtype)[:, None]
        self.sums += out.sum(1)
        self.dd += out[1].norm(dim=0).double().square()
        if x.dtype != torch.float64:
            # A few tokens can be a thousand times the rest, and own every float32 sum they enter.
            size = out.norm(dim=2)
            outlier = (size > OUTLIER * size.median(dim=1, keepdim=True).values).any(0)
            if outlier.any():
                self._multiply(*out[:, outlier].double())
                out[:, outlier] = 0

    def _multiply(self, x: Float[Tensor, "token dim"], d: Float[Tensor, "token dim"]) -> None:
        for start in range(0, self.dim, COLUMNS):
            self.xx[start : start + COLUMNS, start:] += x[:, start : start + COLUMNS].T @ x[:, start:]
        self.xd += x.T @ d

    @torch.no_grad()
    def merge(self, other: "JointMoments") -> "JointMoments":
        """Add the tokens that ``other`` has seen, as if they had been given to :meth:`update` here."""
        if other.dim != self.dim:
            raise ValueError(f"moments of width {other.dim} cannot be merged into moments of width {self.dim}")
        if not other.count:
            return self
        if not self.count:
            self.location.copy_(other.location)
            self.scale.copy_(other.scale)
        moved = other.rebased(self.location, self.scale)
        for name in SUMS:
            getattr(self, name).add_(getattr(moved, name))
        self.resolution.copy_(torch.maximum(self.resolution, moved.resolution))
        return self

    def rebased(self, location: Float[Tensor, "2 dim"], scale: Float[Tensor, "2 dim"]) -> "JointMoments":
        """Return the same moments as sums of deviations from another location in units of another scale."""
        old = replace(self, **{f.name: getattr(self, f.name).to(location.device) for f in fields(self)})
        ratio, (by_x, by_d) = old.scale / scale, (old.location - location) / scale
        n, (sum_x, sum_d) = old.count, old.sums * ratio
        return replace(
            old,
            location=location.clone(),
            scale=scale.clone(),
            sums=torch.stack([sum_x + n * by_x, sum_d + n * by_d]),
            xx=old.xx * ratio[0].outer(ratio[0]) + sum_x.outer(by_x) + by_x.outer(sum_x) + n * by_x.outer(by_x),
            xd=old.xd * ratio[0].outer(ratio[1]) + sum_x.outer(by_d) + by_x.outer(sum_d) + n * by_x.outer(by_d),
            dd=old.dd * ratio[1].square() + 2 * by_d * sum_d + n * by_d.square(),
        )

    def centred(self) -> "Centred":
        """Return the moments about the means, whole, symmetric and in the stream's own units."""
        if not self.count:
            raise ValueError("no tokens were measured: update the moments first")
        mean_x, mean_d = self.sums / self.count
        scale_x, scale_d = self.scale
        upper = self.xx.triu()
        return Centred(
            tokens=self.tokens,
            mean_x=self.location[0] + scale_x * mean_x,
            mean_d=self.location[1] + scale_d * mean_d,
            xx=(upper + upper.triu(1).T - self.count * mean_x.outer(mean_x)) * scale_x.outer(scale_x),
            xd=(self.xd - self.count * mean_x.outer(mean_d)) * scale_x.outer(scale_d),
            dd=(self.dd - self.count * mean_d.square()).clamp_min(0) * scale_d.square(),
            resolution=float(self.resolution),
        )

    @torch.no_grad()
    def all_reduce(self, group: "torch.distributed.ProcessGroup | None" = None) -> "JointMoments":
        """Replace the moments of every process by those of all processes together."""
        add = partial(torch.distributed.all_reduce, group=group)
        base = torch.cat([self.location, self.scale]) * self.count
        total = self.count.clone()
        add(base), add(total)
        location, scale = (base / total.clamp_min(1)).chunk(2)  # common to all: the mean of theirs
        mine = self.rebased(location, scale) if self.count else replace(self, location=location, scale=scale)
        sums = torch.cat([getattr(mine, name).flatten() for name in SUMS])
        add(sums)
        add(mine.resolution, op=torch.distributed.ReduceOp.MAX)
        for name, piece in zip(SUMS, sums.split([getattr(mine, name).numel() for name in SUMS]), strict=True):
            setattr(self, name, piece.view_as(getattr(mine, name)))
        self.location, self.scale, self.resolution = location, scale, mine.resolution
        return self

    def save(self, path: str | os.PathLike) -> None:
        """Write to a safetensors file, whole or not at all."""
        with written_whole(path) as temporary:
            save_file({f.name: getattr(self, f.name).contiguous().cpu() for f in fields(self)}, temporary)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "JointMoments":
        """Read what :meth:`save` wrote. Raises ValueError for a file that is cut short or of another kind."""
        try:
            return cls(**load_file(path))
        except (SafetensorError, TypeError) as error:
            raise ValueError(f"{Path(path)} holds no whole moments ({error}): measure again") from None


SUMS = ("count", "sums", "xx", "xd", "dd", "cosine", "norm_ratio")  # what is added when moments are


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
        return (self.xx.diagonal() + 2 * self.xd.diagonal() + self.dd).clamp_min(0)


def _location_and_scale(states: Float[Tensor, "token dim"]) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
    """Return the median and the median deviation of each feature: unlike mean and variance, blind to outliers."""
    location = states.median(0).values
    scale = (states - location).abs().median(0).values.double()
    # A feature that rests in the first tokens may move later: nothing is divided by next to nothing.
    scale = scale.clamp_min(1e-3 * float(scale.median()))
    return location, torch.where(scale > 0, scale, torch.ones_like(scale))


@contextmanager
def _full_float32() -> Iterator[None]:
    """Forbid the GPU to round float32 products to ten bits (TF32)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
