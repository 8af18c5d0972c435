"""Profiles: what the states say, of all tokens or some, however the run is cut up; a sentence for every bad input."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from reference import states_of
from tiny_models import SOME, tiny_ids, tiny_model

from linstudy import capture, cross_entropy, linear_map, linearity_profile, profile_of_states, untrained
from linstudy.measure import JointMoments, joint_moments, scores
from linstudy.models import replaced, small_model

ONE_LAYER = 2 * 32 * 32 * 8  # bytes of its moments
SCORES = ["linearity_raw", "update_linearity_raw", "linearity", "update_linearity", "floor", "update_ratio"]
SCORES += ["norm_ratio", "cosine", "anisotropy", "feature_linearity"]


@pytest.fixture(scope="module")
def model():
    return tiny_model("mistral")


@pytest.fixture(scope="module")
def ids():
    return tiny_ids(batch=40, length=16)


def assert_equal(a: pd.DataFrame, b: pd.DataFrame, tolerance=1e-9):
    pd.testing.assert_frame_equal(a[SCORES], b[SCORES], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SOME)
def test_profile_is_the_profile_of_the_states(name, ids):
    model = tiny_model(name)
    profile = linearity_profile(model, ids)
    assert profile.layer.tolist() == [1, 2, 3]
    assert profile.tokens.tolist() == [640] * 3
    assert_equal(profile, profile_of_states(states_of(model, ids)), 1e-5)


def test_a_linear_block_scores_one_and_its_map_is_found(model, ids):
    wanted = torch.nn.Linear(32, 32)
    with torch.no_grad(), replaced(model, {1: wanted}):
        profile = linearity_profile(model, ids)
        x, y = states_of(model, ids)[1:3]
        found = linear_map(JointMoments.empty(32).update(x, y))
        before = model(ids).logits
        with replaced(model, {1: found}):
            after = model(ids).logits
    assert profile.linearity[1] == pytest.approx(1, abs=1e-9)
    assert profile.linearity[[0, 2]].max() < 1 - 1e-4  # control: the blocks that are not
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.weight, wanted.weight, rtol=1e-4, atol=1e-5)


def test_heldout_blocks_are_the_last(model, ids):
    profile = linearity_profile(model, ids, heldout=0.25)
    assert_equal(profile, linearity_profile(model, ids))  # the other scores use all tokens
    x, y = states_of(model, ids)[:2]
    want = profile_of_states([x.numpy(), y.numpy()], heldout=0.25)
    assert profile.linearity_heldout[0] == pytest.approx(want.linearity_heldout[0], abs=1e-6)
    assert profile.linearity_heldout[0] < profile.linearity_raw[0]


def test_chosen_layers_are_rows_of_the_whole_and_little_memory_means_several_passes(model, ids, capsys):
    whole, some = linearity_profile(model, ids), linearity_profile(model, ids, layers=[3, 1])
    assert some.layer.tolist() == [1, 3]
    assert_equal(some, whole.iloc[[0, 2]].reset_index(drop=True))
    assert capsys.readouterr().out == ""
    assert_equal(linearity_profile(model, ids, memory=2 * ONE_LAYER), whole)
    assert "measuring 2 layers at a time in 2 passes over the text" in capsys.readouterr().out


def test_a_bar_is_shown_where_it_is_asked_for_and_the_revision_is_told(model, ids, capsys, monkeypatch):
    monkeypatch.setattr(model.config, "_commit_hash", "abc", raising=False)
    for shown in (False, True):
        assert set(linearity_profile(model, ids, progress=shown).revision) == {"abc"}
        assert ("batch" in capsys.readouterr().err) == shown


def test_only_the_kept_tokens_are_measured(model, ids):
    keep = torch.rand(ids.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    with torch.no_grad(), capture(model) as stream:
        model(ids)
    got = linearity_profile(model, ids, keep=keep, batch_size=7, drop_first=2)
    keep[:, :2] = False
    want = profile_of_states([state[keep] for state in stream])
    assert (got.tokens == int(keep.sum())).all()
    columns = ["linearity", "update_linearity", "update_ratio", "cosine", "linearity_standardised"]
    pd.testing.assert_frame_equal(got[columns], want[columns], rtol=1e-9)


@pytest.mark.parametrize("stack", ["encoder", "decoder"])
def test_either_stack_of_an_encoder_decoder_is_measured(stack, ids):
    both = tiny_model("t5")
    want = profile_of_states(states_of(both, ids, stack=stack))
    pd.testing.assert_series_equal(linearity_profile(both, ids, stack=stack).linearity, want.linearity, rtol=1e-9)
    moments = joint_moments(both, ids, stack=stack)
    assert scores(moments[2])["update_linearity"] == pytest.approx(want.update_linearity[1])


ALONE = torch.zeros(40, 16, dtype=torch.bool)
ALONE[0, :10] = True


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ((2, 16), {}, ValueError, r"32 tokens cannot determine an affine map of 32 dimensions.*at least 34"),
        ((4, 16), {"heldout": 0.5}, ValueError, "at least 34 tokens"),
        ((40, 16), {"keep": ALONE}, ValueError, "^10 tokens cannot determine an affine map of 32 dimensions"),
        ((40, 16), {"keep": ALONE[:3, :4]}, ValueError, r"keep of shape \(3, 4\) does not fit: give one truth value a"),
        ((40, 16), {"layers": [0]}, IndexError, "there is no layer 0: the model has layers 1 to 3"),
        ((40, 16), {"layers": [4]}, IndexError, "there is no layer 4: the model has layers 1 to 3"),
        ((40, 16), {"layers": []}, IndexError, "no layer is left"),
        ((40, 16), {"drop_first": 16}, ValueError, "drop_first=16 leaves nothing of blocks of 16 tokens"),
        ((40, 16), {"heldout": 1.0}, ValueError, "heldout=1.0 is not a share of the text"),
        ((40, 16), {"memory": 100}, ValueError, "moments of one layer take 16,384 bytes, the budget is 100: free some"),
        ((40, 16), {"memory": 100, "heldout": 0.2}, ValueError, "moments of one layer take 32,768 bytes"),
        ((2, 200), {}, ValueError, "blocks of 200 tokens are longer than the 128 this model can read"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(model, text, options, error, message):
    with pytest.raises(error, match=message):
        linearity_profile(model, tiny_ids(batch=text[0], length=text[1]), **options)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(33, 32)] * 2, "at least 34 tokens"),
        ([(50, 4)], "1 states make no layer"),
        ([(50, 4), (50, 5)], r"layer 1: states of shape \(50, 4\) and \(50, 5\) are not two matrices"),
        ([(50, 4), (50, 4), None], "layer 2: the states hold NaN"),
    ],
)
def test_states_that_make_no_profile_are_a_sentence(shapes, message):
    states = [torch.full((50, 4), float("nan")) if shape is None else torch.randn(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        profile_of_states(states)


def test_a_text_that_repeats_itself():
    """One word over and over: its tokens differ in their places only, or, where positions are rotations, in nothing."""
    one = torch.full((40, 16), 7)
    with pytest.raises(ValueError, match=r"the text repeats itself: its tokens have 16 different contexts, .* 32 dim"):
        linearity_profile(tiny_model("gpt2"), one)
    with pytest.raises(ValueError, match="have 16 different contexts"):  # what is held out fits no map
        linearity_profile(tiny_model("gpt2"), torch.cat([one, tiny_ids(batch=4, length=16)]), heldout=4 / 44)
    long = linearity_profile(tiny_model("llama"), torch.full((4, 96), 7))
    rest_on_the_map = ["linearity_raw", "linearity", "update_linearity", "floor", "update_ratio", "anisotropy"]
    assert long[rest_on_the_map].isna().all(axis=None)
    assert long["cosine"].between(0, 1).all()
    mixed = torch.cat([torch.full((4, 96), 7), tiny_ids(batch=4, length=96)])
    assert linearity_profile(tiny_model("llama"), mixed)["linearity"].between(0, 1).all()  # control


def test_padding_is_not_measured_as_text(model, ids):
    padded, pad = ids.clone(), model.config.pad_token_id
    padded[3, -4:] = pad
    for blocks in (padded, padded.flip(1)):  # Gemma's tokenizer pads on the left
        with pytest.raises(ValueError, match=r"begin or end in padding \(token 0\), which would be measured as text"):
            linearity_profile(model, blocks)
    # a token of the text, as in most decoders
    assert len(linearity_profile(tiny_model("mistral", eos_token_id=pad), padded)) == 3


@pytest.mark.slow
def test_a_killed_measurement_goes_on_to_the_same_numbers_with_less_work(model, ids, tmp_path, monkeypatch):
    path = tmp_path / "progress.safetensors"
    script = f"""
