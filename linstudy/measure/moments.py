"""First and second moments of the stream before and after a layer, kept while batches flow past."""

import os
from collections.abc import Sequence
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
from .centred import Centred
from .precision import EXACT_WIDTH, FIRST_TOKENS, LEAP, RESOLUTION, full_float32, product

ROWS = 1024  # tokens multiplied at a time: enough for the matrix units, few enough for short float32 sums
LOCATED_BY = 128  # tokens whose median is the location
COLUMNS = 256  # width of the blocks in which a symmetric product is made


@dataclass(eq=False)
class JointMoments:
    """Moments of pairs (x, d): x the stream entering a layer, d = y - x the layer's update.

    Fill it with :meth:`update` in batches of any size, in any order, on several machines; read it with
    :func:`linstudy.measure.scores` and :func:`linstudy.linear_map`. Sums are in float64, of deviations from a fixed
    ``location``, the median of the first tokens. The update is kept instead of y because the moments of (x, y) cancel
    near LS = 1, where those of (x, d) do not; y's follow from them.

    Products of float32 states are made in float32, at half the cost, only where the first tokens show that this is
    good to 1e-6 in every score: the stream is wide, and no feature is nearly a mixture of others (as after a
    LayerNorm, or where a few massive tokens share two dimensions). From the tokens on that lie far from those before
    them, massive ones or a mean that jumps, products are made in float64. What float32 leaves of 1 - LS_res is 1e-7:
    where a layer's update is linear to seven digits, ask for ``exact``. A direction that has less than 1e-10 of the
    largest variance is at the end of what squares in float64 hold, and a map is not determined along it.

    Example:
        >>> x = torch.randn(1000, 8)
        >>> moments = JointMoments.empty(8).update(x, 2 * x)
        >>> moments.tokens
        1000
    """

    count: Float[Tensor, ""]  # tokens
    location: Float[Tensor, "2 dim"]  # of x and of d
    sums: Float[Tensor, "2 dim"]
    xx: Float[Tensor, "dim dim"]  # upper triangle
    xd: Float[Tensor, "dim dim"]
    dd: Float[Tensor, " dim"]  # diagonal: no score needs more
    cosine: Float[Tensor, ""]  # sum over tokens of cos(x, y)
    norm_ratio: Float[Tensor, ""]  # sum over tokens of |d| / |y|
    resolution: Float[Tensor, ""]  # eigenvalues below this share of the largest are rounding noise; 0: not known yet

    @classmethod
    def empty(cls, dim: int, *, exact: bool | None = None, device: torch.device | str | None = None) -> "JointMoments":
        """Start with no tokens, for a stream of width ``dim``.

        ``exact`` says whether products are made in float64 from the start; by default the first batch decides.
        """
        shapes = {"location": (2, dim), "sums": (2, dim), "xx": (dim, dim), "xd": (dim, dim), "dd": (dim,)}
        state = {f.name: torch.zeros(shapes.get(f.name, ()), dtype=torch.float64, device=device) for f in fields(cls)}
        if exact is not None:
            state["resolution"].fill_(RESOLUTION[torch.float64 if exact else torch.float32])
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
        if not len(x):
            return self
        if not self.resolution and (seen := self._look(x, y)):
            return self.update(x[seen:], y[seen:])
        if not self.count:
            first = slice(LOCATED_BY)
            self.location.copy_(torch.stack([x[first].median(0).values, (y[first] - x[first]).median(0).values]))
        work = torch.float64 if self.resolution == RESOLUTION[torch.float64] else torch.float32
        room = torch.empty(2 * self.dim * min(ROWS, len(x)), dtype=work, device=x.device)
        with full_float32():
            for rows_x, rows_y in zip(x.split(ROWS), y.split(ROWS), strict=True):
                both, found = _deviations(rows_x, rows_y, self.location, room)
                if room.dtype == torch.float32 and self.count and self._leaps(found):
                    self.resolution.fill_(RESOLUTION[torch.float64])
                    room = room.double()
                    both, found = _deviations(rows_x, rows_y, self.location, room)
                self.dd += found.pop("squares")[1]
                for name, value in found.items():
                    getattr(self, name).add_(value)
                self._multiply(*both)
        if not torch.isfinite(self.sums).all():
            raise ValueError("the states hold NaN or infinity: look for an overflow (float16?) in the model")
        return self

    def _look(self, x: Float[Tensor, "token dim"], y: Float[Tensor, "token dim"]) -> int:
        """Choose the precision by the first tokens, add them, and return how many they were."""
        first = slice(max(2 * self.dim, FIRST_TOKENS))
        if self.dim > EXACT_WIDTH and len(x) >= 3 * self.dim // 2 and torch.float64 not in (x.dtype, y.dtype):
            self.resolution.fill_(RESOLUTION[torch.float32])
            self.update(x[first], y[first])
            if self.resolution == RESOLUTION[torch.float32] and self.centred().float32_did:
                return self.tokens
            for name in fields(self):
                getattr(self, name.name).zero_()
        self.resolution.fill_(RESOLUTION[torch.float64])
        return 0

    def _leaps(self, found: dict[str, Tensor]) -> bool:
        """Say whether mean squares of some feature are far above those of the tokens before, where it had any."""
        before = torch.stack([self.xx.diagonal(), self.dd]) / self.count
        return bool(((found["squares"] / found["count"] > LEAP * before) & (before > 0)).any())

    def _multiply(self, x: Float[Tensor, "dim token"], d: Float[Tensor, "dim token"]) -> None:
        for start in range(0, self.dim, COLUMNS):
            self.xx[start : start + COLUMNS, start:] += product(x[start : start + COLUMNS], x[start:])
        self.xd += product(x, d)

    @torch.no_grad()
    def merge(self, other: "JointMoments") -> "JointMoments":
        """Add the tokens that ``other`` has seen, as if they had been given to :meth:`update` here."""
        if other.dim != self.dim:
            raise ValueError(f"moments of width {other.dim} cannot be merged into moments of width {self.dim}")
        if not other.count:
            return self
        if not self.count:
            self.location.copy_(other.location)
        moved = other.moved(self.location)
        for name in SUMS:
            getattr(self, name).add_(getattr(moved, name))
        self.resolution.copy_(torch.maximum(self.resolution, moved.resolution))
        return self

    def moved(self, location: Float[Tensor, "2 dim"]) -> "JointMoments":
        """Return the same moments as sums of deviations from another location, on its device."""
        old = replace(self, **{f.name: getattr(self, f.name).to(location.device) for f in fields(self)})
        n, (by_x, by_d), (sum_x, sum_d) = old.count, old.location - location, old.sums
        return replace(
            old,
            location=location.clone(),
            sums=torch.stack([sum_x + n * by_x, sum_d + n * by_d]),
            xx=old.xx + sum_x.outer(by_x) + by_x.outer(sum_x) + n * by_x.outer(by_x),
            xd=old.xd + sum_x.outer(by_d) + by_x.outer(sum_d) + n * by_x.outer(by_d),
            dd=old.dd + 2 * by_d * sum_d + n * by_d.square(),
        )

    def centred(self) -> Centred:
        """Return the moments about the means, whole and symmetric."""
        if not self.count:
            raise ValueError("no tokens were measured: update the moments first")
        mean_x, mean_d = self.sums / self.count
        xx = self.xx.triu()
        xx += xx.triu(1).T
        return Centred(
            tokens=self.tokens,
            mean_x=self.location[0] + mean_x,
            mean_d=self.location[1] + mean_d,
            xx=xx.addr_(self.sums[0], mean_x, alpha=-1),
            xd=self.xd.addr(self.sums[0], mean_d, alpha=-1),
            dd=(self.dd - self.count * mean_d.square()).clamp_min(0),
            resolution=float(self.resolution),
        )

    @torch.no_grad()
    def all_reduce(self, group: "torch.distributed.ProcessGroup | None" = None) -> "JointMoments":
        """Replace the moments of every process by those of all processes together."""
        add = partial(torch.distributed.all_reduce, group=group)
        base = torch.cat([(self.count * self.location).flatten(), self.count[None]])
        add(base)
        common = (base[:-1] / base[-1].clamp_min(1)).view(2, -1)  # the mean of theirs
        mine = self.moved(common)
        sums = torch.cat([getattr(mine, name).flatten() for name in SUMS])
        add(sums)
        add(mine.resolution, op=torch.distributed.ReduceOp.MAX)
        for name, piece in zip(SUMS, sums.split([getattr(mine, name).numel() for name in SUMS]), strict=True):
            setattr(self, name, piece.view_as(getattr(mine, name)))
        self.location, self.resolution = common, mine.resolution
        return self

    def tensors(self) -> dict[str, Tensor]:
        """Return what is to be saved."""
        return {f.name: getattr(self, f.name).contiguous().cpu() for f in fields(self)}

    def save(self, path: str | os.PathLike) -> None:
        """Write to a safetensors file, whole or not at all."""
        with written_whole(path) as temporary:
            save_file(self.tensors(), temporary)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "JointMoments":
        """Read what :meth:`save` wrote. Raises ValueError for a file that is cut short or of another kind."""
        try:
            return cls(**load_file(path))
        except (SafetensorError, TypeError) as error:
            raise ValueError(f"{Path(path)} holds no whole moments ({error}): measure again") from None


