"""A finished model trained further: what its rows hold, and that the penalty is what tells them apart."""

import pytest
from sources import saved

from casebook.rows import TABLES
from casebook.rows import continued as made
from casebook.rows.pretraining import Variant, judges
from casebook.rows.source import LENGTH

STEPS = 8


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "MEASURED", 10)
        yield saved(tmp_path_factory.mktemp("model"), hidden_size=16)


def test_rates_are_compared_on_a_quarter_of_the_steps_and_judged_on_all(source):
    run = {"source": source, "tokens": STEPS * made.BATCH * LENGTH, "rates": (1.6e-2, 3.2e-2), "seeds": 2}
    plain = TABLES["continued"].rows(variant=Variant(), **run)
    whole = plain[plain.step == STEPS]
    assert set(plain.step) == {0, STEPS // made.SHORTER, STEPS}
    tried = plain[plain.step == STEPS // made.SHORTER].groupby("rate").validation_nats.first()
    assert set(whole.rate) == {tried.idxmin()}
    assert sorted(whole.seed.unique()) == list(judges(Variant())[:2])
    assert whole.groupby("seed").validation_nats.first().nunique() == 2  # the order of the blocks
    assert plain[plain.step == STEPS // made.SHORTER].linearity.isna().all()  # they are asked for the loss alone
    before = plain[plain.step == 0]
    assert before.groupby(["selection", "layer"]).size().eq(1).all()
    assert whole.validation_nats.max() < before.validation_nats.min()


def test_a_penalty_begins_where_plain_begins_and_ends_with_neighbours_more_alike(source):
    def after(variant, steps):
        recipe = made.recipe(variant, rate=1e-2, seed=5, steps=steps) if steps else None
        rows = made.gone_on(source, recipe, text=STEPS * made.BATCH * LENGTH)
        return rows[rows.layer < rows.layer.max()][["validation_nats", "cosine"]].mean()  # the last is left out

    plain, pulled = Variant(), Variant("cosine", 5.0)
    assert after(plain, 0).equals(after(pulled, 0))
    assert after(pulled, STEPS).cosine > after(plain, STEPS).cosine