import sys, time
sys.path.insert(0, {str(os.path.dirname(__file__))!r})
from tiny_models import tiny_ids, tiny_model
import linstudy.measure.resume as resume
from linstudy import JointMoments, linearity_profile
resume.SECONDS = 0
real = JointMoments.update
JointMoments.update = lambda *a: (time.sleep(0.05), real(*a))[1]
linearity_profile(tiny_model("mistral"), tiny_ids(batch=40, length=16), batch_size=2, heldout=0.3, resume={str(path)!r})
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    seen: set[int] = set()  # when it was saved
    while len(seen) < 2 and process.poll() is None:
        seen |= {path.stat().st_mtime_ns} if path.exists() else set()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    calls, real = [], JointMoments.update
    monkeypatch.setattr(JointMoments, "update", lambda *given: (calls.append(1), real(*given))[1])
    resumed = linearity_profile(model, ids, batch_size=2, heldout=0.3, resume=path)
    left = len(calls)
    again = linearity_profile(model, ids, batch_size=2, heldout=0.3, resume=path)  # it stays until the table is safe
    assert (again.equals(resumed), len(calls)) == (True, left)
    pd.testing.assert_frame_equal(resumed, linearity_profile(model, ids, batch_size=2, heldout=0.3), check_exact=True)
    assert 0 < left < len(calls) - left


