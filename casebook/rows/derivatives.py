"""Is the best affine map of a layer its derivative? Three maps predict what leaves a layer, on text that none has seen.

For Gaussian inputs the best map is the mean derivative (Stein's lemma). Where the two part, a score near 1 is
correlation across tokens, and not linearity of the function.
"""

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from linstudy.measure import joint_moments, linear_map
from linstudy.measure.reading import batches, read, run_blocks
from linstudy.models import blocks as model_blocks
from linstudy.models import width_of

from ..table import Keep
from .pruning import drawn
from .source import LENGTH, Source, text_of

DROP_FIRST = 4  # where massive activations sit, whose squares would be all there is
TESTED = 16  # blocks that are predicted, of which none was fitted
TOKENS_AT_ONCE = 1024  # whose graph is in memory
Blocks = Int[Tensor, "_ token"]


def runs(keep: Keep, source: Source, *, tokens: int, sampled: int, features: int | None, dtype: str) -> None:
    """Predict by maps fitted on ``tokens``, and by derivatives of ``sampled`` of their blocks, of so many features."""
    model, tokenizer = source.load(dtype=dtype)
    blocks = drawn(source.text, tokenizer, tokens // LENGTH + TESTED, framed=source.framed)
    fitted, tested = blocks[:-TESTED], blocks[-TESTED:]

    def rows() -> pd.DataFrame:
        found = derivatives(model, fitted, tested, sampled=fitted[:sampled], features=features)
        return found.assign(sampled=sampled * LENGTH, dtype=dtype, **text_of(tested))

    keep(rows)


def derivatives(
    model: PreTrainedModel,
    fitted: Blocks,
    tested: Blocks,
    *,
    sampled: Blocks,
    features: int | None = None,
) -> pd.DataFrame:
    """Predict what leaves each layer by three maps about the fitted tokens' means: a row a layer and predictor.

    ``predictor`` is "best map", fitted on ``fitted``; "own derivative", the mean over the tokens of ``sampled`` of the
    derivative of what leaves a position by what enters it; "whole derivative", of what leaves all positions by what
    enters one; or "identity". The first four tokens of every block are left out throughout.

    Returns ``layer``; ``predictor``; ``explained``, the share of the variance of ``tested`` that it predicts, and
    ``update_explained``, that of the update's, both in (-inf, 1]; ``alike``, the cosine of the map less the identity
    with the best map less the identity. With ``features`` all of this is of so many features of the output, drawn at
    random: a derivative takes a backward pass each.
    """
    moments = joint_moments(model, fitted, drop_first=DROP_FIRST)
    dim, rows = next(iter(moments.values())).dim, []
    chosen = torch.randperm(dim, generator=torch.Generator().manual_seed(0))[: features or dim].sort().values
    states = [[state[:, DROP_FIRST:].flatten(0, 1) for state in batch.stream] for batch in read(model, tested)]
    for layer, one in moments.items():
        m, identity = one.centred(), torch.eye(dim).to(one.xx)[chosen]
        own, whole = mean_derivatives(model, layer, sampled, chosen)
        maps = {
            "best map": linear_map(one).weight.detach().double()[chosen],
            "own derivative": own,
            "whole derivative": whole,
        }
        x, y = (torch.cat([stream[at] for stream in states]).double() for at in (layer - 1, layer))
        x, y, d = x - m.mean_x, (y - m.mean_x - m.mean_d)[:, chosen], (y - x)[:, chosen]
        of_y, of_d = (float((some - some.mean(0)).square().sum()) for some in (y, d))
        away = maps["best map"] - identity
        for predictor, matrix in (maps | {"identity": identity}).items():
            error = float((y - x @ matrix.T).square().sum())
            change = matrix - identity
            alike = float((change * away).sum() / (change.norm() * away.norm())) if change.any() else float("nan")
            row = {"layer": layer, "predictor": predictor, "explained": 1 - error / of_y}
            rows.append(row | {"update_explained": 1 - error / of_d, "alike": alike})
    return pd.DataFrame(rows).assign(features=len(chosen))


def mean_derivatives(
    model: PreTrainedModel, layer: int, blocks: Blocks, features: Int[Tensor, " feature"], *, seed: int = 0
) -> tuple[Float[Tensor, "feature dim"], Float[Tensor, "feature dim"]]:
    """Return the mean over tokens of a layer's derivative at their own position, and of that at all positions.

    A backward pass sums over the positions of the output. For the first, each is given a random sign, and each input
    that of its own: what goes from one position to another is then noise about 0, and vanishes with many tokens.
    """
    block, draw = model_blocks(model)[layer - 1], torch.Generator().manual_seed(seed)
    dim = width_of(model)
    sums, count = torch.zeros(2, len(features), dim, dtype=torch.float64, device=model.device), 0
    for rows in batches(blocks, max(1, TOKENS_AT_ONCE // blocks.shape[1])):
        state, args, kwargs = _entering(model, block, blocks[rows])
        x = state.detach().requires_grad_()
        with torch.enable_grad():
            given = block(x, *args, **kwargs)
            y = given[0] if isinstance(given, tuple) else given
        inside = torch.ones(x.shape[:2], device=x.device)
        inside[:, :DROP_FIRST] = 0
        signs = inside * (2 * torch.randint(2, x.shape[:2], generator=draw).to(x.device) - 1)
        count += int(inside.sum())
        for place, feature in enumerate(features.tolist()):
            for total, weights in zip(sums, (signs, inside), strict=True):
                (slope,) = torch.autograd.grad((y[..., feature] * weights).sum(), x, retain_graph=True)
                total[place] += (slope * weights[..., None]).sum((0, 1)).double()
    own, whole = sums / count
    return own, whole


@torch.no_grad()
def _entering(model: PreTrainedModel, block: torch.nn.Module, ids: Blocks) -> tuple[Tensor, tuple, dict]:
    """Return what a block is called with when the model reads these tokens."""
    calls: list[tuple[tuple, dict]] = []
    handle = block.register_forward_pre_hook(lambda _, args, kwargs: calls.append((args, kwargs)), with_kwargs=True)
    try:
        run_blocks(model, ids)
    finally:
        handle.remove()
    args, kwargs = calls[0]
    return (args[0], args[1:], kwargs) if args else (kwargs.pop("hidden_states"), args, kwargs)
