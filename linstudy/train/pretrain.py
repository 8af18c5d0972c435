"""The pretraining loop: token blocks in, a trained model in place, one row of numbers every few steps."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from .checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint

Row = dict[str, int | float | None]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What a run is, whole: on one machine equal configs, blocks and first weights give equal runs."""

    steps: int = 2000  # updates of the weights
    batch: int = 16  # blocks a step
    peak_rate: float = 4e-3  # learning rate when the warm-up ends
    warmup: int = 100  # steps in which the rate rises from 0
    final_rate: float = 0.1  # share of the peak rate that is left at the last step
    weight_decay: float = 0.1  # share of a weight lost a step, times the rate; matrices only
    clip: float = 1.0  # largest L2 norm of the whole gradient
    betas: tuple[float, float] = (0.9, 0.95)  # memory of AdamW's two moments, a step
    seed: int = 0  # order of the blocks (the first weights are the caller's)
    log_every: int = 10  # steps a row
    validate_every: int = 100  # steps between measurements on the validation blocks
    checkpoint_every: int = 200  # steps between checkpoints, where a folder is given

    def __post_init__(self) -> None:
        """Refuse what no run can follow."""
        for field in ("steps", "batch", "peak_rate", "clip", "log_every", "validate_every", "checkpoint_every"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{field} is {getattr(self, field)}; it must be above 0")
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(f"warmup is {self.warmup} steps; it must lie between 0 and steps, {self.steps}")
        for field in ("validate_every", "checkpoint_every"):
            if getattr(self, field) % self.log_every:
                raise ValueError(
                    f"{field} is {getattr(self, field)}; it must be a multiple of log_every, {self.log_every}"
                )

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1: a straight warm-up, then half a cosine."""
        if step < self.warmup:
            return self.peak_rate * step / self.warmup
        gone = (step - self.warmup) / max(self.steps - self.warmup, 1)
        return self.peak_rate * (self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * gone)) / 2)


def pretrain(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    config: TrainConfig,
    *,
    folder: str | Path | None = None,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a model in place and yield one row every ``config.log_every`` steps and after the last.

    Columns: ``step`` (updates done), ``tokens`` (seen so far), ``training_nats`` and ``gradient_norm`` (before
    clipping), both means over the steps since the row before, ``validation_nats`` (nats per token; None in the rows
    between two measurements), ``rate`` (learning rate), ``tokens_per_second`` (training alone).

    With a ``folder`` the whole state is saved there every ``config.checkpoint_every`` steps and at the end, and a run
    that finds a checkpoint goes on from it: on the CPU to the same weights, bit for bit. The weights must be float32;
    on GPUs that have bfloat16 units the products run in bfloat16.

    Raises:
        ValueError: the blocks or the weights cannot be trained on, or the checkpoint is of another run.
        FloatingPointError: the loss or the gradient is no longer finite.

    """
    check(model, blocks, config)
    optimizer = make_optimizer(model, config)
    settings = asdict(config) | {"blocks": fingerprint(blocks)}
    saved = latest_checkpoint(folder) if folder is not None else None
    done = load_checkpoint(saved, model, optimizer, settings=settings) if saved else 0

    model.train()
    recent: list[Tensor] = []  # loss and gradient norm of the steps since the last row; they stay on the device
    clock = time.perf_counter()
    for step in range(done + 1, config.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step)

        ids = blocks[batch_rows(len(blocks), config, step)].to(model.device).long()
        with precision(model.device):
            loss = next_token_nats(model, ids)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        recent.append(torch.stack([loss.detach(), norm]))

        last = step == config.steps
        if step % config.log_every and not last:
            continue
        numbers = torch.stack(recent).cpu()  # the one wait for the device
        seconds = time.perf_counter() - clock
        stop_unless_finite(numbers, step, latest_checkpoint(folder) if folder is not None else None)
        training_nats, gradient_norm = numbers.mean(dim=0).tolist()
        measured = validation is not None and (last or step % config.validate_every == 0)
        yield {
            "step": step,
            "tokens": step * ids.numel(),
            "training_nats": training_nats,
            "validation_nats": mean_nats(model, validation, config.batch) if measured else None,
            "rate": config.rate(step),
            "gradient_norm": gradient_norm,
            "tokens_per_second": len(recent) * ids.numel() / seconds,
        }
        # After the row, so that whoever writes rows down has all rows up to the checkpoint.
        if folder is not None and (last or step % config.checkpoint_every == 0):
            save_checkpoint(folder, model, optimizer, step=step, settings=settings)
        recent.clear()
        clock = time.perf_counter()
    model.eval()


def next_token_nats(model: PreTrainedModel, ids: Int[Tensor, "block token"]) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of every token given those before it, in nats: the loss of a training step."""
    logits = model(input_ids=ids, use_cache=False).logits
    # The targets are moved, not the logits: a slice of the logits would have to be copied, the largest tensor here.
    targets = F.pad(ids[:, 1:], (0, 1), value=-100)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


@torch.no_grad()
def mean_nats(model: PreTrainedModel, blocks: Int[Tensor, "block token"], batch: int) -> float:
    """Measure the loss on blocks, in nats per token, and leave the model in training mode."""
    model.eval()
    total = 0.0
    for part in blocks.split(batch):
        with precision(model.device):
            total += next_token_nats(model, part.to(model.device).long()).item() * len(part)
    model.train()
    return total / len(blocks)


def make_optimizer(model: PreTrainedModel, config: TrainConfig) -> torch.optim.AdamW:
    """Make AdamW with weight decay on the matrices alone.

    A norm's gain has no reason to be near 0, and an embedding row gets a gradient only when its token comes by:
    decayed at every step, rare tokens would fade for being rare.
    """
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for parameter in model.parameters():
        groups[parameter.ndim >= 2 and id(parameter) not in embeddings].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": groups[True], "weight_decay": config.weight_decay},
            {"params": groups[False], "weight_decay": 0.0},
        ],
        lr=config.peak_rate,
        betas=config.betas,
        fused=True,
    )


def batch_rows(count: int, config: TrainConfig, step: int) -> Int[np.ndarray, " row"]:
    """Return which of the blocks a step sees, decided by seed and step alone: a resumed run needs no generator's state.

    Every epoch is a fresh permutation; the few blocks left over when the batch does not divide it sit that epoch out.
    """
    epoch, place = divmod(step - 1, count // config.batch)
    order = np.random.default_rng((config.seed, epoch)).permutation(count)
    return order[place * config.batch : (place + 1) * config.batch]


def precision(device: torch.device) -> AbstractContextManager:
    """Choose bfloat16 products where the GPU has units for them (compute capability 8 and up), else float32."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def check(model: PreTrainedModel, blocks: Int[Tensor, "block token"], config: TrainConfig) -> None:
    """Refuse what would fail, or train badly, only after minutes."""
    if len(blocks) < config.batch or blocks.shape[1] < 2:
        raise ValueError(
            f"a step takes {config.batch} blocks of at least 2 tokens, but there are {len(blocks)} of "
            f"{blocks.shape[1]}; draw more tokens or make the batch smaller"
        )
    vocabulary = model.get_input_embeddings().num_embeddings
    if int(blocks.max()) >= vocabulary:
        raise ValueError(
            f"the blocks hold token {int(blocks.max())}, but the model knows only {vocabulary} tokens; "
            "use the tokenizer that belongs to the model"
        )
    half = {str(p.dtype) for p in model.parameters() if p.dtype != torch.float32}
    if half:
        raise ValueError(f"the weights are {', '.join(sorted(half))}; train in float32, after model.float()")


def stop_unless_finite(numbers: Float[Tensor, "step 2"], step: int, saved: Path | None) -> None:
    """Name the first step whose loss or gradient norm is not finite."""
    broken = (~numbers.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        first = step - len(numbers) + 1 + broken[0]
        loss, norm = numbers[broken[0]].tolist()
        back = f"the last good checkpoint is {saved}" if saved else "there is no checkpoint to go back to"
        raise FloatingPointError(
            f"at step {first} the loss was {loss:g} and the gradient norm {norm:g}; {back}; "
            "try a lower peak_rate or a longer warmup"
        )


def fingerprint(blocks: Int[Tensor, "block token"]) -> str:
    """Return a short hash of the token blocks, for a run resumed on other text."""
    return sha256(np.ascontiguousarray(blocks.cpu().numpy())).hexdigest()[:16]
