"""A variant's rate is chosen on three seeds, with worse rates on both sides, and judged on others."""

import math

import pandas as pd
import pytest

from casebook.sweeps import CHOOSING, RUN, bracketed, judged, swept

RATES = (0.003, 0.006, 0.012, 0.024)


def asked(loss, rates=RATES):
    tried = []

    def noted(rate):
        tried.append(rate)
        return loss(rate)

    return bracketed(noted, rates), tried


def parabola(best):
    return lambda rate: (math.log(rate) - math.log(best)) ** 2


def test_the_best_of_the_middle_needs_no_further_rate():
    best, tried = asked(parabola(0.0065))
    assert best == 0.006
    assert sorted(tried) == sorted(RATES)


@pytest.mark.parametrize(("truth", "found", "count"), [(0.09, 0.096, 7), (0.0008, 0.00075, 7)])
def test_rates_are_added_until_the_best_has_worse_ones_on_both_sides(truth, found, count):
    best, tried = asked(parabola(truth))
    assert best == pytest.approx(found)
    assert len(tried) == len(set(tried)) == count


def test_no_more_than_four_rates_are_added():
    best, tried = asked(lambda rate: -rate)
    assert best == 0.024 * 16
    assert len(tried) == 8


def test_a_diverged_run_is_the_worst_of_all():
    best, _ = asked(lambda rate: math.nan if rate > 0.01 else -rate)
    assert best == 0.006
    with pytest.raises(ValueError, match=r"training diverged at every rate, 0.0015, 0.003, .*0.024"):
        asked(lambda rate: math.nan)


def runs(penalty, losses, judged_losses, step=400):
    """Rows of a variant whose losses at a rate lie .5 around these, in an order that differs from rate to rate."""
    key = dict(zip(RUN, ("nano", "stories", step, penalty, 0.5, "out", "none", 0.1), strict=True))
    apart = {seed: 0.5 * (place - 1) for place, seed in enumerate(CHOOSING)}
    rows = [
        (rate, seed, nats + apart[seed] * (-1) ** place)
        for place, (rate, nats) in enumerate(losses.items())
        for seed in CHOOSING
    ]
    best = min(losses, key=lambda rate: math.inf if math.isnan(losses[rate]) else losses[rate])
    rows += [(best, seed, nats) for seed, nats in enumerate(judged_losses, start=CHOOSING[-1] + 1)]
    return [
        {
            **key,
            "rate": rate,
            "seed": seed,
            "validation_nats": nats,
            "layer": layer,
            "linearity": layer / 2,
        }
        for rate, seed, nats in rows
        for layer in (1, 2)
    ]


def test_runs_are_averaged_over_layers_and_marked_at_the_best_rate_of_their_variant():
    plain = runs("none", {0.01: 3.0, 0.02: 2.0, 0.04: math.nan}, [2.1, 2.2])
    cosine = runs("cosine", {0.01: 1.0, 0.02: 2.0}, [1.5])
    table = swept(pd.DataFrame(plain + cosine))
    assert len(table) == 5 * len(CHOOSING) + 3
    assert (table.linearity == 0.75).all()
    best = table[table.best]
    assert set(best.groupby("penalty").rate.unique().map(tuple).items()) == {("none", (0.02,)), ("cosine", (0.01,))}
    judges = judged(pd.DataFrame(plain + cosine))
    assert sorted(judges.validation_nats) == [1.5, 2.1, 2.2]
    assert not judges.seed.isin(CHOOSING).any()


def test_a_seed_that_judges_chooses_nothing():
    rows = runs("none", {0.01: 3.0, 0.02: 2.0}, [2.1])
    lucky = [row | {"rate": 0.01, "seed": CHOOSING[-1] + 1, "validation_nats": 1.0} for row in rows[:2]]
    assert judged(pd.DataFrame(rows + lucky)).validation_nats.tolist() == [2.1]


def test_longer_runs_have_a_best_rate_of_their_own():
    short, longer = runs("none", {0.01: 3.0, 0.02: 2.0}, [2.1]), runs("none", {0.01: 1.0, 0.02: 1.1}, [1.2], step=1600)
    judges = judged(pd.DataFrame(short + longer))
    assert judges.set_index("step").rate.to_dict() == {400: 0.02, 1600: 0.01}
    assert judges.set_index("step").validation_nats.to_dict() == {400: 2.1, 1600: 1.2}


def test_one_lucky_seed_chooses_no_rate_and_a_rate_at_which_one_diverged_is_out():
    rows = pd.DataFrame(runs("none", {0.01: 3.0, 0.02: 2.0}, [2.1]))
    first = (rows.seed == CHOOSING[0]) & (rows.rate == 0.01)
    assert set(judged(rows.assign(validation_nats=rows.validation_nats.mask(first, 1.0))).rate) == {0.02}
    diverged = rows.assign(validation_nats=rows.validation_nats.mask((rows.seed == CHOOSING[0]) & (rows.rate == 0.02)))
    assert set(swept(diverged).query("best").rate) == {0.01}
