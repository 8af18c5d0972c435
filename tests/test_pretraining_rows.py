"""Rows of pretrained models: rates swept, seeds that judge, scalings seen, steps on the way; a preset of seconds."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hub_process import run_on_hub
from model_hub import model_hub
from reference import identity_error

from casebook.rows import TABLES
from casebook.rows import pretraining as made
from casebook.rows.pretraining import VARIANTS, Variant
from casebook.rows.source import LENGTH
from casebook.sweeps import CHOOSING, RUN, judged
from linstudy import linearity_profile, load, token_blocks
from linstudy.models import small_model
from linstudy.study.results import append, results
from linstudy.study.tables import Provenance
from linstudy.train import PRESETS

STEPS, LAYERS = 12, 3


@pytest.fixture(autouse=True)
def speck(monkeypatch):
    """A preset of seconds: 3 layers of width 16, 12 steps."""

    shape = {"layers": LAYERS, "width": 16, "inner": 32, "head_dim": 4}
    run = {"vocab_size": 300, "length": 64, "tokens": STEPS * 4 * 64, "peak_rate": 1e-2}
    monkeypatch.setitem(PRESETS, "speck", replace(PRESETS["nano"], name="speck", **shape, **run))
    monkeypatch.setitem(made.RATES, "speck", (5e-3, 1e-2))
    monkeypatch.setattr(made, "MEASURED", 1024)


@pytest.fixture(scope="module", autouse=True)
def text():
    """One text for all of this file's tests: its tokenizer takes longer than their models."""
    made.text_for.cache_clear()
    yield
    made.text_for.cache_clear()


def test_variants_are_told_apart_by_their_names_and_their_keys():
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert len({tuple(variant.key.values()) for variant in VARIANTS}) == len(VARIANTS)
    assert Variant().name == Variant().title == "plain"
    titles = [variant.title for variant in VARIANTS]
    assert len(set(titles)) == len(titles)
    assert {"cosine 0.5", "MSE 2", "branches / √layer", "branches × 0.3", "norms / √layer", "decay 0"} < set(titles)


def swept(variant):
    return TABLES["pretraining"].rows(preset="speck", corpus="stories", variant=variant, step=STEPS)


def test_rows_hold_the_sweep_on_three_seeds_and_fresh_ones_at_its_best_rate(tmp_path):
    variant = Variant("cosine", 0.5)
    table = swept(variant)
    back = kept(table, "pretraining", tmp_path)
    assert len(back) == len(table)
    runs = back.drop_duplicates(["rate", "seed"])
    choosing, judges = runs[runs.seed.isin(CHOOSING)], judged(back)
    means = choosing.groupby("rate").validation_nats.mean()
    assert len(means) >= 3  # two rates, and one more since the best of two has a neighbour on one side only
    assert len(choosing) == len(means) * len(CHOOSING)
    assert sorted(judges.seed) == list(made.judges(variant))
    assert set(judges.rate) == {means.idxmin()}
    assert judges.validation_nats.nunique() == len(judges)
    assert set(back.layer) == set(range(1, LAYERS + 1))
    assert identity_error(back) < 1e-9
    assert back.training_tokens.eq(STEPS * 4 * 64).all()
    ratio = back.bits_per_byte / back.validation_nats  # one text and tokenizer: one factor, fewer bytes than bits
    assert ratio.std() < 1e-12
    assert 0.2 < ratio.iloc[0] < 1.5


def kept(table, name, folder):
    """Put rows into a table of their own and read it again."""
    made_here = {**dict.fromkeys(Provenance.__annotations__, "here"), "minutes": 0.0}
    append(name, table.assign(**made_here), folder=folder)
    return results(name, folder=folder)


def test_a_run_that_diverges_has_rows_with_nothing_in_them(monkeypatch):
    def diverges(*args, **options):
        raise FloatingPointError("the loss is nan at step 3")
        yield

    monkeypatch.setattr("linstudy.train.pretrain", diverges)
    table = made.trained("speck", "stories", Variant(), rate=9.0, seed=0, steps=STEPS)
    assert list(table.layer) == list(range(1, LAYERS + 1))
    assert table.validation_nats.isna().all()
    with pytest.raises(ValueError, match=r"training diverged at every rate"):
        swept(Variant())


