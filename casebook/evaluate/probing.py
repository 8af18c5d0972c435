"""What the states of a layer know: the accuracy of a linear classifier on them (the paper's Figure 5)."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from linstudy.models import blocks, capture, positions, width_of

from .padding import by_length, evaluating, padded
from .zero_shot import accuracy

PENALTIES = (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4)  # from strong to weak: each fit begins where the one before ended
FEWEST = 20


def probe(
    model: PreTrainedModel,
    examples: Sequence[tuple[str, Hashable]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    layers: Sequence[int] | None = None,
    pool: str = "last",
    seeds: Sequence[int] = (0, 1, 2),
    heldout: float = 0.3,
) -> pd.DataFrame:
    """Fit a linear classifier of the examples' labels on the states of each layer, and test it on other examples.

    Args:
        model: any decoder of a known family.
        examples: (text, label) pairs; labels are of any kind.
        tokenizer: the model's.
        layers: 0 is what enters the first block, l what leaves layer l (before the final norm); all by default.
        pool: ``"last"`` reads the state of the text's last token, ``"mean"`` the mean over its tokens.
        seeds: one split of the examples each.
        heldout: share of the texts that test, in (0, 1). Of the rest, as large a share chooses the penalty. Examples
            with the same text stay together.

    Returns the table of :func:`probe_states`. Raises ValueError for texts that are empty or longer than the model has
    positions, for an unknown ``pool``, and as :func:`probe_states` does; IndexError for a layer that is not there.
    """
    texts = [text for text, _ in examples]
    states = pooled_states(model, tokenizer, texts, layers=layers, pool=pool)
    labels = [label for _, label in examples]
    return probe_states(states, labels, groups=texts, seeds=seeds, heldout=heldout)


@torch.no_grad()
def pooled_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    layers: Sequence[int] | None = None,
    pool: str = "last",
    batch_size: int = 16,
) -> dict[int, Float[Tensor, "text dim"]]:
    """Return the state of every text at each layer: 0 is what enters the first block, l what leaves layer l.

    `pool` is ``"last"`` (the last token's state) or ``"mean"`` (over the text's tokens). For the arguments and errors
    see :func:`casebook.evaluate.probe`.
    """
    count = len(blocks(model))
    layers = list(range(count + 1)) if layers is None else list(layers)
    for layer in layers:
        if not 0 <= layer <= count:
            raise IndexError(f"layer {layer} is not there: 0 enters the first block, {count} leaves the last")
    if pool not in ("last", "mean"):
        raise ValueError(f"pool={pool!r} is not known: choose 'last' (token) or 'mean' (of the tokens).")
    found = {layer: torch.zeros(len(texts), width_of(model)) for layer in layers}
    encoded = tokenizer(list(texts), verbose=False)["input_ids"] if texts else []
    room = positions(model)
    for number, ids in enumerate(encoded, start=1):
        if not 0 < len(ids) <= room:
            raise ValueError(
                f"Text {number}, which begins {texts[number - 1][:40]!r}, has {len(ids)} tokens: give texts of 1 to "
                f"{room} tokens to this model."
            )
    with evaluating(model):
        for some in by_length(encoded, batch_size):
            ids, mask = padded([encoded[place] for place in some], model.device)
            with capture(model) as stream:
                model(ids, attention_mask=mask, use_cache=False)
            read = mask.bool() if pool == "mean" else mask.cumsum(1) * mask == mask.sum(1, keepdim=True)
            for layer in layers:
                state = stream[layer].float().masked_fill(~read[..., None], 0)
                found[layer][some] = (state.sum(1) / read.sum(1, keepdim=True)).cpu()
    return found


def probe_states(
    states: dict[int, Float[Tensor, "example dim"]],
    labels: Sequence[Hashable],
    *,
    groups: Sequence[Hashable] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    heldout: float = 0.3,
) -> pd.DataFrame:
    """Probe states that somebody already has, one matrix a layer; examples of a group are not split (see `probe`).

    Multinomial logistic regression on standardised features in float64, its L2 penalty chosen by validation. Returns
    one row a layer, seed and predictor, with columns ``layer``, ``seed``, ``predictor``, ``accuracy`` in [0, 1] on the
    test examples, ``standard_error`` (by their number, ``examples``) and ``penalty``. Predictors: ``probe``;
    ``shuffled``, the same fitted to labels that were shuffled, which knows nothing and shows what chance can do;
    ``constant``, the commonest label of the training examples.

    Raises ValueError for fewer than 20 examples, one label only, and a share that leaves a part without examples.
    """
    kinds = sorted(set(labels), key=str)
    if len(labels) < FEWEST or len(kinds) < 2:
        raise ValueError(
            f"{len(labels)} examples with {len(kinds)} different labels cannot be probed: give {FEWEST} or more, with "
            "at least two labels."
        )
    y = torch.tensor([kinds.index(label) for label in labels])
    rows = []
    for seed in seeds:
        fit, choose, test = _split(groups or range(len(labels)), seed, heldout)
        taught = torch.cat([fit, choose])
        shuffled = y.clone()
        shuffled[taught] = y[taught[torch.randperm(len(taught), generator=torch.Generator().manual_seed(seed))]]
        common = Counter(y[taught].tolist()).most_common(1)[0][0]
        for layer, x in states.items():
            parts = (fit, choose, test)
            found = {"probe": _predict(x.double(), y, parts), "shuffled": _predict(x.double(), shuffled, parts)}
            for predictor, (chosen, penalty) in (found | {"constant": (common, math.nan)}).items():
                row = {"layer": layer, "seed": seed, "predictor": predictor}
                rows.append(row | accuracy((chosen == y[test]).numpy()) | {"penalty": penalty})
    return pd.DataFrame(rows)


def _split(groups: Sequence[Hashable], seed: int, heldout: float) -> list[Int[Tensor, " example"]]:
    """Deal the examples out to fitting, choosing the penalty, and testing, group by group."""
    draw = np.random.default_rng(seed)
    names = list(dict.fromkeys(groups))
    draw.shuffle(names)
    test = round(len(names) * heldout) if 0 < heldout < 1 else 0
    choose = round((len(names) - test) * heldout)
    if not (test and choose and len(names) - test - choose):
        raise ValueError(
            f"heldout={heldout} of {len(names)} texts leaves nothing to fit, to choose or to test on: give a share in "
            "(0, 1), such as 0.3, and more texts."
        )
    part = {name: 2 if place < test else int(place < test + choose) for place, name in enumerate(names)}
    dealt = torch.tensor([part[group] for group in groups])
    return [torch.nonzero(dealt == number).flatten() for number in range(3)]


def _predict(
    x: Float[Tensor, "example dim"], y: Int[Tensor, " example"], parts: Sequence[Tensor]
) -> tuple[Int[Tensor, " tested"], float]:
    """Return the classes of the test examples, by the fit that was best on those kept for choosing, and its penalty."""
    fit, choose, test = parts
    kinds = int(y.max()) + 1
    mean, scale = x[fit].mean(0), x[fit].std(0)
    x = (x - mean) / torch.where(scale > 0, scale, 1)  # a feature that never moves knows nothing
    weights, best = torch.zeros(x.shape[1] + 1, kinds, dtype=torch.float64), (-1.0, 0.0, torch.zeros(0))
    for penalty in PENALTIES:
        weights = _fit(x[fit], y[fit], penalty, weights)
        right = float((_logits(x[choose], weights).argmax(1) == y[choose]).double().mean())
        if right > best[0]:
            best = right, penalty, _logits(x[test], weights).argmax(1)
    return best[2], best[1]


def _fit(
    x: Float[Tensor, "example dim"], y: Int[Tensor, " example"], penalty: float, start: Float[Tensor, "dim1 class"]
) -> Float[Tensor, "dim1 class"]:
    """Minimise the mean cross entropy plus penalty / 2 times the squared weights; the last row is not penalised."""
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=100, tolerance_change=1e-7, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(_logits(x, weights), y) + penalty / 2 * weights[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach()


def _logits(x: Float[Tensor, "example dim"], weights: Float[Tensor, "dim1 class"]) -> Float[Tensor, "example class"]:
    return x @ weights[:-1] + weights[-1]
