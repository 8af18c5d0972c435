"""Harm as a control: errors in the weights are as large as they say, and runs are compared where they cost as much."""

import numpy as np
import pandas as pd
import pytest
import torch
from sources import POCKET

from casebook.claims import harm
from casebook.rows import finetuning, harmed
from linstudy import load


@torch.no_grad()
def test_errors_are_as_large_as_they_say_in_the_blocks_and_nowhere_else():
    whole, *erring = (load("stories-1m")[0] for _ in range(4))
    for model, seed in zip(erring, (0, 0, 1), strict=True):
        harmed.add_errors_(model, 0.25, seed)
    for (name, was), *changed in zip(whole.named_parameters(), *(model.parameters() for model in erring), strict=True):
        one, again, other = changed
        assert torch.equal(one, again)
        if was.ndim > 1 and "embed" not in name:
            assert float((one - was).std() / was.square().mean().sqrt()) == pytest.approx(0.25, rel=0.02)
            assert not torch.equal(one, other)
        else:
            assert torch.equal(one, was)


def test_a_model_without_errors_is_what_it_was(monkeypatch):
    monkeypatch.setattr(finetuning, "BLOCKS", 4)
    finetuning.begun.cache_clear()
    still, less = (harmed.erring(POCKET, size, 0).groupby("text").delta_nats.first() for size in (0.0, 1.0))
    finetuning.begun.cache_clear()
    assert still.to_dict() == {"stories": 0, "pydocs": 0}
    assert less["stories"] > 1


def errors() -> pd.DataFrame:
    """Rows of harmed.csv in which a rise is a tenth of the logarithm, to the base 2, of nats above a quarter."""
    rows = [
        {"errors": size, "seed": seed, "text": text, "layer": layer, "delta_nats": size, "delta_update_linearity": rise}
        for size in (0.25, 0.5, 1.0, 2.0)
        for seed in range(5)
        for text in ("stories", "pydocs")
        for layer, rise in ((1, 0.2 * np.log2(4 * size) + (text == "pydocs")), (2, 0.0))
    ]
    return pd.DataFrame(rows)


def tuned(**of_labels: tuple[float, float]) -> pd.DataFrame:
    """Rows of finetuning.csv: of each kind of labels the nats lost and the rise of LS_res, give or take."""
    rows = [
        {"labels": labels, "seed": 100 * (1 + place) + number, "delta_nats": nats, "change": rise + number / 1000}
        for place, labels in enumerate(finetuning.LABELS)
        for nats, rise in (of_labels[labels.replace(" ", "_")],)
        for number in range(finetuning.JUDGES)
    ]
    table = pd.DataFrame(rows).rename(columns={"change": "delta_update_linearity"})
    whole = {"model": "stories-1m", "task": "order", "text": "stories", "trained": finetuning.ALL, "layer": 1}
    return table.assign(accuracy=0.7, constant=0.5, loss=0.5, **whole)


def test_a_run_is_compared_with_errors_that_cost_as_much():
    found = harm.more_than_harm(
        harm.beside_errors(tuned(true=(0.5**0.5, 0.25), shuffled=(1.0, 0.2), no_labels=(8.0, 0.4)), errors())
    ).set_index("labels")
    assert found.by_errors["true"] == pytest.approx(0.15)  # halfway between two sizes, over the logarithm
    assert found.excess[["true", "shuffled"]].tolist() == pytest.approx([0.102, 0.002])
    assert found.verdict[["true", "shuffled"]].tolist() == ["more than harm", "no more"]
    assert found.verdict["no labels"] == "no errors cost as much"
    assert (found.low < found.excess).loc[["true", "shuffled"]].all()


def test_what_lies_about_the_margin_is_not_told():
    near = tuned(true=(0.5, 0.108), shuffled=(0.5, 0.1), no_labels=(-0.1, 0.1))
    found = harm.more_than_harm(harm.beside_errors(near, errors())).set_index("labels").verdict
    assert found.to_dict() == {"true": "not told", "shuffled": "no more", "no labels": "no errors cost as much"}


def test_the_curve_is_of_one_text_and_has_the_spread_over_seeds():
    table = errors()
    table.loc[table.seed == 0, "delta_update_linearity"] += 0.1
    curve = harm.by_errors(table).set_index("errors")
    assert curve.rise[1.0] == pytest.approx(0.2 + 0.02)
    assert curve.low[1.0] < 0.2 < curve.rise[1.0] < curve.high[1.0]
    assert harm.by_errors(table, "pydocs").rise[1] == pytest.approx(0.1 + 0.5 + 0.02)
