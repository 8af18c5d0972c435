"""Train a pruned model until it is again near the whole one: its stand-ins alone, or all of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..evaluate import cross_entropy
from ..measure.reading import run_blocks
from ..models import blocks as model_blocks
from ..models import capture
from ..train import TrainConfig, next_token_nats
from ..train.pretrain import check
from ..train.steps import batch_rows, make_optimizer, precision, stop_unless_finite
from .places import KEPT, places_of
from .saving import stand_ins

# No weight decay: it would pull a stand-in to 0, where its neutral state is the identity.
HEALING = TrainConfig(
    steps=200, batch=16, peak_rate=1e-3, warmup=20, weight_decay=0.0, log_every=20, validate_every=100
)
TRAINED = ("stand-ins", "all")
Row = dict[str, int | float | None]


def heal(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    config: TrainConfig = HEALING,
    *,
    teacher: PreTrainedModel | None = None,
    trained: str = "stand-ins",
    states: float = 1.0,
    nats: float = 0.0,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a pruned model in place, and yield a row before the first step, every ``config.log_every``, and at the end.

    The loss is ``states`` times the error of the states plus ``nats`` times the loss of the next token. The error is
    that of what leaves each stand-in (with all weights trained, each place) from what leaves the same layer of the
    teacher, as a share of that state's variance, so that no layer counts more for being late. The paper's distillation
    is ``trained="stand-ins"``, whose maps :func:`linstudy.prune.fit` has put where the closed form is best; from random
    maps (:func:`randomise_`) it comes nowhere near. The controls: no healing (row 0), and the whole model trained
    as long on the same blocks (``heal(copy, blocks, trained="all", states=0.0, nats=1.0)``).

    Args:
        model: made by :func:`linstudy.prune.prune`, in float32. Dropout stays off.
        blocks: token ids to train on.
        config: steps, batch, rates, seed; its penalty, scaling, snapshots, accumulation and compile are not used.
        teacher: the whole model, which stays as it is: another one than ``model``, such as a copy made before.
        trained: ``"stand-ins"`` or ``"all"``.
        states: weight of the error of the states.
        nats: weight of the loss of the next token.
        validation: blocks on which the loss is measured every ``config.validate_every`` steps.

    Yields:
        ``step``, ``tokens`` (seen so far), ``state_error``, ``training_nats``, ``gradient_norm`` (means since the row
        before; None where not in the loss), ``validation_nats`` and ``rate``.

    Raises:
        ValueError: where there is nothing to train or nothing to learn from.
        FloatingPointError: the loss or the gradient is no longer finite.

    """
    check(model, blocks, config)
    pairs = _states_to_match(model, teacher, trained, states)
    if not states and not nats:
        raise ValueError("states=0 and nats=0 leave nothing to learn: give one of them a weight")
    with _only(model, trained):
        optimizer = make_optimizer(model, config)
        model.eval()
        recent: list[Float[Tensor, 3]] = []
        for step in range(config.steps + 1):
            if step:
                for group in optimizer.param_groups:
                    group["lr"] = config.rate(step)
                ids = blocks[batch_rows(len(blocks), config, step)].to(model.device).long()
                error, loss = _losses(model, teacher, ids, pairs, nats)
                (states * error + nats * loss).backward()
                norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                recent.append(torch.stack([error.detach(), loss.detach(), norm]))

            last = step == config.steps
            if not (last or step % config.log_every == 0):
                continue
            row: Row = {"step": step, "tokens": step * config.batch * blocks.shape[1], "state_error": None}
            row |= {"training_nats": None, "gradient_norm": None, "validation_nats": None, "rate": config.rate(step)}
            if recent:
                numbers = torch.stack(recent).cpu()
                totals = states * numbers[:, 0] + nats * numbers[:, 1]
                stop_unless_finite(torch.stack([totals, numbers[:, 2]], dim=1), step, "try a lower peak_rate")
                found = numbers.mean(0).tolist()
                row |= {"state_error": found[0] if states else None, "training_nats": found[1] if nats else None}
                row["gradient_norm"] = found[2]
                recent.clear()
            if validation is not None and (last or step % config.validate_every == 0):
                row["validation_nats"] = cross_entropy(model, validation)
            yield row


def randomise_(model: PreTrainedModel, *, seed: int = 0) -> None:
    """Draw every stand-in of a pruned model anew: the control that shows what the closed form is worth.

    The paper does not say where its linear layers start. From PyTorch's own random weights gradient descent stays far
    from the closed form, because some directions of the stream vary a thousand times less than others.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _, layer in stand_ins(model):
            fresh = nn.Linear(layer.in_features, layer.out_features)
            layer.load_state_dict(fresh.state_dict())


def _states_to_match(
    model: PreTrainedModel, teacher: PreTrainedModel | None, trained: str, states: float
) -> list[tuple[int, int]]:
    """Return which boundary of the model is to be like which of the teacher's."""
    places = places_of(model)
    if trained not in TRAINED:
        raise ValueError(f"trained={trained!r} is not known: choose one of {', '.join(TRAINED)}")
    if trained == "stand-ins" and not any(True for _ in stand_ins(model)):
        raise ValueError('no map stands in this model: prune it with action="affine" first, or give trained="all"')
    if not states:
        return []
    if teacher is None or teacher is model:
        raise ValueError(
            "the states are learnt from a teacher: give teacher=, a copy of the model before it was pruned"
        )
    if places[-1].last > len(model_blocks(teacher)):
        raise ValueError(
            f"the teacher has {len(model_blocks(teacher))} layers, but the model was made of one with at least "
            f"{places[-1].last}: give the one it was made of"
        )
    every = trained == "all"
    return [
        (number, place.last)
        for number, place in enumerate(places, start=1)
        if every or place.block != KEPT or place.replaced_parts
    ]


def _losses(
    model: PreTrainedModel,
    teacher: PreTrainedModel | None,
    ids: Int[Tensor, "block token"],
    pairs: list[tuple[int, int]],
    nats: float,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the error of the states and the loss of the next token, 0 for what does not count."""
    none = torch.zeros((), device=model.device)
    with precision(model.device):
        if not pairs:
            return none, next_token_nats(model, ids)
        with torch.no_grad(), capture(teacher) as wanted:
            run_blocks(teacher, ids)
        with capture(model) as stream:
            if nats:
                loss = next_token_nats(model, ids)
            else:
                loss = none
                run_blocks(model, ids)
    errors = []
    for mine, its in pairs:
        state, target = stream[mine].float(), wanted[its].float().to(stream[mine].device)
        spread = (target - target.mean((0, 1))).square().mean()
        errors.append(((state - target).square().mean() / spread).to(model.device))
    return torch.stack(errors).mean(), loss


@contextmanager
def _only(model: PreTrainedModel, trained: str) -> Iterator[None]:
    """Let the gradient reach what is trained, and leave all as it was."""
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    chosen = {id(weight) for _, layer in stand_ins(model) for weight in layer.parameters()}
    try:
        for parameter, _ in before:
            parameter.requires_grad_(trained == "all" or id(parameter) in chosen)
        yield
    finally:
        for parameter, flag in before:
            parameter.requires_grad_(flag)
