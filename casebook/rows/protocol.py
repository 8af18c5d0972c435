"""Real models by the protocol: every selection, every score and every control, a pass over the text a run."""

import math
from dataclasses import replace

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from linstudy.evaluate import bits_per_byte, cross_entropy
from linstudy.measure import JointMoments, Selection
from linstudy.measure.moments import added
from linstudy.measure.profile import scores_of
from linstudy.measure.reading import Batch
from linstudy.measure.selection import planned
from linstudy.measure.sieve import FIRST_TOKENS
from linstudy.measure.sums import moments_of
from linstudy.models import task_of

from ..models import twin
from ..outliers import FACTOR, OUTLIERS
from ..table import Keep
from .chosen import GAUSSIAN
from .gaussian import on_gaussian_tokens
from .profiles import HELDOUT
from .source import LENGTH, Source, blocks_of, text_of

ALL, MASSIVE = "all tokens", "massive dimensions left out"
TOKENS = {ALL: {}, "first 1 left out": {"drop_first": 1}, "first 4 left out": {"drop_first": 4}}
TOKENS |= {OUTLIERS: {"outliers": FACTOR}}
SELECTIONS = (*TOKENS, MASSIVE)
OF_TOKENS = ("cosine_median", "centred_cosine", "centred_cosine_median", "norm_ratio_median")
SPOKEN = 16  # blocks of which the loss is taken: it says whether the model is what it should be
TIMES = 100.0  # a massive dimension varies so many times as much as the median one: ten times as far


def runs(keep: Keep, source: Source, *, tokens: int, shard: int, weights: str, seed: int, dtype: str) -> None:
    """Measure one shard of a text, with weights as trained or those of a twin, and how well the model predicts it.

    Of "gaussian", the weights are the trained ones and the tokens Gaussian: see :mod:`casebook.rows.gaussian`.
    """
    model, tokenizer = source.load(dtype=dtype)
    count = tokens // LENGTH
    blocks = blocks_of(source.text, tokenizer, (shard + 1) * count, framed=source.framed)[-count:]

    def on_gaussian() -> pd.DataFrame:
        table = on_gaussian_tokens(model, blocks, heldout=HELDOUT, seed=seed)
        nothing = dict.fromkeys((*OF_TOKENS, "nats", "bits_per_byte"), math.nan)
        return table.assign(heldout=HELDOUT, dtype=dtype, **nothing, **text_of(blocks))

    def rows() -> pd.DataFrame:
        one, some, nats, bits = twin(model, weights, seed=seed), blocks[:SPOKEN], math.nan, math.nan
        if task_of(one) == "causal" and one.get_output_embeddings() is not None:
            nats = cross_entropy(one, some)
            bits = bits_per_byte(nats, some, tokenizer)
        table = protocol(one, blocks, heldout=HELDOUT)
        return table.assign(heldout=HELDOUT, nats=nats, bits_per_byte=bits, dtype=dtype, **text_of(blocks))

    keep(on_gaussian if weights == GAUSSIAN else rows)


