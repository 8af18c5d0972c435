"""The pretraining loop: token blocks in, a trained model in place, one row of numbers every few steps."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..models import capture, final_norm
from .checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from .config import TrainConfig
from .controls import scaled
from .engines import compiled, products
from .penalties import neighbour_penalty
from .processes import check_shares, mean_over_processes, processes, shares, together, unsent
from .snapshots import save_snapshot
from .steps import (
    batch_rows,
    check_float32,
    drawn_by,
    make_optimizer,
    next_token_nats,
    precision,
    stop_unless_finite,
)

Row = dict[str, int | float | None]


def pretrain(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    config: TrainConfig,
    *,
    folder: str | Path | None = None,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a model in place and yield one row every ``config.log_every`` steps and after the last.

    Columns: ``step`` (updates done), ``tokens`` (seen so far), ``training_nats``, ``penalty`` (weighted, 0 without
    one; the loss is the sum of the two) and ``gradient_norm`` (before clipping), these three means over the steps
    since the row before, ``validation_nats`` (nats per token; None in the rows between two measurements), ``rate``
    (learning rate), ``tokens_per_second`` (training alone, all processes together).

    With a ``folder`` the whole state is saved there every ``config.checkpoint_every`` steps and at the end, and a run
    that finds a checkpoint goes on from it: on the CPU to the same weights, bit for bit. The steps in
    ``config.snapshots`` get a validated row each, step 0 for the first weights, and their weights are kept in the
    folder (:func:`load_snapshot`). While a row is out, the model may be measured.

    Under ``accelerate launch`` or ``torchrun`` every process calls this with the same arguments; each step's blocks
    are shared out, the first process writes the files, all yield the same rows. The weights must be float32; on GPUs
    that have bfloat16 units the products run in bfloat16.

    Raises:
        ValueError: the blocks or the weights cannot be trained on, or the checkpoint is of another run.
        FloatingPointError: the loss or the gradient is no longer finite.

    """
    check(model, blocks, config)
    trained = together(model)
    optimizer = make_optimizer(model, config)
    settings = asdict(config) | {"blocks": fingerprint(blocks)}
    saved = latest_checkpoint(folder) if folder is not None else None
    done = load_checkpoint(saved, model, optimizer, settings=settings) if saved else 0
    first = processes().is_main_process

    with ExitStack() as undone_at_the_end:
        undone_at_the_end.enter_context(scaled(model, config.scaling))
        undone_at_the_end.enter_context(products(model, config.linear, is_compiled=config.compile))
        if config.compile and done < config.steps:
            undone_at_the_end.enter_context(compiled(model, lambda: sample_loss(model, blocks, config)))

        model.train()
        recent: list[Tensor] = []  # loss, penalty and gradient norm since the last row; they stay on the device
        clock = time.perf_counter()
        for step in range(done + 1 if saved else 0, config.steps + 1):
            if step:  # step 0 is the model as it came
                recent.append(one_step(model, trained, optimizer, blocks, config, step))

            last, kept = step == config.steps, step in config.snapshot_steps
            if not (kept or last or (step and step % config.log_every == 0)):
                continue
            measured = validation is not None and (kept or last or step % config.validate_every == 0)
            seen = step * config.batch * blocks.shape[1]
            row: Row = {"step": step, "tokens": seen, "training_nats": None, "penalty": None, "validation_nats": None}
            row |= {"rate": config.rate(step), "gradient_norm": None, "tokens_per_second": None}
            if recent:
                numbers = mean_over_processes(torch.stack(recent)).cpu()  # the one wait for the device
                seconds = time.perf_counter() - clock
                stop_unless_finite(torch.stack([numbers[:, :2].sum(dim=1), numbers[:, 2]], 1), step, remedy(folder))
                row |= zip(("training_nats", "penalty", "gradient_norm"), numbers.mean(dim=0).tolist(), strict=True)
                row["tokens_per_second"] = len(recent) * config.batch * blocks.shape[1] / seconds
            if measured:
                row["validation_nats"] = mean_nats(model, validation, config)
            if kept and first and folder is not None:
                save_snapshot(folder, model, step=step, scaling=config.scaling)
            yield row
            # After the row, so that whoever writes rows down has all rows up to the checkpoint.
            if folder is not None and step and (last or step % config.checkpoint_every == 0):
                if first:
                    save_checkpoint(folder, model, optimizer, step=step, settings=settings)
                processes().wait_for_everyone()
            recent.clear()
            model.train()  # whoever had the row may have measured the model
            clock = time.perf_counter()
    model.eval()


