"""The captured stream is the model's own, for every family, and nothing stays on the model."""

import pytest
import torch
from tiny_models import EVERY_STACK, LAYERS, WIDTH, hooks, run, tiny_ids, tiny_model
from torch.testing import assert_close

from linstudy.models import blocks, capture, capture_part, final_norm


@pytest.mark.parametrize(("name", "stack"), EVERY_STACK)
def test_the_stream_is_the_hidden_states_up_to_the_final_norm(name, stack):
    model, ids = tiny_model(name), tiny_ids(batch=3)
    with torch.no_grad(), capture(model, stack=stack) as stream:
        output = run(model, ids, output_hidden_states=True)
    hidden = output[f"{stack}_hidden_states"] if stack else output.hidden_states
    assert [state.shape for state in stream] == [(3, ids.shape[1], WIDTH)] * (LAYERS + 1)
    if name == "mamba":  # its hidden states begin behind the first block and give the last state twice
        assert all(map(torch.equal, stream[1:], hidden))
    else:
        assert all(map(torch.equal, stream[:-1], hidden))
    norm = final_norm(model, stack=stack)
    assert torch.equal(stream[-1] if norm is None else norm(stream[-1]), hidden[-1])
    assert norm is None or not torch.allclose(stream[-1], hidden[-1])
    assert not any(map(torch.equal, stream[:-1], stream[1:]))


def test_every_pass_refills_the_list():
    model, (first, second) = tiny_model("gpt2"), tiny_ids(batch=2)[:, None]
    with torch.no_grad(), capture(model) as stream:
        model(first)
        before = list(stream)
        model(second)
        after = list(stream)
        model(first)
    assert len(stream) == LAYERS + 1
    assert all(map(torch.equal, stream, before))
    assert not any(map(torch.equal, stream, after))


def test_gradients_flow_through_the_stream():
    model = tiny_model("llama")
    with capture(model) as stream:
        model(tiny_ids())
    stream[2].square().mean().backward()
    reached = [any(p.grad is not None and p.grad.any() for p in block.parameters()) for block in blocks(model)]
    assert reached == [True, True, False]


@pytest.mark.parametrize(("name", "part"), [("llama", "block"), ("bloom", "attention"), ("gpt_neox", "mlp")])
def test_gradient_checkpointing_changes_neither_states_nor_gradients(name, part):
    ids, results = tiny_ids(), []
    for checkpointing in (False, True):
        model = tiny_model(name).train()
        if checkpointing:
            getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()  # its older name
        with capture_part(model, part) as pairs:
            loss = model(ids, labels=ids, use_cache=False).loss
            states = [state for pair in pairs for state in pair]
            (loss + sum((y - x).square().mean() for x, y in pairs)).backward()
            assert [state for pair in pairs for state in pair] == states  # the second run of the blocks is no pass
        results.append([*states, *(p.grad for p in model.parameters())])
    for plain, checkpointed in zip(*results, strict=True):
        assert_close(checkpointed, plain)


def test_no_hook_stays_whatever_happens(monkeypatch):
    model, ids = tiny_model("gpt2"), tiny_ids()
    model(ids, output_hidden_states=True)  # the library leaves hooks of its own
    before = hooks(model)
    with capture(model), capture_part(model, "attention"):
        model(ids)
        assert hooks(model) > before
    assert hooks(model) == before

    with pytest.raises(KeyError, match="mine"), capture(model), capture_part(model, "mlp"):
        raise KeyError("mine")
    assert hooks(model) == before

    def refuse(*args, **kwargs):
        raise OSError("no more hooks")

    monkeypatch.setattr(blocks(model)[2], "register_forward_hook", refuse)
    for context in (capture(model), capture_part(model, "attention")):
        with pytest.raises(OSError, match="no more hooks"), context:
            pass
        assert hooks(model) == before


def test_a_pass_that_breaks_off_leaves_no_states_the_next_one_is_whole_and_a_block_by_itself_is_none():
    model, ids = tiny_model("gpt2"), tiny_ids()
    with torch.no_grad(), capture(model) as stream, capture_part(model, "mlp") as pairs:
        model(ids)
        with pytest.raises(RuntimeError, match=r"shape|size|expand"):
            model(ids, attention_mask=torch.ones(2, 1, 5, 7))
        assert stream == []
        model(ids)
        before = list(stream), list(pairs)
        assert len(stream) == LAYERS + 1
        blocks(model)[1](stream[0])
        assert all(now is then for now, then in zip([*stream, *pairs], [*before[0], *before[1]], strict=True))


def test_without_a_forward_pass_and_of_an_unknown_part_the_context_complains():
    model = tiny_model("gpt2")
    with pytest.raises(RuntimeError, match="no forward pass ran while capturing: call the model inside"):  # noqa: SIM117
        with capture(model):
            pass
    message = "part 'head' is not known: choose one of block, attention, mlp"
    with pytest.raises(ValueError, match=message), capture_part(model, "head"):
        pass


def test_a_skipped_block_is_an_error():
    model = tiny_model("opt", layerdrop=1.0).train()
    message = r"the pass ended when block 0 of 0 to 2 was due.*LayerDrop"
    with pytest.raises(RuntimeError, match=message), capture(model):
        model(tiny_ids())
    with capture(model.eval()) as stream:
        model(tiny_ids())
    assert len(stream) == LAYERS + 1


def test_a_block_that_runs_twice_is_an_error_and_one_in_two_places_is_captured_in_both():
    model = tiny_model("llama")
    first, second = blocks(model)[:2]
    forward, second.forward = second.forward, lambda hidden, **options: first(hidden, **options)
    message = r"block 0 ran when block 2 of 0 to 2 was due.*runs a block twice"
    with pytest.raises(RuntimeError, match=message), capture(model):
        model(tiny_ids())
    second.forward, blocks(model)[2] = forward, first
    with torch.no_grad(), capture(model) as stream:
        output = model(tiny_ids(), use_cache=False, output_hidden_states=True)
    assert len(stream) == LAYERS + 1
    assert torch.equal(final_norm(model)(stream[-1]), output.hidden_states[-1])
