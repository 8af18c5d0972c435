"""The slow, plain way to the scores, which the moments must agree with: float64, all states kept, a basis of x."""

import torch

from linstudy import capture
from linstudy.models import capture_part
from linstudy.study.tables import TABLES, Provenance


def reference(x, y):
    """Return the scores of a layer from its states."""
    x, y = x.double(), y.double()
    d = y - x
    x_c, y_c, d_c = (m - m.mean(0) for m in (x, y, d))
    error = (d_c - explained(x_c, d_c)).square().sum(0)
    n, dim = x.shape
    adjust = (n - 1) / (n - dim - 1)
    alive = y_c.square().sum(0) > 0
    raw, update_raw = 1 - error.sum() / y_c.square().sum(), 1 - error.sum() / d_c.square().sum()
    return {
        "linearity_raw": raw,
        "update_linearity_raw": update_raw,
        "linearity": 1 - adjust * (1 - raw),
        "update_linearity": 1 - adjust * (1 - update_raw),
        "floor": dim / (n - 1),
        "update_ratio": d_c.square().sum() / y_c.square().sum(),
        "norm_ratio": (d.norm(dim=1) / y.norm(dim=1)).mean(),
        "cosine": torch.nn.functional.cosine_similarity(x, y, dim=1).mean(),
        "anisotropy": torch.linalg.svdvals(x_c)[0] ** 2 / x_c.square().sum(),
        "feature_linearity": 1 - adjust * (error / y_c.square().sum(0))[alive].median(),
        "linearity_standardised": 1 - adjust * unexplained(x_c, y_c / y_c.std(0)),
        "update_linearity_standardised": 1 - adjust * unexplained(x_c, d_c / d_c.std(0)),
    }


def identity_error(table):
    """Return how far rows of scores are from 1 - LS = (1 - LS_res) * update ratio."""
    return (1 - table.linearity_raw - (1 - table.update_linearity_raw) * table.update_ratio).abs().max()


def assert_filled(table, name):
    """See that rows have every column of their table that the run itself knows, and a key of their own each."""
    known = TABLES[name]
    assert set(known.header) - set(Provenance.__annotations__) <= set(table)
    assert not table[list(known.key)].duplicated().any()


def unexplained(x_c, target):
    """Return the share of the target's variance that x does not explain; columns that never vary are NaN, left out."""
    target = target[:, target.isfinite().all(0)]
    return (target - explained(x_c, target)).square().sum() / target.square().sum()


def explained(x_c, target):
    """Return the part of the target's columns in the span of x's, whose directions are ranked with columns scaled."""
    norm = x_c.norm(dim=0)
    directions, values, _ = torch.linalg.svd(x_c / norm.where(norm > 0, 1), full_matrices=False)
    kept = directions[:, values > 1e-6 * values[0]]
    return kept @ (kept.T @ target)


def states_of(model, ids, *, stack=None):
    """Return the states at every layer boundary, a row a token."""
    with torch.no_grad(), capture(model, stack=stack) as stream:
        model(ids, **({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}))
    return [state.flatten(0, 1) for state in stream]


def pairs_of(model, ids, part="block"):
    """Return what enters and what leaves a part of every layer, a row a token."""
    with torch.no_grad(), capture_part(model, part) as pairs:
        model(ids)
    return [(x.flatten(0, 1), y.flatten(0, 1)) for x, y in pairs]