@torch.no_grad()
def protocol(
    model: PreTrainedModel,
    blocks: Int[Tensor, "block token"],
    *,
    heldout: float = 0.2,
    stack: str | None = None,
) -> pd.DataFrame:
    """Measure a model with everything, and without what may make its scores: a row a selection and layer.

    Of tokens, the first 1 and the first 4 of every block, and outliers (:func:`casebook.outliers.ordinary_tokens`), are
    left out; of features, those that vary over 100 times as much as the median one, entering or leaving the layer,
    both from what is mapped and from what is predicted.

    Returns:
        ``selection`` and ``layer``; ``kept``, the share of tokens measured, and ``dropped``, the features left out,
        counted from 0; the columns of :func:`linstudy.linearity_profile` with those of the held-out share of blocks;
        and over tokens the median ``norm_ratio`` and ``cosine``, and mean and median ``centred_cosine``, in which the
        centre is, of every feature, the median of the first 512 tokens: a mean would be that of the outliers. Without
        massive dimensions the values of single tokens are not there (NaN).

    Raises what :func:`linstudy.linearity_profile` raises.
    """
    plan = planned(
        model, blocks, [Selection("block", stack=stack, **options) for options in TOKENS.values()], heldout, None
    )
    seen, rows = Tokens(plan.depth, blocks), []
    for layers in plan.passes(None):
        for layer, cells in moments_of(model, plan, layers, lambda count: None, look=seen.look):
            code, _ = cells.sieve.codes(layer, torch.arange(blocks.numel()))
            for number, name in enumerate(TOKENS):
                inside = (code >> number & 1).bool()
                row = {"selection": name, "layer": layer, "kept": float(inside.double().mean()), "dropped": ""}
                rows.append(row | scores_of(cells.of(number)) | seen.summary(layer, inside))
            whole = cells.of(list(TOKENS).index(ALL))
            dropped = massive_dimensions(added(whole))
            row = {"selection": MASSIVE, "layer": layer, "kept": 1.0, "dropped": " ".join(map(str, dropped))}
            rows.append(row | scores_of([without(one, dropped) for one in whole]))
            rows[-1] |= dict.fromkeys(("cosine", "norm_ratio", *OF_TOKENS), math.nan)
    order = {name: place for place, name in enumerate(SELECTIONS)}
    table = pd.DataFrame(rows).sort_values(["selection", "layer"], key=lambda c: c.replace(order), ignore_index=True)
    return table.assign(part="block")


def massive_dimensions(moments: JointMoments, *, times: float = TIMES) -> list[int]:
    """Return the features whose variance, entering or leaving, is over so many times the median feature's."""
    centred = moments.centred()
    large = [variance > times * variance.median() for variance in (centred.xx.diagonal(), centred.yy)]
    return (large[0] | large[1]).nonzero().flatten().tolist()


def without(moments: JointMoments, dropped: list[int]) -> JointMoments:
    """Return the moments of the other features; what was summed over tokens stays that of all of them."""
    kept = torch.ones(moments.dim, dtype=torch.bool)
    kept[dropped] = False
    vectors = {name: getattr(moments, name)[..., kept] for name in ("location", "sums", "dd")}
    return replace(moments, **vectors, **{name: getattr(moments, name)[kept][:, kept] for name in ("xx", "xd")})


class Tokens:
    """How every token's update lies to its stream, layer by layer, as the batches flow past."""

    def __init__(self, depth: int, blocks: Int[Tensor, "block token"]):
        self.centres: list[tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]] = []
        self.found = {name: torch.zeros(depth, *blocks.shape) for name in ("cosine", "centred_cosine", "norm_ratio")}

    def look(self, batch: Batch) -> None:
        """Take note of the next blocks."""
        if not self.centres:
            self.centres = [tuple(_centre(state) for state in pair) for pair in batch.pairs]
        for layer, ((x, y), (of_x, of_y)) in enumerate(zip(batch.pairs, self.centres, strict=True)):
            x, y = x.float(), y.float()
            values = cosine_similarity(x, y, dim=-1), cosine_similarity(x - of_x, y - of_y, dim=-1)
            for name, value in zip(self.found, (*values, (y - x).norm(dim=-1) / y.norm(dim=-1)), strict=True):
                self.found[name][layer, batch.rows] = value.view(batch.ids.shape).cpu()

    def summary(self, layer: int, inside: Bool[Tensor, " token"]) -> dict[str, float]:
        """Return what the columns of single tokens say of some of them."""
        cosine, centred, ratio = (values[layer - 1].flatten()[inside] for values in self.found.values())
        medians = {"cosine_median": cosine, "centred_cosine_median": centred, "norm_ratio_median": ratio}
        return {"centred_cosine": float(centred.double().mean())} | {
            name: float(values.median()) for name, values in medians.items()
        }


def _centre(state: Float[Tensor, "... dim"]) -> Float[Tensor, " dim"]:
    return state.flatten(0, -2)[:FIRST_TOKENS].float().median(dim=0).values
