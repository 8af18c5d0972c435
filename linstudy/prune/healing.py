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
from ..train import Recipe, descend, next_token_nats
from ..train.descent import Row, precision
from ..train.pretrain import over_blocks
from .changes import KEPT, places_of
from .saving import stand_ins

# No weight decay: it would pull a stand-in to 0, where its neutral state is the identity. Step 0: the loss unhealed.
HEALING = Recipe(
    steps=200,
    peak_rate=1e-3,
    warmup=20,
    weight_decay=0.0,
    log_every=20,
    validate_every=100,
    snapshots=(0,),
    linear="torch",
)
TRAINED = ("stand-ins", "all")
Number = Float[Tensor, ""]


def heal(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    recipe: Recipe = HEALING,
    *,
    teacher: PreTrainedModel | None = None,
    trained: str = "stand-ins",
    states: float = 1.0,
    nats: float = 0.0,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a pruned model in place, and yield a row before the first step, every ``recipe.log_every``, and at the end.

    The loss is ``states`` times the error of the states plus ``nats`` times the loss of the next token. The error is
    that of what leaves each stand-in (with all weights trained, each place) from what leaves the same layer of the
    teacher, as a share of that state's variance, so that no layer counts more for being late. The paper's distillation
    is ``trained="stand-ins"``, whose maps :func:`linstudy.prune.fit` has put where the closed form is best; from random
    maps (:func:`randomise_`) it comes nowhere near. The controls: no healing (row 0), and the whole model trained
    as long on the same blocks (``heal(copy, blocks, trained="all", states=0.0, nats=1.0)``).

    Args:
        model: made by :func:`linstudy.prune.prune`, in float32. Dropout stays off.
        blocks: token ids to train on.
        recipe: :data:`HEALING` with changes; without penalty and scaling.
        teacher: the whole model, which stays as it is: another one than ``model``, such as a copy made before.
        trained: ``"stand-ins"`` or ``"all"``.
        states: weight of the error of the states.
        nats: weight of the loss of the next token.
        validation: blocks on which the loss is measured in row 0 and every ``recipe.validate_every`` steps.

    Yields:
        ``step``, ``tokens`` (seen so far), ``state_error``, ``training_nats``, ``gradient_norm`` (means since the row
        before; None where not in the loss), ``validation_nats``, ``rate`` and ``tokens_per_second``.

    Raises:
        ValueError: where there is nothing to train or nothing to learn from.
        FloatingPointError: the loss or the gradient is no longer finite.

    """
    if recipe.penalty is not None or recipe.scaling is not None:
        raise ValueError("healing has no penalty and no scaling: leave them out of the recipe")
    if not states and not nats:
        raise ValueError("states=0 and nats=0 leave nothing to learn: give one of them a weight")

    def loss(ids: Int[Tensor, "block token"]) -> tuple[Number, dict[str, Number]]:
        terms = _terms(model, teacher, ids, pairs, bool(nats))
        weights = {"state_error": states, "training_nats": nats}
        return sum(weights[name] * term for name, term in terms.items()), terms

    objective = over_blocks(
        model,
        blocks,
        recipe,
        loss=loss,
        columns=("state_error", "training_nats", "validation_nats"),
        validate=None if validation is None else lambda: {"validation_nats": cross_entropy(model, validation)},
        dropout=False,
    )
    pairs = _states_to_match(model, teacher, trained, states)
    with _only(model, trained):
        yield from descend(model, objective, recipe)


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


def _terms(
    model: PreTrainedModel,
    teacher: PreTrainedModel | None,
    ids: Int[Tensor, "block token"],
    pairs: list[tuple[int, int]],
    nats: bool,
) -> dict[str, Number]:
    """Return the error of the states, where pairs of them are to match, and the loss of the next token, if wanted."""
    with precision(model.device):
        if not pairs:
            return {"training_nats": next_token_nats(model, ids)}
        with torch.no_grad(), capture(teacher) as wanted:
            run_blocks(teacher, ids)
        with capture(model) as stream:
            loss = {"training_nats": next_token_nats(model, ids)} if nats else {}
            if not nats:
                run_blocks(model, ids)
    errors = []
    for mine, its in pairs:
        state, target = stream[mine].float(), wanted[its].float().to(stream[mine].device)
        spread = (target - target.mean((0, 1))).square().mean()
        errors.append(((state - target).square().mean() / spread).to(model.device))
    return {"state_error": torch.stack(errors).mean()} | loss


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
