"""What a pretraining run is, in one value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .controls import Scaling
from .engines import LINEAR
from .penalties import Penalty


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What a run is, whole: on one machine equal configs, blocks and first weights give equal runs."""

    steps: int = 2000  # updates of the weights
    batch: int = 16  # blocks a step, over all processes
    peak_rate: float = 4e-3  # learning rate when the warm-up ends
    warmup: int = 100  # steps in which the rate rises from 0
    final_rate: float = 0.1  # share of the peak rate that is left at the last step
    weight_decay: float = 0.1  # share of a weight lost a step, times the rate; matrices only
    clip: float = 1.0  # largest L2 norm of the whole gradient
    betas: tuple[float, float] = (0.9, 0.95)  # memory of AdamW's two moments, a step
    seed: int = 0  # order of the blocks, and dropout (the first weights are the caller's)
    log_every: int = 10  # steps a row
    validate_every: int = 100  # steps between measurements on the validation blocks
    checkpoint_every: int = 200  # steps between checkpoints, where a folder is given
    penalty: Penalty | None = None  # added to the loss
    scaling: Scaling | None = None  # of branches or norms: the control of a penalty
    snapshots: bool | Sequence[int] = False  # steps whose weights are kept; True: 0, the powers of 2, and the last
    accumulation: int = 1  # parts a process computes its share of a batch in, where the whole is too large for it
    compile: bool = False  # compile the blocks first, which takes a minute and makes the steps faster
    linear: str = (
        "auto"  # who multiplies matrices: torch's BLAS, or onednn, whose last digits differ; auto: see engines
    )

    def __post_init__(self) -> None:
        """Refuse what no run can follow."""
        above_0 = ("steps", "batch", "peak_rate", "clip", "log_every", "validate_every", "checkpoint_every")
        for field in (*above_0, "accumulation"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{field} is {getattr(self, field)}; it must be above 0")
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(f"warmup is {self.warmup} steps; it must lie between 0 and steps, {self.steps}")
        for field in ("validate_every", "checkpoint_every"):
            if getattr(self, field) % self.log_every:
                raise ValueError(
                    f"{field} is {getattr(self, field)}; it must be a multiple of log_every, {self.log_every}"
                )
        if self.linear not in LINEAR:
            raise ValueError(f"linear is {self.linear!r}; it must be one of {', '.join(LINEAR)}")
        if self.compile and self.linear == "onednn":
            raise ValueError("compile=True and linear='onednn' do not go together: torch's compiler knows only its own")
        for step in self.snapshot_steps:
            if not 0 <= step <= self.steps:
                raise ValueError(f"snapshots holds step {step}; the run has steps 0 to {self.steps}")

    @property
    def snapshot_steps(self) -> frozenset[int]:
        """Return the steps whose weights are kept, 0 for the first weights."""
        if isinstance(self.snapshots, bool):
            powers = {2**power for power in range(self.steps.bit_length())}
            return frozenset({0, *powers, self.steps}) if self.snapshots else frozenset()
        return frozenset(self.snapshots)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1: a straight warm-up, then half a cosine."""
        if step < self.warmup:
            return self.peak_rate * step / self.warmup
        gone = (step - self.warmup) / max(self.steps - self.warmup, 1)
        return self.peak_rate * (self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * gone)) / 2)
