"""A model and a text that nobody here made: what replacing its layers costs, as a pilot had found."""

import math

import pytest

import linstudy
from linstudy import cross_entropy
from linstudy.prune import changed, fit

BASE = 4.93
ALONE = {1: (59.8, 9.8), 2: (16.8, 12.4), 5: (12.4, 10.7)}  # removed, affine
TOGETHER = (82.6, 21.1, 20.7)  # layers 3 and 4, which the pilot calls blocks 2 and 3: removed, affine, sequential


@pytest.fixture(scope="module")
def pilot(shared):
    """Fit on the first 400 blocks, evaluate on the last 160."""
    model, tokenizer = linstudy.load(shared / "models" / "stories260K")
    text = (shared / "data" / "tinystories-train-sample.txt").read_text()
    tokens = len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    blocks = linstudy.token_blocks([text], tokenizer, tokens=tokens, framed=False)

    def perplexity(changes):
        with changed(model, changes):
            return math.exp(cross_entropy(model, blocks[-160:]))

    return perplexity, lambda layers, action: fit(model, layers, action, blocks=blocks[:400])


@pytest.mark.slow
def test_layers_removed_or_replaced(pilot):
    perplexity, fitted = pilot
    assert perplexity([]) == pytest.approx(BASE, abs=0.005)
    for gone, map in zip(fitted(ALONE, "remove"), fitted(ALONE, "affine"), strict=True):
        removed, affine = ALONE[gone.first]
        assert perplexity([gone]) == pytest.approx(removed, abs=0.05)
        assert perplexity([map]) == pytest.approx(affine, abs=0.05)  # the pilot had no ridge
    found = [perplexity(fitted([3, 4], action)) for action in ("remove", "affine", "sequential", "run")]
    assert found == pytest.approx([*TOGETHER, TOGETHER[-1]], rel=0.01)  # one map does what several do
