"""The sample holds the states of the tokens it says, the same at every boundary, and nothing else is kept."""

import gc
import weakref
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from test_surgery import whole_state
from tiny_models import LAYERS, VOCABULARY, WIDTH, hooks, tiny_ids, tiny_model

from casebook.tokens import layer_contributions, logit_lens, sample_states, token_errors
from linstudy import capture, linearity_profile
from linstudy.measure.reading import read

IDS = tiny_ids(batch=7, length=10)


def rows_of(model, ids=IDS):
    with torch.no_grad(), capture(model) as stream:
        model(ids)
    return torch.stack([state.flatten(0, 1) for state in stream])


@pytest.mark.parametrize("name", ["gpt2", "mamba", "bert"])
def test_the_sample_holds_the_same_tokens_at_every_boundary(name):
    model = tiny_model(name)
    sample = sample_states(model, IDS, 25, batch_size=3)
    assert sample.shape == (LAYERS + 1, 25, WIDTH)
    places = (sample[-1][:, None] - rows_of(model)[-1]).norm(dim=2).min(1).indices
    assert places.tolist() == sorted(set(places.tolist()))
    torch.testing.assert_close(sample, rows_of(model)[:, places])


def test_the_seed_decides_and_all_tokens_are_all_states_but_the_first():
    model = tiny_model("llama")
    first, again, other = (sample_states(model, IDS, 20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.testing.assert_close(sample_states(model, IDS, 70), rows_of(model))
    want = rows_of(model).view(LAYERS + 1, 7, 10, WIDTH)[:, :, 4:].flatten(1, 2)
    torch.testing.assert_close(sample_states(model, IDS, 42, drop_first=4), want)


def test_states_are_let_go_batch_by_batch():
    gc.disable()  # what only the collector would free counts as kept
    try:
        model, before = tiny_model("gpt2"), []
        for _, ids, stream, _ in read(model, IDS, batch_size=3):
            assert all(state() is None for state in before)
            assert not hooks(model)
            before = [weakref.ref(state) for state in stream]
            assert stream[0].shape == (len(ids), 10, WIDTH)
    finally:
        gc.enable()


@pytest.mark.parametrize(("count", "first", "most"), [(0, 0, 70), (71, 0, 70), (57, 2, 56)])
def test_what_cannot_be_drawn(count, first, most):
    told = f"{count} tokens cannot be drawn from 7 blocks of {10 - first} tokens: give a count from 1 to {most}"
    with pytest.raises(ValueError, match=told):
        sample_states(tiny_model("gpt2"), IDS, count, drop_first=first)


DRAWN = partial(sample_states, count=5)
READERS = {reader.__name__: reader for reader in (linearity_profile, logit_lens, token_errors, layer_contributions)}


READ_BY = pytest.mark.parametrize("read_by", [*READERS.values(), DRAWN], ids=[*READERS, "sample_states"])


@READ_BY
def test_whatever_reads_a_text_leaves_the_model_as_it_was_after_an_error_too(read_by):
    model = tiny_model("gpt2").train()
    model.transformer.drop.eval()  # a mode of its own
    model(IDS, output_hidden_states=True)  # the library leaves hooks of its own
    before, weight = whole_state(model), model.transformer.h[1].mlp.c_proj.weight
    for value in (0.0, float("inf")):
        weight.data[0, 0] = value
        weights = {name: one.clone() for name, one in model.state_dict().items()}
        broken = value and pytest.raises(ValueError, match="what leaves layer 2 holds NaN or infinity")
        with broken or nullcontext():
            read_by(model, IDS)
        assert whole_state(model) == before
        assert all(torch.equal(one, weights[name]) for name, one in model.state_dict().items())


@READ_BY
def test_whatever_reads_a_text_says_what_cannot_be_read(read_by, monkeypatch):
    model = tiny_model("gpt2")
    with pytest.raises(ValueError, match=r"shape \(0, 10\) hold no text"):
        read_by(model, IDS[:0])
    with pytest.raises(ValueError, match=f"token id {VOCABULARY} is outside the model's vocabulary of {VOCABULARY}"):
        read_by(model, IDS.clone().fill_(VOCABULARY))

    read_by(model, IDS)  # control

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model.base_model, "forward", full)
    with pytest.raises(torch.OutOfMemoryError, match=r"7 blocks of 10 tokens in a pass: .* or a batch size of 3 "):
        read_by(model, IDS)