def test_a_scaling_is_seen_by_the_rows_and_makes_updates_smaller():
    """The profile is taken while the factors still are hooks: it must be that of the scaled model."""
    of = {
        word: made.trained("speck", "stories", Variant(scaling=word), rate=1e-3, seed=0, steps=STEPS)
        for word in ("none", "branches=0.01,power=0")
    }
    assert (of["branches=0.01,power=0"].norm_ratio < 0.1 * of["none"].norm_ratio).all()


def test_the_last_output_is_in_the_penalty_where_the_variant_says_so():
    """A huge weight on the squares presses what counts: the last layer's update with it, or all others alone."""
    out, stream = (
        made.trained("speck", "stories", Variant("mse", 1e3, last=last), rate=1e-2, seed=0, steps=STEPS)
        for last in ("out", "stream")
    )
    assert stream.norm_ratio.iloc[-1] < 0.5 * out.norm_ratio.iloc[-1]


def test_a_text_that_ends_is_drawn_once_and_one_beside_the_checkout_is_found_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr("linstudy.train.draw", lambda text, preset, *, blocks, heldout: (text, heldout, blocks))
    monkeypatch.setattr("casebook.reach.BESIDE", tmp_path)
    made.text_for.cache_clear()
    assert made.text_for("speck", "stories", STEPS) == ("stories", 1024 // 64, STEPS * 4)
    monkeypatch.setitem(made.DISTINCT, "mine", 5 * 64)
    file = tmp_path / "data" / "mine.txt"
    file.parent.mkdir()
    file.write_text("Once.", encoding="utf8")
    assert made.text_for("speck", "mine", STEPS) == (str(file), 1024 // 64, 5)
    assert made.text_for("speck", "mine", 1) == (str(file), 1024 // 64, 4)
    made.text_for.cache_clear()


def test_dynamics_begin_with_the_weights_that_were_drawn_and_follow_half_octaves():
    what = {"preset": "speck", "corpus": "stories", "variant": Variant("mse", 2.0), "rate": 1e-2, "steps": STEPS}
    first, again, other = (TABLES["dynamics"].rows(**what, seed=seed) for seed in (0, 0, 1))
    assert sorted(set(first.step)) == [0, 1, 2, 3, 4, 6, 8, 11, 12]
    assert not [column for column in TABLES["dynamics"].key if column not in first]
    pd.testing.assert_frame_equal(first, again)
    start = first[first.step == 0]
    assert start.training_tokens.eq(0).all()
    assert abs(start.validation_nats.iloc[0] - math.log(300)) < 0.3  # knows nothing yet
    assert first[first.step == 12].validation_nats.iloc[0] < start.validation_nats.iloc[0]
    assert not np.allclose(start.linearity, other[other.step == 0].linearity)
    assert set(first.text_hash) == set(other.text_hash)
    assert set(RUN) <= set(first)


@pytest.mark.slow
def test_published_checkpoints_are_read_by_revision_from_a_stand_in_for_the_hub(tmp_path):
    """In a process of its own: step 0 scores as the weights it was drawn with, and each step is a revision."""
    tokenizer = load("stories-1m")[1]
    models, profiles = {}, {}
    for step in (0, 4):
        model = small_model("gpt_neox", seed=step, vocab_size=len(tokenizer))
        folder = tmp_path / f"step{step}"
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        models[f"step{step}"] = {path.name: path.read_bytes() for path in folder.iterdir()}
        blocks = token_blocks("stories", tokenizer, tokens=8192, length=LENGTH)
        profiles[step] = linearity_profile(model, blocks).linearity_raw
    script = f"""
        from casebook.rows import TABLES
        from casebook.rows.source import Source
        source = Source("org/steps", "", "org/steps", "stories", "stories")
        table = TABLES["dynamics"].rows(source=source, revisions={{0: "step0", 4: "step4"}}, tokens=8192)
        table.to_csv({str(tmp_path / "rows.csv")!r})
    """
    with model_hub({"org/steps": {"main": models["step4"]} | models}) as hub:
        run_on_hub(script, hub.url, tmp_path / "home")
    table = pd.read_csv(tmp_path / "rows.csv")
    assert not [column for column in TABLES["dynamics"].key if column not in table]
    for step, part in table.groupby("step"):
        assert set(part.revision) == {f"step{step}"}
        np.testing.assert_allclose(part.linearity_raw, profiles[step], atol=1e-6)
        assert abs(part.validation_nats.iloc[0] - math.log(len(tokenizer))) < 1
    assert not np.allclose(profiles[0], profiles[4])