def one_step(
    model: PreTrainedModel,
    trained: nn.Module,
    optimizer: torch.optim.Optimizer,
    blocks: Int[Tensor, "block token"],
    config: TrainConfig,
    step: int,
) -> Float[Tensor, "3"]:
    """Update the weights once; return this process's loss and penalty and the gradient's norm, before the update.

    ``trained`` is the model, or what sends its gradients to the other processes.
    """
    for group in optimizer.param_groups:
        group["lr"] = config.rate(step)
    numbers = []
    parts = shares(batch_rows(len(blocks), config, step), config.accumulation)
    with drawn_by(model.device, config.seed, step, processes().process_index):
        for place, rows in enumerate(parts, start=1):
            ids = blocks[rows].to(model.device).long()
            with nullcontext() if place == len(parts) else unsent(trained):
                nats, penalty = losses(model, trained, ids, config)
                loss = nats if config.penalty is None else nats + penalty
                (loss if len(parts) == 1 else loss / len(parts)).backward()
            numbers.append(torch.stack([nats.detach(), penalty.detach()]))
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return torch.cat([torch.stack(numbers).mean(dim=0), norm[None]])


def losses(
    model: PreTrainedModel, trained: nn.Module, ids: Int[Tensor, "block token"], config: TrainConfig
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the loss of the next token and the weighted penalty, the two terms of what is minimised."""
    with precision(model.device):
        if config.penalty is None:
            nats = next_token_nats(trained, ids)
            return nats, torch.zeros_like(nats)
        with capture(model) as stream:
            nats = next_token_nats(trained, ids)
        penalty = neighbour_penalty(stream, config.penalty, final_norm=final_norm(model))
        stream.clear()  # or the states would wait, with their graph, for the garbage collector
    # Losses are averaged over the parts of a step; a sum over all its tokens is the mean of so many times theirs.
    shared = config.batch / len(ids) if config.penalty.tokens == "sum" else 1
    return nats, penalty * shared


@torch.no_grad()
def mean_nats(model: PreTrainedModel, blocks: Int[Tensor, "block token"], config: TrainConfig) -> float:
    """Measure the loss on blocks, shared out over the processes, in nats per token."""
    state = processes()
    model.eval()
    total = 0.0
    batches = blocks.split(config.batch // (config.accumulation * state.num_processes))
    for part in batches[state.process_index :: state.num_processes]:
        with precision(model.device):
            total += next_token_nats(model, part.to(model.device).long()).item() * len(part)
    if state.num_processes > 1:
        mine = torch.tensor(total, dtype=torch.float64, device=model.device)
        total = mean_over_processes(mine).item() * state.num_processes
    return total / len(blocks)


def sample_loss(model: PreTrainedModel, blocks: Int[Tensor, "block token"], config: TrainConfig) -> Float[Tensor, ""]:
    """Return the loss of a part of the first step, to see whether one can be had."""
    model.train()
    rows = shares(batch_rows(len(blocks), config, 1), config.accumulation)[0]
    with drawn_by(model.device, config.seed):
        return sum(losses(model, model, blocks[rows].to(model.device).long(), config))


def check(model: PreTrainedModel, blocks: Int[Tensor, "block token"], config: TrainConfig) -> None:
    """Refuse what would fail, or train badly, only after minutes."""
    check_shares(config.batch, config.accumulation)
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
    check_float32(model)


def remedy(folder: str | Path | None) -> str:
    """Say what to do after a loss that is not finite."""
    saved = latest_checkpoint(folder) if folder is not None else None
    back = f"the last good checkpoint is {saved}" if saved else "there is no checkpoint to go back to"
    return f"{back}; try a lower peak_rate or a longer warmup"


def fingerprint(blocks: Int[Tensor, "block token"]) -> str:
    """Return a short hash of the token blocks, for a run resumed on other text."""
    return sha256(np.ascontiguousarray(blocks.cpu().numpy())).hexdigest()[:16]
