"""Train a pruned model until it is again near the whole one: its stand-ins alone, or all of it."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from linstudy.evaluate import cross_entropy
from linstudy.lookup import named
from linstudy.measure.reading import run_blocks
from linstudy.models import blocks as model_blocks
from linstudy.models import capture
from linstudy.prune import places_of, stand_ins
from linstudy.prune.changes import KEPT
from linstudy.train import Recipe, descend, next_token_nats
from linstudy.train.descent import Number, precision
from linstudy.train.pretrain import over_blocks
from linstudy.train.rows import Row

from .which_weights import only

# No weight decay: it would pull a stand-in to 0, where its neutral state is the identity. Step 0 has a row: unhealed.
HEALING = Recipe(steps=200, warmup=20, peak_rate=1e-3, weight_decay=0.0, log_every=20, snapshots=(0,))
TRAINED = {"stand-ins": "maps alone", "all": "all weights"}
STARTS = {"zero": "what removing does", "random": "PyTorch's own weights"}


def heal(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    recipe: Recipe = HEALING,
    *,
    teacher: PreTrainedModel | None = None,
    trained: str = "stand-ins",
    nats: float = 0.0,
    validation: Int[Tensor, "other token"] | None = None,
) -> Iterator[Row]:
    """Train a pruned model in place; yield a row before the first step, every ``recipe.log_every``, and at the end.

    The loss is (1 - ``nats``) times the error of the states, plus ``nats`` times the loss of the next token. The error
    is that of what leaves each stand-in (with all weights trained, each place) from what leaves the same layer of the
    ``teacher``, a copy of the whole model, as a share of that state's variance, so that no layer counts more for being
    late. The paper's distillation is ``trained="stand-ins"``, whose maps :func:`linstudy.prune.fit` has put where the
    closed form is best. The controls: no healing (row 0), maps that start elsewhere (:func:`restart_`), and the whole
    model trained as long on the same blocks (``trained="all", nats=1.0``), which no recipe may make worse.

    The recipe is :data:`HEALING` with changes, without penalty and scaling; dropout stays off. Columns: ``state_error``
    and ``training_nats`` (None where not in the loss), the others as in :func:`linstudy.pretrain`.

    Raises ValueError where there is nothing to train or nothing to learn from, FloatingPointError for a loss or
    gradient that is no longer finite.
    """
    if not 0 <= nats <= 1:
        raise ValueError(f"nats={nats} is no share of the loss: give one from 0, states alone, to 1, the next token")
    weights = {name: weight for name, weight in (("state_error", 1 - nats), ("training_nats", nats)) if weight}

    def loss(ids: Int[Tensor, "block token"]) -> tuple[Number, dict[str, Number]]:
        terms = {}
        with precision(model.device), capture(model) as stream:
            if nats:
                terms["training_nats"] = next_token_nats(model, ids)
            else:
                run_blocks(model, ids)
        if nats < 1:
            with torch.no_grad(), precision(model.device), capture(teacher) as wanted:
                run_blocks(teacher, ids)
            errors = [_error(stream[mine], wanted[its]).to(model.device) for mine, its in pairs]
            terms["state_error"] = torch.stack(errors).mean()
        return sum(weight * terms[name] for name, weight in weights.items()), {name: terms[name] for name in weights}

    objective = over_blocks(model, blocks, recipe, loss, ("state_error", "training_nats", "validation_nats"))
    validate = None if validation is None else lambda: {"validation_nats": cross_entropy(model, validation)}
    if recipe.penalty is not None or recipe.scaling is not None:
        raise ValueError("healing has no penalty and no scaling: leave them out of the recipe")
    maps = [layer for _, layer in stand_ins(model)]
    named(TRAINED, trained, "choice of what is trained")
    if trained == "stand-ins" and not maps:
        raise ValueError('no map stands in this model: prune it with action="affine" first, or give trained="all"')
    pairs = _states_to_match(model, teacher, every=trained == "all") if nats < 1 else []
    with only(model, [model] if trained == "all" else maps):
        yield from descend(model, replace(objective, validate=validate, dropout=False), recipe)


def restart_(model: PreTrainedModel, start: str, *, seed: int = 0) -> None:
    """Start every stand-in of a pruned model anew: the controls that show what the closed form is worth.

    From ``"zero"`` a map of a layer is the identity and one of a part gives 0: what removing does, with as much to
    train as a fitted map has. From ``"random"``, PyTorch's own weights drawn by ``seed``, gradient descent stays far
    from the closed form, because some directions of the stream vary a thousand times less than others. The paper does
    not say where its linear layers start. Raises ValueError for another start.
    """
    named(STARTS, start, "start")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, layer in stand_ins(model):
            if start == "random":
                layer.load_state_dict(nn.Linear(layer.in_features, layer.out_features).state_dict())
            else:
                (nn.init.eye_ if name.endswith("block") else nn.init.zeros_)(layer.weight)
                nn.init.zeros_(layer.bias)


def _states_to_match(model: PreTrainedModel, teacher: PreTrainedModel | None, *, every: bool) -> list[tuple[int, int]]:
    """Return which boundary of the model is to be like which of the teacher's: of every place, or of changed ones."""
    places = places_of(model)
    if teacher is None or teacher is model:
        raise ValueError(
            "the states are learnt from a teacher: give teacher=, a copy of the model before it was pruned"
        )
    if places[-1].last > (depth := len(model_blocks(teacher))):
        raise ValueError(
            f"the teacher has {depth} layers, but the model was made of one with at least {places[-1].last}: give the "
            "one it was made of"
        )
    changed = {place for place in places if every or place.block != KEPT or place.replaced_parts}
    return [(number, place.last) for number, place in enumerate(places, start=1) if place in changed]


def _error(state: Float[Tensor, "batch token dim"], target: Float[Tensor, "batch token dim"]) -> Number:
    """Return the squared error of a state, as a share of the variance of what it should be."""
    state, target = state.float(), target.float().to(state.device)
    spread = (target - target.mean((0, 1))).square().mean()
    return (state - target).square().mean() / spread