def _deviations(
    x: Float[Tensor, "token dim"],
    y: Float[Tensor, "token dim"],
    location: Float[Tensor, "2 dim"],
    room: Float[Tensor, " numbers"],
) -> tuple[Float[Tensor, "2 dim token"], dict[str, Tensor]]:
    """Return x and d = y - x less their location, a row a feature, in ``room``; and all sums but those of products."""
    x, y = x.to(room.dtype), y.to(room.dtype)
    d, tiny = y - x, torch.finfo(torch.float64).tiny
    norm_x, norm_y, norm_d = (m.norm(dim=1).double() for m in (x, y, d))
    cosine = (norm_x**2 + norm_y**2 - norm_d**2) / (2 * norm_x * norm_y).clamp_min(tiny)
    both = room[: 2 * x.numel()].view(2, x.shape[1], len(x))
    for found, state, middle in zip(both, (x, d), location.to(room.dtype), strict=True):
        found.copy_(state.T).sub_(middle[:, None])
    found = {"count": norm_x.new_tensor(len(x)), "cosine": cosine.sum(), "sums": both.sum(2)}
    found |= {"norm_ratio": (norm_d / norm_y.clamp_min(tiny)).sum(), "squares": both.norm(dim=2).double().square()}
    return both, found


def added(parts: Sequence[JointMoments]) -> JointMoments:
    """Return the moments of all the tokens that these have seen; they stay as they are."""
    first, *others = parts
    whole = replace(first, **{f.name: getattr(first, f.name).clone() for f in fields(first)})
    for other in others:
        whole.merge(other)
    return whole


SUMS = ("count", "sums", "xx", "xd", "dd", "cosine", "norm_ratio")  # what is added when moments are
