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
from casebook.rows.pretraining import PLANNED, Variant
from casebook.rows.source import LENGTH
from casebook.sweeps import CHOOSING, RUN, judged
from casebook.written import append
from linstudy import linearity_profile, load, token_blocks
from linstudy.models import small_model
from linstudy.study.results import results
from linstudy.study.tables import Provenance
from linstudy.train import PRESETS, texts

STEPS, LAYERS = 12, 3


@pytest.fixture(scope="module", autouse=True)
def speck():
    """A preset of seconds, 3 layers of width 16 and 12 steps, whose tokenizer sees a few stories."""
    shape = {"layers": LAYERS, "width": 16, "inner": 32, "head_dim": 4}
    run = {"vocab_size": 300, "length": 64, "tokens": STEPS * 4 * 64, "peak_rate": 1e-2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "speck", replace(PRESETS["nano"], name="speck", **shape, **run))
        patch.setattr(made, "RATES", (5e-3, 1e-2))
        patch.setattr(made, "MEASURED", 1024)
        patch.setattr(texts, "TOKENIZER_DOCUMENTS", {"text": 30, "pydocs": 10})
        made.text_for.cache_clear()
        yield
        made.text_for.cache_clear()


def test_variants_are_told_apart_by_their_names_and_their_keys():
    for said in (lambda one: one.name, lambda one: one.title, lambda one: tuple(one.key.values())):
        assert len(set(map(said, PLANNED))) == len(PLANNED)
    assert Variant().name == Variant().title == "plain"
    titles = {variant.title for variant in PLANNED}
    assert {"cosine 0.5", "MSE 2", "branches / √layer", "branches × 0.3", "norms / √layer"} < titles


def kept(table, name, folder):
    """Put rows into a table of their own and read it again."""
    made_here = {**dict.fromkeys(Provenance.__annotations__, "here"), "minutes": 0.0}
    append(name, table.assign(**made_here), folder=folder)
    return results(name, folder=folder)


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


def norm_ratios(rate, *variants):
    return (made.trained("speck", "stories", one, rate=rate, seed=0, steps=STEPS).norm_ratio for one in variants)


def test_a_scaling_is_seen_by_the_rows_and_makes_updates_smaller():
    """The profile is taken while the factors still are hooks: it must be that of the scaled model."""
    plain, scaled = norm_ratios(1e-3, Variant(), Variant(scaling="branches=0.01,power=0"))
    assert (scaled < 0.1 * plain).all()


def test_the_last_output_is_in_the_penalty_where_the_variant_says_so():
    """A huge weight on the squares presses what counts: the last layer's update with it, or all others alone."""
    out, stream = norm_ratios(1e-2, *(Variant("mse", 1e3, last=last) for last in ("out", "stream")))
    assert stream.iloc[-1] < 0.5 * out.iloc[-1]


def test_a_text_that_ends_is_drawn_once_and_one_beside_the_checkout_is_found_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr("linstudy.train.draw", lambda text, preset, *, blocks, heldout: (text, heldout, blocks))
    monkeypatch.setattr("casebook.reach.BESIDE", tmp_path)
    monkeypatch.setitem(made.DISTINCT, "mine", 5 * 64)
    text_for, file = made.text_for.__wrapped__, tmp_path / "data" / "mine.txt"
    file.parent.mkdir()
    file.write_text("Once.", encoding="utf8")
    assert text_for("speck", "stories", STEPS) == ("stories", 1024 // 64, STEPS * 4)
    assert text_for("speck", "mine", STEPS) == (str(file), 1024 // 64, 5)
    assert text_for("speck", "mine", 1) == (str(file), 1024 // 64, 4)


def test_dynamics_begin_with_the_weights_that_were_drawn_and_follow_half_octaves():
    what = {"preset": "speck", "corpus": "stories", "variant": Variant("mse", 2.0), "rate": 1e-2, "steps": STEPS}
    first, again, other = (TABLES["dynamics"].rows(**what, seed=seed) for seed in (0, 0, 1))
    assert sorted(set(first.step)) == [0, 1, 2, 3, 4, 6, 8, 11, 12]
    assert {*TABLES["dynamics"].key, *RUN} <= set(first)
    pd.testing.assert_frame_equal(first, again)
    start = first[first.step == 0]
    assert start.training_tokens.eq(0).all()
    assert abs(start.validation_nats.iloc[0] - math.log(300)) < 0.3  # knows nothing yet
    assert first[first.step == 12].validation_nats.iloc[0] < start.validation_nats.iloc[0]
    assert not np.allclose(start.linearity, other[other.step == 0].linearity)
    assert set(first.text_hash) == set(other.text_hash)


@pytest.mark.slow
def test_published_checkpoints_are_read_by_revision_from_a_stand_in_for_the_hub(tmp_path):
    """In a process of its own: each step is a revision, and scores as the weights that it was made with."""
    tokenizer = load("stories-1m")[1]
    blocks, models, profiles = token_blocks("stories", tokenizer, tokens=8192, length=LENGTH), {}, {}
    for step in (0, 4):
        model, folder = small_model("gpt_neox", seed=step, vocab_size=len(tokenizer)), tmp_path / f"step{step}"
        for part in (model, tokenizer):
            part.save_pretrained(folder)
        models[folder.name] = {path.name: path.read_bytes() for path in folder.iterdir()}
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
    assert set(TABLES["dynamics"].key) <= set(table)
    for step, part in table.groupby("step"):
        assert set(part.revision) == {f"step{step}"}
        np.testing.assert_allclose(part.linearity_raw, profiles[step], atol=1e-6)
        assert abs(part.validation_nats.iloc[0] - math.log(len(tokenizer))) < 1
    assert not np.allclose(profiles[0], profiles[4])
