"""The one training loop: an objective says what is made smaller, a recipe how."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import PreTrainedModel

from .checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint, save_snapshot
from .controls import rate_shares, scaled
from .engines import compiled, products
from .processes import mean_over_processes, processes, shares, together, unsent
from .recipe import Recipe
from .rows import Row

Rows = Int[np.ndarray, " row"]
Number = Float[Tensor, ""]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What a descent makes smaller, and what the rows of its run are called."""

    loss: Callable[[Rows], tuple[Number, dict[str, Number]]]  # of numbered examples; and what of it is told, by column
    count: int  # examples there are
    unit: tuple[str, int]  # what is counted, and how many an example has: ("tokens", 256)
    columns: tuple[str, ...]  # of the loss and of the validation
    validate: Callable[[], dict[str, float]] | None = None
    dropout: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)  # what a resumed run must agree in, besides the recipe


def descend(
    model: PreTrainedModel,
    objective: Objective,
    recipe: Recipe,
    *,
    head: nn.Module | None = None,
    folder: str | Path | None = None,
) -> Iterator[Row]:
    """Train a float32 model in place, with a head where it has one, and yield a row where the recipe says so.

    Columns: ``step`` (updates done), the unit (seen so far), those of the objective (of training, means over the steps
    since the row before; None where not measured), ``rate`` (learning rate), ``gradient_norm`` (before clipping, a mean
    as well), the unit ``_per_second`` (training alone, all processes). While a row is out, the model may be measured.

    With a ``folder`` the whole state is saved there, and a run that finds a checkpoint goes on from it: on the CPU to
    the same weights, bit for bit. The steps in ``recipe.snapshots`` get a validated row each, and their weights are
    kept in the folder (:func:`load_snapshot`). Under ``accelerate launch`` or ``torchrun`` every process calls this
    with the same arguments; each step's examples are shared out, the first process writes the files, all yield the
    same rows. On GPUs that have bfloat16 units the products run in bfloat16.

    Raises ValueError for weights that cannot be trained, a folder beside a head, which no checkpoint keeps, and a
    checkpoint of another run, FloatingPointError for a loss or gradient that is no longer finite.
    """
    check_float32(model)
    if head is not None and folder is not None:
        raise ValueError("a head is not kept in checkpoints: leave the folder out")
    trained = nn.ModuleList([model] if head is None else [model, head])
    optimizer = make_optimizer(trained, recipe, rate_shares(model, recipe.scaling))
    # The last bit of a norm depends on the order of its sum: each of the two is the one that tables were made with.
    ordered = list(model.parameters() if head is None else (p for g in optimizer.param_groups for p in g["params"]))
    loss = together(trained, objective.loss)
    settings = asdict(recipe) | dict(objective.settings)
    saved = latest_checkpoint(folder)
    done = load_checkpoint(saved, model, optimizer, settings=settings) if saved else 0
    first = processes().is_main_process
    sample = shares(batch_rows(objective.count, recipe, 1), recipe.accumulation)[0]
    unit, size = objective.unit
    recent: list[Tensor] = []  # loss, what is told and gradient norm since the last row; they stay on the device

    with ExitStack() as undone_at_the_end:
        undone_at_the_end.enter_context(scaled(model, recipe.scaling))
        undone_at_the_end.enter_context(products(model, recipe.linear, is_compiled=recipe.compile))
        trained.train(objective.dropout)
        if recipe.compile and done < recipe.steps:
            with drawn_by(model.device, recipe.seed):
                undone_at_the_end.enter_context(compiled(model, lambda: objective.loss(sample)[0]))
            optimizer.zero_grad(set_to_none=True)
        clock = time.perf_counter()
        for step in range(done + 1 if saved else 0, recipe.steps + 1):
            if step:  # step 0 is the model as it came
                parts = shares(batch_rows(objective.count, recipe, step), recipe.accumulation)
                with drawn_by(model.device, recipe.seed, step, processes().process_index):
                    numbers, told = take_step(loss, parts, optimizer, ordered, rate=recipe.rate(step), clip=recipe.clip)
                recent.append(numbers)
            if not recipe.has_row(step):
                continue

            row: Row = {"step": step, unit: step * recipe.batch * size} | dict.fromkeys(objective.columns)
            row |= {"rate": recipe.rate(step), "gradient_norm": None, f"{unit}_per_second": None}
            if recent:
                numbers = mean_over_processes(torch.stack(recent)).cpu()  # the one wait for the device
                row[f"{unit}_per_second"] = len(recent) * recipe.batch * size / (time.perf_counter() - clock)
                stop_unless_finite(numbers[:, [0, -1]], step, folder)
                row |= zip((*told, "gradient_norm"), numbers[:, 1:].mean(dim=0).tolist(), strict=True)
            kept = step in recipe.snapshot_steps
            if objective.validate is not None and (kept or recipe.is_due(step, recipe.validate_every)):
                trained.eval()
                with torch.no_grad():
                    row |= objective.validate()
            if kept and first and folder is not None:
                save_snapshot(folder, model, step=step, scaling=recipe.scaling)
            yield row
            # After the row, so that whoever writes rows down has all rows up to the checkpoint.
            if folder is not None and recipe.is_due(step, recipe.checkpoint_every):
                if first:
                    save_checkpoint(folder, model, optimizer, step=step, settings=settings)
                processes().wait_for_everyone()
            recent.clear()
            trained.train(objective.dropout)  # whoever had the row may have measured the model
            clock = time.perf_counter()
    model.eval()


