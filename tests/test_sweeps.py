"""A variant's rate is chosen on three seeds, with worse rates on both sides, and judged on others."""

import math

import pandas as pd
import pytest

from casebook.sweeps import CHOOSING, RUN, bracketed, judged, swept

RATES = (0.003, 0.006, 0.012, 0.024)


def parabola(best):
    return lambda rate: (math.log(rate) - math.log(best)) ** 2


@pytest.mark.parametrize(
    ("loss", "found", "count"),
    [
        (parabola(0.0065), 0.006, 4),  # the best of the middle needs no further rate
        (parabola(0.09), 0.096, 7),
        (parabola(0.0008), 0.00075, 7),
        (lambda rate: -rate, 0.024 * 16, 8),  # no more than four are added
        (lambda rate: math.nan if rate > 0.01 else -rate, 0.006, 4),  # a diverged run is the worst of all
    ],
)
def test_rates_are_added_until_the_best_has_worse_ones_on_both_sides(loss, found, count):
    tried = []
    assert bracketed(lambda rate: tried.append(rate) or loss(rate), RATES) == pytest.approx(found)
    assert len(tried) == len(set(tried)) == count
    assert set(RATES) <= set(tried)


def test_training_that_diverges_at_every_rate_is_told():
    with pytest.raises(ValueError, match=r"every rate, 0.0001875, 0.000375, .*0.024: give lower ones"):
        bracketed(lambda rate: math.nan, RATES)


def runs(penalty, losses, judged_losses, step=400):
    """Rows of a variant whose losses at a rate lie .5 around these, in an order that differs from rate to rate."""
    key = dict(zip(RUN, ("nano", "stories", step, penalty, 0.5, "out", "none"), strict=True))
    rows = [
        (rate, seed, nats + 0.5 * (number - 1) * (-1) ** place)
        for place, (rate, nats) in enumerate(losses.items())
        for number, seed in enumerate(CHOOSING)
    ]
    best = pd.Series(losses).idxmin()
    rows += [(best, seed, nats) for seed, nats in enumerate(judged_losses, start=CHOOSING[-1] + 1)]
    return [
        key | {"rate": rate, "seed": seed, "validation_nats": nats, "layer": layer, "linearity": layer / 2}
        for rate, seed, nats in rows
        for layer in (1, 2)
    ]


def test_runs_are_averaged_over_layers_and_marked_at_the_best_rate_of_their_variant_and_length():
    rows = runs("none", {0.01: 3.0, 0.02: 2.0, 0.04: math.nan}, [2.1, 2.2])
    rows += runs("cosine", {0.01: 1.0, 0.02: 2.0}, [1.5])
    longer = runs("none", {0.01: 1.0, 0.02: 1.1}, [1.2], step=1600)
    table = swept(pd.DataFrame(rows + longer))
    assert len(table) == 7 * len(CHOOSING) + 4
    assert (table.linearity == 0.75).all()
    best = table[table.best].groupby(["penalty", "step"]).rate.unique().map(list).to_dict()
    assert best == {("none", 400): [0.02], ("cosine", 400): [0.01], ("none", 1600): [0.01]}
    # A seed that judges chooses nothing.
    lucky = [row | {"rate": 0.01, "seed": CHOOSING[-1] + 1, "validation_nats": 1.0} for row in rows[:2]]
    judges = judged(pd.DataFrame(rows + longer + lucky))
    assert sorted(judges.validation_nats) == [1.2, 1.5, 2.1, 2.2]
    assert not judges.seed.isin(CHOOSING).any()


def test_one_lucky_seed_chooses_no_rate_and_a_rate_at_which_one_diverged_is_out():
    rows = pd.DataFrame(runs("none", {0.01: 3.0, 0.02: 2.0}, [2.1]))
    first = (rows.seed == CHOOSING[0]) & (rows.rate == 0.01)
    assert set(judged(rows.assign(validation_nats=rows.validation_nats.mask(first, 1.0))).rate) == {0.02}
    diverged = rows.assign(validation_nats=rows.validation_nats.mask((rows.seed == CHOOSING[0]) & (rows.rate == 0.02)))
    assert set(swept(diverged).query("best").rate) == {0.01}
