"""What a report measures: the chapters' own functions on one model and text, in the forms of the book's tables."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import JointMoments, joint_moments
from linstudy.measure.reading import read
from linstudy.models import blocks as model_blocks
from linstudy.models import task_of, width_of
from linstudy.models.devices import free_memory
from linstudy.prune import fit
from linstudy.prune.fitting import exits
from linstudy.study.errors import one_line

from ..claims.prices import agreement, by_layer
from ..models.twins import RANDOM, TRAINED, twin
from ..outliers import massive_activations
from ..rows.losses import block_losses
from ..rows.protocol import ALL, protocol
from ..tokens import tails, token_errors, token_texts, worst_tokens

Blocks = Int[Tensor, "block token"]
Advance = Callable[[str, int], object]  # is told what is being measured, and how many tokens more were read for it

HELDOUT = 5  # one block in so many, the last ones, is fitted nowhere
CONTROLLED = 4  # controls read one block in so many, and so does the model beside them
LEAST = 20  # tokens a dimension that they read at least, where the text has them
TESTED = 8  # blocks on which losses are measured
SHOWN = 120  # tokens of the text that is coloured
NO_LOSS = "the model does not predict the next token, so no loss says what a layer is worth"


@dataclass(frozen=True, eq=False)
class Text:
    """One text, cut for what is asked of it; the cuts are known before anything is measured."""

    blocks: Blocks
    width: int  # of the stream
    stack: str | None = None  # encoder or decoder, of models that have both

    @cached_property
    def fresh(self) -> Blocks:
        """The last fifth, on which errors of single tokens are measured."""
        return self.blocks[-max(1, len(self.blocks) // HELDOUT) :]

    @cached_property
    def few(self) -> Blocks:
        """The first blocks of the others: what controls read, and what maps are fitted on."""
        least = -(-LEAST * self.width // self.blocks.shape[1])
        return self.blocks[: len(self.blocks) - len(self.fresh)][: max(len(self.blocks) // CONTROLLED, least)]

    @property
    def tested(self) -> Blocks:
        """Blocks for losses."""
        return self.fresh[:TESTED]


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found, a table a question; ``notes`` says of each thing that could not be measured why."""

    scores: pd.DataFrame  # as protocol.csv
    massive: pd.DataFrame  # a row a boundary and kind of weights
    tails: pd.DataFrame  # a row a layer and kind of weights
    heaviest: int  # the layer in which the worst per cent of the tokens has the largest share of the squared error
    worst: pd.DataFrame  # which tokens are among the worst of that layer
    coloured: pd.DataFrame  # the beginning of the fresh text, with the errors there
    costs: pd.DataFrame | None = None  # what each layer costs, removed or replaced
    agreement: pd.DataFrame | None = None
    notes: dict[str, str] = field(default_factory=dict)


def text_of(model: PreTrainedModel, blocks: Blocks, stack: str | None = None) -> Text:
    """Cut a text for a model. Raises ValueError where it is too short for a map of the width of its stream."""
    width, length = width_of(model, stack=stack), blocks.shape[1]
    least = 2 * width + 3 * length  # of which controls get four fifths, and of these four fifths are fitted
    if blocks.numel() < least:
        raise ValueError(
            f"{blocks.numel():,} tokens in blocks of {length} are too few for a stream of width {width}: "
            f"a report needs {least:,} or more, and some {LEAST * width:,} to tell a model from its twins"
        )
    return Text(blocks, width, stack)


def work(model: PreTrainedModel, text: Text) -> int:
    """Return how many tokens are read in all, one that is read through half of the layers counting as half."""
    few, fresh, tested = (some.numel() for some in (text.few, text.fresh, text.tested))
    losses = few + tested * len(model_blocks(model)) if has_loss(model) else 0
    return text.blocks.numel() + 3 * few + 2 * few + 2 * (few + fresh) + losses


def seconds_a_token(model: PreTrainedModel, text: Text) -> float:
    """Return how long a token takes, from reading one batch and adding up its moments."""
    for _ in range(2):  # the first pays for what is made once
        start = time.perf_counter()
        batch = next(read(model, text.few, stack=text.stack))
        for pair in batch.pairs:
            x, y = (state.reshape(-1, text.width) for state in pair)
            JointMoments.empty(text.width, device=x.device).update(x, y)
        took = (time.perf_counter() - start) / batch.ids.numel()
    return took


def has_loss(model: PreTrainedModel) -> bool:
    """Say whether a model predicts the next token."""
    return task_of(model) == "causal" and model.get_output_embeddings() is not None


