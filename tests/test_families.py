"""Where the parts of every family are: the streams around attention and MLP obey the family's own arithmetic."""

import pytest
import torch
from tiny_models import EVERY_STACK, LAYERS, hooks, run, tiny_ids, tiny_model
from torch.testing import assert_close

from linstudy.models import BLOCKS, blocks, capture, capture_part, final_norm

WITH_PARTS = [(name, stack) for name, stack in EVERY_STACK if name != "mamba"]
PARALLEL = {"falcon", "falcon new", "gpt_neox", "gptj", "phi", "stablelm parallel"}


def pre_norm(norm):
    return lambda b, s: s + b.mlp(getattr(b, norm)(s))


def two_layers(b, s):
    return s + b.fc2(b.activation_fn(b.fc1(s)))


# What the MLP makes of the stream it reads, written out from each family's own modules: attention makes the rest.
MLP = {
    "bart": lambda b, s: b.final_layer_norm(two_layers(b, s)),
    "bert": lambda b, s: b.output(b.intermediate(s), s),
    "bloom": lambda b, s: b.mlp(b.post_attention_layernorm(s), s),
    "falcon": pre_norm("input_layernorm"),
    "falcon new": pre_norm("ln_mlp"),
    "gemma2": lambda b, s: s + b.post_feedforward_layernorm(b.mlp(b.pre_feedforward_layernorm(s))),
    "gpt2": pre_norm("ln_2"),
    "gptj": pre_norm("ln_1"),
    "olmo2": lambda b, s: s + b.post_feedforward_layernorm(b.mlp(s)),
    "opt": lambda b, s: s + two_layers(b, b.final_layer_norm(s)) - b.final_layer_norm(s),
    "opt postnorm": lambda b, s: b.final_layer_norm(two_layers(b, s)),
    "phi": pre_norm("input_layernorm"),
    "stablelm parallel": pre_norm("input_layernorm"),
    "t5": lambda b, s: b.layer[-1](s),
}
MLP |= {"gemma3_text": MLP["gemma2"], "gpt_neo": MLP["gpt2"], "roberta": MLP["bert"]}


def parts(model, stack):
    with (
        torch.no_grad(),
        capture_part(model, "attention", stack=stack) as attention,
        capture_part(model, "mlp", stack=stack) as mlp,
        capture_part(model, "block", stack=stack) as block,
    ):
        run(model, tiny_ids())
    return zip(blocks(model, stack=stack), attention, mlp, block, strict=True)


@pytest.mark.parametrize(("name", "stack"), EVERY_STACK)
def test_blocks_are_found_with_and_without_a_head(name, stack):
    model = tiny_model(name)
    assert len(blocks(model, stack=stack)) == LAYERS
    assert blocks(model.base_model, stack=stack) is blocks(model, stack=stack)
    assert final_norm(model.base_model, stack=stack) is final_norm(model, stack=stack)
    assert (final_norm(model, stack=stack) is None) == (name in ("bart", "bert", "opt postnorm", "roberta"))


@pytest.mark.parametrize(("name", "stack"), WITH_PARTS)
def test_the_two_parts_make_up_the_block_and_the_mlp_maps_its_x_to_its_y(name, stack):
    mlp_of = MLP.get(name, pre_norm("post_attention_layernorm"))
    for part, attention, mlp, block in parts(tiny_model(name), stack):
        assert attention[0] is block[0]
        assert not torch.allclose(attention[1], attention[0], atol=1e-2)
        assert not torch.allclose(mlp[1], mlp[0], atol=1e-2)
        assert_close(mlp[1], mlp_of(part, mlp[0]), rtol=1e-5, atol=1e-5)
        if name in PARALLEL:
            assert mlp[0] is block[0]
            assert_close((attention[1] - attention[0]) + (mlp[1] - mlp[0]), block[1] - block[0], rtol=1e-5, atol=1e-5)
        else:
            assert torch.equal(mlp[0], attention[1])
            assert mlp[1] is block[1]


def test_mamba_has_blocks_only():
    model = tiny_model("mamba")
    message = "block 0 of this 'mamba' model, a MambaBlock, has no separate attention and MLP: use part=\"block\""
    for part in ("attention", "mlp"):
        with pytest.raises(ValueError, match=message), capture_part(model, part):
            pass
    with torch.no_grad(), capture(model) as stream, capture_part(model, "block") as pairs:
        model(tiny_ids())
    assert all(x is a and y is b for (x, y), a, b in zip(pairs, stream[:-1], stream[1:], strict=True))


def refusing(change):
    """The sentence that a model gets whose blocks are not found."""
    model = tiny_model("llama")
    change(model.model)
    with pytest.raises(ValueError, match=r"^where the blocks of a 'llama' model are is not known \(") as caught:
        blocks(model)
    return str(caught.value)


def test_blocks_that_prove_wrong_are_refused_with_what_was_found_and_can_be_named(monkeypatch):
    def forward(change):
        return lambda llama: setattr(llama.layers[1], "forward", change(llama.layers[1].forward))

    doubled = forward(lambda run: lambda x, **options: torch.stack([run(x, **options)] * 2)[0].repeat(2, 1, 1))
    assert "layers hold no stream of shape (batch, token, dim)" in refusing(doubled)
    between = refusing(lambda llama: llama.layers[1].register_forward_pre_hook(lambda block, args: (args[0] + 1,)))
    assert "what leaves layers.0 is not what enters layers.1" in between
    shared = refusing(lambda llama: setattr(llama.layers[0], "forward", llama.layers[1].__call__))
    assert "the 3 modules of layers do not run once each and in order" in shared
    longer = refusing(lambda llama: setattr(llama.config, "num_hidden_layers", 7))
    assert "no list of modules is as long as its config says there are layers): if it has a list" in longer
    assert 'linstudy.models.BLOCKS["llama"] = "name under model.base_model"' in longer
    model = tiny_model("llama")
    model.config.num_hidden_layers = 7
    monkeypatch.setitem(BLOCKS, "llama", "layers")
    assert len(blocks(model)) == LAYERS


def test_the_proof_leaves_a_model_as_it_was():
    model = tiny_model("gpt2", resid_pdrop=0.5).train()
    before, weights = torch.get_rng_state(), [w.clone() for w in model.parameters()]
    blocks(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(module.training for module in model.modules())
    assert all(map(torch.equal, weights, model.parameters()))
    assert all(w.grad is None for w in model.parameters())
    assert not hooks(model)


@pytest.mark.parametrize(
    ("name", "stack", "message"),
    [
        ("t5", None, "stack=None does not say .* 't5' .* give stack='encoder' or stack='decoder'"),
        ("bart", "middle", "stack='middle' does not say .* give stack='encoder' or stack='decoder'"),
        ("gpt2", "decoder", "stack='decoder' does not say .* 'gpt2' .* leave stack out"),
    ],
)
def test_a_stack_that_is_not_there_is_an_error(name, stack, message):
    with pytest.raises(ValueError, match=message):
        blocks(tiny_model(name), stack=stack)