def test_a_file_of_another_measurement_is_refused(model, ids, tmp_path, monkeypatch):
    path = tmp_path / "progress.safetensors"
    monkeypatch.setattr("linstudy.measure.resume.SECONDS", 0)
    linearity_profile(model, ids, memory=ONE_LAYER, resume=path)
    some = torch.ones(ids.shape, dtype=torch.bool)
    for one, text, options in (
        (model, ids, {"drop_first": 1}),
        (model, ids, {"keep": some}),
        (model, ids.flip(1), {}),
        (untrained(model), ids, {}),
    ):
        with pytest.raises(ValueError, match=r"was saved by another measurement \(model, text or options differ\)"):
            linearity_profile(one, text, resume=path, **options)
    path.write_bytes(path.read_bytes()[:9])
    with pytest.raises(ValueError, match="holds no measurement to resume"):
        linearity_profile(model, ids, resume=path)
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        linearity_profile(model, ids, resume=tmp_path / "nowhere" / "x")


@pytest.mark.slow
def test_the_real_model_scores_what_is_known(shared):
    from linstudy import load, token_blocks

    model, tokenizer = load(shared / "models" / "stories260K")
    text = shared / "data" / "tinystories-train-sample.txt"
    ids = token_blocks(text, tokenizer, tokens=81_920, length=256, framed=False)
    assert cross_entropy(model, ids) == pytest.approx(1.817, abs=5e-4)
    profile = linearity_profile(model, ids)
    known = {  # float64 QR on kept states, own hooks
        "linearity_raw": ([0.7440, 0.7558, 0.7888, 0.7631, 0.7381], 6e-5),
        "update_linearity_raw": ([0.4908, 0.2627, 0.2467, 0.2375, 0.2467], 6e-5),
        "update_ratio": ([0.5028, 0.3312, 0.2803, 0.3107, 0.3477], 6e-5),
        "cosine": ([0.776, 0.848, 0.877, 0.876, 0.859], 6e-4),
        "norm_ratio": ([0.646, 0.528, 0.483, 0.490, 0.517], 6e-4),
    }
    for column, (values, tolerance) in known.items():
        assert profile[column].tolist() == pytest.approx(values, abs=tolerance), column


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card")
@pytest.mark.parametrize("width", [32, 320])  # products in float64, and in float32 wherever they do
def test_a_graphics_card_measures_what_the_processor_does(width):
    ids, model = torch.randint(9000, (100, 16)), small_model("llama", vocab_size=9000, hidden_size=width)
    here, there = (linearity_profile(model.to(device), ids, heldout=0.2) for device in ("cpu", "cuda"))
    pd.testing.assert_frame_equal(here, there, rtol=1e-3, atol=1e-4)
