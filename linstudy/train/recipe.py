"""What a training run is, in one value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .controls import Scaling
from .engines import LINEAR
from .penalties import Penalty


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What decides a run: on one machine equal recipes, examples and first weights give equal runs."""

    steps: int = 2000  # updates of the weights
    batch: int = 16  # blocks or examples a step, over all processes
    peak_rate: float = 4e-3  # learning rate when the warm-up ends
    warmup: int = 100  # steps in which the rate rises from 0
    final_rate: float = 0.1  # share of the peak rate that is left at the last step
    weight_decay: float = 0.1  # share of a weight lost a step, times the rate; matrices only
    clip: float = 1.0  # largest L2 norm of the whole gradient
    betas: tuple[float, float] = (0.9, 0.95)  # memory of AdamW's two moments, a step
    seed: int = 0  # order of the examples, and dropout (the first weights are the caller's)
    log_every: int = 10  # steps a row
    validate_every: int = 100  # steps; measured in the first row after so many
    checkpoint_every: int = 200  # steps; saved after the first row after so many, where a folder is given
    penalty: Penalty | None = None  # added to the loss of the next token
    scaling: Scaling | None = None  # of branches, norms or rates: the control of a penalty
    # Steps with a validated row, whose weights are kept; 0: before the first. True: 0, the powers of 2, and the last.
    snapshots: bool | Sequence[int] = False
    accumulation: int = 1  # parts a process computes its share of a batch in, where the whole is too large for it
    compile: bool = False  # compile the blocks first, which takes a minute and makes the steps faster
    linear: str = "auto"  # who multiplies matrices: torch's BLAS; onednn, whose last digits differ; auto: see engines

    def __post_init__(self) -> None:
        """Refuse what no run can follow."""
        above_0 = ("steps", "batch", "peak_rate", "clip", "log_every", "validate_every", "checkpoint_every")
        for field in (*above_0, "accumulation"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{field} is {getattr(self, field)}; it must be above 0")
        for field in ("peak_rate", "weight_decay", "final_rate"):
            if not 0 <= getattr(self, field) < math.inf:
                raise ValueError(f"{field} is {getattr(self, field)}; it must be a number, 0 or more")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed is {self.seed}; it must lie between 0 and 2**63")
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(f"warmup is {self.warmup} steps; it must lie between 0 and steps, {self.steps}")
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

    def has_row(self, step: int) -> bool:
        """Say whether a step is told of; step 0 only where its weights are kept."""
        return step in self.snapshot_steps or step == self.steps or (step > 0 and step % self.log_every == 0)

    def is_due(self, step: int, every: int) -> bool:
        """Say whether what is done every so many steps is done at this step's row: the first one after so many."""
        row_before = (step - 1) // self.log_every * self.log_every
        return step == self.steps or (step > 0 and step // every > row_before // every)