def take_step(
    loss: Callable, parts: list[Rows], optimizer: Optimizer, weights: list[nn.Parameter], *, rate: float, clip: float
) -> tuple[Float[Tensor, " number"], list[str]]:
    """Update the weights once, by the mean gradient of the parts.

    Returns this process's loss before the update, what of it is told, and the gradient's norm; and the names of these.
    """
    numbers = []
    for place, rows in enumerate(parts, start=1):
        with nullcontext() if place == len(parts) else unsent(loss):
            total, told = loss(rows)
            (total if len(parts) == 1 else total / len(parts)).backward()
        numbers.append(torch.stack([total.detach(), *(number.detach() for number in told.values())]))
    norm = nn.utils.clip_grad_norm_(weights, clip)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return torch.cat([torch.stack(numbers).mean(dim=0), norm[None]]), list(told)


def make_optimizer(
    trained: nn.Module, recipe: Recipe, shares_of_rate: Mapping[nn.Parameter, float] | None = None
) -> Optimizer:
    """Make AdamW with weight decay on the matrices alone; some weights may have only a share of the learning rate.

    A norm's gain has no reason to be near 0, and an embedding row gets a gradient only when its token comes by:
    decayed at every step, rare tokens would fade for being rare.
    """
    embeddings = {id(module.weight) for module in trained.modules() if isinstance(module, nn.Embedding)}
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for parameter in trained.parameters():
        decays = parameter.ndim >= 2 and id(parameter) not in embeddings
        groups.setdefault((decays, (shares_of_rate or {}).get(parameter, 1.0)), []).append(parameter)
    told = [
        {"params": weights, "weight_decay": recipe.weight_decay if decays else 0.0, "share": share}
        for (decays, share), weights in groups.items()
    ]
    return torch.optim.AdamW(told, lr=recipe.peak_rate, betas=recipe.betas, fused=True)


def batch_rows(count: int, recipe: Recipe, step: int) -> Rows:
    """Return which of so many examples a step sees, decided by seed and step alone: no generator's state is kept.

    Every epoch is a fresh permutation; the few left over when the batch does not divide it sit that epoch out.
    """
    epoch, place = divmod(step - 1, count // recipe.batch)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(count)
    return order[place * recipe.batch : (place + 1) * recipe.batch]


def precision(device: torch.device) -> AbstractContextManager:
    """Choose bfloat16 products where the GPU has units for them (compute capability 8 and up), else float32."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def drawn_by(device: torch.device, *key: int) -> Iterator[None]:
    """Let what is drawn inside, dropout for one, be decided by a key, and leave the generators as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        yield


def check_float32(model: PreTrainedModel) -> None:
    """Refuse weights that small steps would round away."""
    half = {str(p.dtype) for p in model.parameters() if p.dtype != torch.float32}
    if half:
        raise ValueError(f"the weights are {', '.join(sorted(half))}; train in float32, after model.float()")


def stop_unless_finite(numbers: Float[Tensor, "step 2"], step: int, folder: str | Path | None) -> None:
    """Name the first of the steps up to this one whose loss or gradient norm is not finite, and the way back."""
    broken = (~numbers.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        loss, norm = numbers[broken[0]].tolist()
        saved = latest_checkpoint(folder)
        raise FloatingPointError(
            f"at step {step - len(numbers) + 1 + broken[0]} the loss was {loss:g} and the gradient norm {norm:g}; "
            + (f"the last good checkpoint is {saved}" if saved else "there is no checkpoint to go back to")
            + "; try a lower peak_rate or a longer warmup"
        )