def measured(
    model: PreTrainedModel, tokenizer: Any, text: Text, *, named: dict[str, Any], seed: int, advance: Advance
) -> Findings:
    """Measure all of it.

    ``named`` are the columns that say which model and text this is: model, revision and corpus. Raises what
    :func:`linstudy.linearity_profile` does; a control or a loss that cannot be had is noted instead.
    """
    notes: dict[str, str] = {}
    scores = pd.concat(_scores(model, text, seed, advance, notes)).assign(shard=0, seed=seed, **named)
    fresh_twin = None if RANDOM in notes else twin(model, RANDOM, seed=seed)
    both = {TRAINED: model} | ({} if fresh_twin is None else {RANDOM: fresh_twin})
    told = _tokens(both, tokenizer, text, advance)
    costs: dict[str, Any] = {}
    try:
        costs = _costs(model, text, scores, named, advance)
    except ValueError as error:
        notes["costs"] = one_line(error)
    return Findings(scores, notes=notes, **told, **costs)


def _scores(
    model: PreTrainedModel, text: Text, seed: int, advance: Advance, notes: dict[str, str]
) -> Iterator[pd.DataFrame]:
    for weights, blocks in ((TRAINED, text.blocks), (TRAINED, text.few), (RANDOM, text.few), ("permuted", text.few)):
        advance(f"scores, {weights} weights", 0)
        try:
            table = protocol(twin(model, weights, seed=seed), blocks, heldout=1 / HELDOUT, stack=text.stack)
            yield table.assign(weights=weights, tokens=blocks.numel())
        except ValueError as error:
            if weights == TRAINED:
                raise
            notes[weights] = one_line(error)
        advance(f"scores, {weights} weights", blocks.numel())
    if len(notes) == 2:
        raise ValueError(f"there is no control to compare the model with: {notes[RANDOM]}")


def _tokens(both: dict[str, PreTrainedModel], tokenizer: Any, text: Text, advance: Advance) -> dict[str, Any]:
    """Return the largest entries, and the errors of single tokens of the fresh text by maps fitted on other text."""
    massive, found, all_errors = [], [], {}
    for weights, one in both.items():
        advance("massive activations", 0)
        massive.append(massive_activations(one, text.few, stack=text.stack).assign(weights=weights))
        advance("errors of tokens", text.few.numel())
        depth, each = len(model_blocks(one, stack=text.stack)), 16 * text.width**2
        step = -(-depth * each // (free_memory(one.device) // 4))  # of a large model every so-manyth layer
        moments = joint_moments(one, text.few, layers=range(1, depth + 1, step), stack=text.stack)
        advance("errors of tokens", text.few.numel())
        all_errors[weights] = token_errors(one, text.fresh, moments=moments, stack=text.stack)
        found.append(tails(all_errors[weights]).assign(weights=weights))
        advance("errors of tokens", text.fresh.numel())
    massive = pd.concat(massive, ignore_index=True)
    massive["token"] = [repr(tokenizer.decode([token])) for token in massive["token"]]
    errors = all_errors[TRAINED]
    heaviest = int(found[0].set_index("layer").worst_percent.idxmax())
    among = worst_tokens(errors, text.fresh, tokenizer, layer=heaviest)
    everywhere = worst_tokens(errors, text.fresh, tokenizer, layer=heaviest, share=1.0)
    worst = pd.DataFrame({"among the worst": among / among.sum(), "in the text": everywhere / everywhere.sum()})
    begins = token_texts(text.fresh[0, :SHOWN], tokenizer)
    coloured = {"text": begins, "error": errors.relative[errors.layers.index(heaviest), 0, : len(begins)]}
    return {
        "massive": massive,
        "tails": pd.concat(found, ignore_index=True),
        "heaviest": heaviest,
        "worst": worst.loc[among.index[:10]].rename_axis("token").reset_index(),
        "coloured": pd.DataFrame(coloured),
    }


def _costs(
    model: PreTrainedModel, text: Text, scores: pd.DataFrame, named: dict[str, Any], advance: Advance
) -> dict[str, pd.DataFrame]:
    """Return what each layer costs alone, with intervals over blocks, and whether the scores had said so."""
    if not has_loss(model):
        raise ValueError(NO_LOSS)
    layers = range(1, len(model_blocks(model)) + 1)
    advance("costs of layers", 0)
    changes = {action: fit(model, layers, action, blocks=text.few) for action in ("remove", "affine")}
    advance("costs of layers", text.few.numel())
    states = exits(model, text.tested)
    if states is None:
        raise ValueError(
            "the states of its layers on the text that is tested take too much memory: give a shorter --length"
        )
    found = [_row(block_losses(model, text.tested, exits=states), action="whole", which="")]
    for action, made in changes.items():
        for change in made:
            nats = block_losses(model, text.tested, [change], exits=states)
            found.append(_row(nats, action=action, which=str(change.first)))
            advance("costs of layers", text.tested.numel() // 2)
    losses = pd.concat(found).assign(
        choice="alone", part="block", tokens=text.few.numel(), **named, text=named["corpus"]
    )
    known = scores[(scores.weights == TRAINED) & (scores.selection == ALL) & (scores.tokens == text.blocks.numel())]
    return {"costs": by_layer(losses), "agreement": agreement(losses, known)}


def _row(nats: Tensor, **of: str) -> pd.DataFrame:
    return pd.DataFrame({"stretch": range(len(nats)), "nats": nats.tolist()}).assign(**of)
