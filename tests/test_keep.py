"""Profiles of some of the tokens, and of either stack of a model that has two."""

import pandas as pd
import pytest
import torch
from tiny_models import tiny_ids, tiny_model

from linstudy import JointMoments, capture, linearity_profile, profile_of_states
from linstudy.measure import joint_moments, scores


@pytest.fixture(scope="module")
def model():
    return tiny_model("mistral")


@pytest.fixture(scope="module")
def ids():
    return tiny_ids(batch=40, length=16)


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


def test_every_layer_may_keep_its_own_tokens(model, ids):
    keep = torch.ones(3, *ids.shape, dtype=torch.bool)
    keep[1, :, ::2] = False
    got, whole = linearity_profile(model, ids, keep=keep, heldout=0.25), linearity_profile(model, ids, heldout=0.25)
    half = linearity_profile(model, ids, keep=keep[1], heldout=0.25)
    pd.testing.assert_series_equal(got.iloc[0], whole.iloc[0])
    pd.testing.assert_series_equal(got.iloc[1], half.iloc[1])
    assert got.tokens.tolist() == [ids.numel(), ids.numel() // 2, ids.numel()]


def test_a_choice_of_tokens_that_does_not_fit_is_refused(model, ids):
    with pytest.raises(ValueError, match=r"keep of shape \(3, 4\) does not fit: give one truth value a token"):
        linearity_profile(model, ids, keep=torch.ones(3, 4, dtype=torch.bool))
    keep = torch.zeros(ids.shape, dtype=torch.bool)
    keep[0, :10] = True
    with pytest.raises(ValueError, match=r"^10 tokens cannot determine an affine map of 32 dimensions"):
        linearity_profile(model, ids, keep=keep)


def test_a_measurement_of_other_tokens_is_not_resumed(model, ids, tmp_path, monkeypatch):
    path = tmp_path / "progress.safetensors"
    monkeypatch.setattr("linstudy.measure.resume.SECONDS", 0)
    real = JointMoments.update

    def breaks(moments, x, y):
        if moments.tokens > 100:
            raise KeyboardInterrupt
        return real(moments, x, y)

    monkeypatch.setattr(JointMoments, "update", breaks)
    with pytest.raises(KeyboardInterrupt):
        linearity_profile(model, ids, resume=path, batch_size=2)
    with pytest.raises(ValueError, match="was saved by another measurement"):
        linearity_profile(model, ids, resume=path, batch_size=2, keep=torch.ones(ids.shape, dtype=torch.bool))


@pytest.mark.parametrize("name", ["bart", "t5"])
@pytest.mark.parametrize("stack", ["encoder", "decoder"])
def test_either_stack_of_an_encoder_decoder_is_measured(name, stack, ids):
    both = tiny_model(name)
    with torch.no_grad(), capture(both, stack=stack) as stream:
        both(ids, decoder_input_ids=ids)
    want = profile_of_states([state.flatten(0, 1) for state in stream])
    got = linearity_profile(both, ids, stack=stack)
    pd.testing.assert_series_equal(got.linearity, want.linearity, rtol=1e-9)
    moments = joint_moments(both, ids, stack=stack)
    assert scores(moments[2])["update_linearity"] == pytest.approx(want.update_linearity[1])
