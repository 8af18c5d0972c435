"""The lens reads every boundary as the model reads its last one, for every family, and leaves the model as it was."""

import weakref

import pytest
import torch
from test_surgery import whole_state
from tiny_models import DECODERS, LAYERS, VOCABULARY, tiny_ids, tiny_model
from torch import nn
from torch.testing import assert_close
from transformers import GPT2ForSequenceClassification

from casebook.tokens import logit_lens
from linstudy import capture, cross_entropy
from linstudy.models import final_norm, replaced, without

IDS = tiny_ids(batch=3, length=12)


def logits_of(model, ids=IDS):
    with torch.no_grad():
        return model(ids, use_cache=False).logits.float()


def loss_of(logits, ids=IDS):
    flat = logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
    return nn.functional.cross_entropy(*flat, reduction="none").view(len(ids), -1)


@pytest.mark.parametrize("name", DECODERS)
def test_a_boundary_is_the_model_without_the_later_layers_and_the_last_one_the_model(name):
    model, nothing = tiny_model(name), {i: nn.Identity() for i in range(LAYERS)}
    lens, logits = logit_lens(model, IDS), logits_of(model)
    assert lens.layers == tuple(range(LAYERS + 1))
    assert torch.equal(lens.loss[-1], loss_of(logits))
    assert torch.equal(lens.top[-1], logits.argmax(-1))
    assert_close(lens.entropy[-1], torch.distributions.Categorical(logits=logits).entropy())
    assert float(lens.loss[-1].mean()) == pytest.approx(cross_entropy(model, IDS), rel=1e-6)
    assert (lens.loss[:-1] - lens.loss[-1]).abs().amax(dim=(1, 2)).min() > 1e-3  # the other boundaries are others
    with replaced(model, nothing):
        assert_close(lens.loss[0], loss_of(logits_of(model)))
    for layer in range(1, LAYERS):
        with without(model, range(layer, LAYERS)):
            assert_close(lens.loss[layer], loss_of(logits_of(model)))


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox", "olmo2", "phi"])  # whose head is only a matrix
def test_without_the_norm_the_head_reads_the_bare_state(name):
    model = tiny_model(name)
    with torch.no_grad(), capture(model) as stream:
        model(IDS)
    head, norm = model.get_output_embeddings(), final_norm(model)
    bare, normed = logit_lens(model, IDS, norm=False), logit_lens(model, IDS)
    for boundary, state in enumerate(stream):
        with torch.no_grad():
            assert_close(bare.loss[boundary], loss_of(head(state)))
            assert_close(normed.loss[boundary], loss_of(head(norm(state))))
    assert not torch.allclose(bare.loss, normed.loss, atol=1e-2)


def test_soft_capping_projection_and_number_type_are_the_models_own():
    capped = tiny_model("gemma2", final_logit_softcapping=0.5)
    assert logit_lens(capped, IDS, norm=False).entropy.min() > torch.tensor(float(VOCABULARY)).log() - 0.5
    narrow = tiny_model("opt", word_embed_proj_dim=16, do_layer_norm_before=False)  # as opt-350m
    lens = logit_lens(narrow, IDS)
    assert torch.equal(lens.loss[-1], loss_of(logits_of(narrow)))
    assert torch.equal(lens.loss, logit_lens(narrow, IDS, norm=False).loss)  # it has no final norm
    half = tiny_model("llama").bfloat16()
    lens = logit_lens(half, IDS)
    assert lens.loss.dtype == torch.float32
    assert torch.equal(lens.loss[-1], loss_of(logits_of(half)))


@pytest.mark.parametrize("batch_size", [1, 2])
def test_batches_do_not_matter_and_chosen_boundaries_are_rows_of_the_whole(batch_size):
    model = tiny_model("mistral")
    some, whole = logit_lens(model, IDS, batch_size=batch_size, layers=[LAYERS, 0]), logit_lens(model, IDS)
    assert some.layers == (0, LAYERS)
    assert_close(some.loss, whole.loss[[0, LAYERS]])
    assert torch.equal(some.top, whole.top[[0, LAYERS]])


def test_logits_of_one_boundary_are_held_at_a_time(monkeypatch):
    model, alive, most, seen = tiny_model("gpt2"), [], [], []

    def watch(module, args, output):
        alive.append(weakref.ref(output))
        most.append(sum(reference() is not None for reference in alive))
        seen.append(len(output))

    model.lm_head.register_forward_hook(watch)
    logit_lens(model, IDS, batch_size=1)
    assert len(alive) == 3 * (LAYERS + 1)
    assert max(most) <= 2  # the one read last is let go when the next is there
    seen.clear()
    monkeypatch.setattr("casebook.tokens.lens.LOGITS_A_BATCH", 24 * VOCABULARY)
    logit_lens(model, IDS)
    assert seen == [2] * (LAYERS + 1) + [1] * (LAYERS + 1)


def test_the_model_is_whole_again_after_an_error(monkeypatch):
    model = tiny_model("gemma3_text").train()
    model(IDS, output_hidden_states=True)  # the library leaves hooks of its own
    before = whole_state(model)

    def breaks(*arguments):
        assert whole_state(model)[0] is not before[0]
        raise KeyError("mine")

    with monkeypatch.context() as patch:
        patch.setattr(model.lm_head, "forward", breaks)
        for norm in (True, False):
            with pytest.raises(KeyError, match="mine"):
                logit_lens(model, IDS, norm=norm)
            assert whole_state(model) == before


@pytest.mark.parametrize(("name", "does"), [("bert", "fills gaps"), ("t5", "reads with an encoder")])
def test_models_that_do_not_predict_the_next_token_are_refused(name, does):
    with pytest.raises(ValueError, match=f"a '{name}' model {does}.*needs a causal one"):
        logit_lens(tiny_model(name), IDS)


def test_what_has_no_head_no_such_boundary_and_no_token_to_predict_is_refused():
    model = tiny_model("gpt2")
    for headless in (model.base_model, GPT2ForSequenceClassification(model.config)):
        with pytest.raises(ValueError, match=rf"this {type(headless).__name__} has no language-model head"):
            logit_lens(headless, IDS)
    for layer in (-1, LAYERS + 1):
        with pytest.raises(IndexError, match=f"no boundary {layer}: the model has boundaries 0 to {LAYERS}"):
            logit_lens(model, IDS, layers=[layer])
    with pytest.raises(IndexError, match="no boundary is left"):
        logit_lens(model, IDS, layers=[])
    with pytest.raises(ValueError, match="blocks of 1 token hold none to predict"):
        logit_lens(model, IDS[:, :1])
