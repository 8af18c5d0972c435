"""The controls: scaled branches and norms end as ordinary models. Run: pytest tests/test_controls.py."""

import pytest
import torch
from tiny_models import hooks, tiny_ids, tiny_model
from transformers import AutoModelForCausalLM

from linstudy import capture, pretrain
from linstudy.models import blocks
from linstudy.train import Recipe, Scaling, fold, from_word, load_snapshot, scaled

TEXT = tiny_ids(batch=16, length=12)
SCALINGS = [Scaling("branches", 0.3), Scaling("norms")]
SHORT = Recipe(steps=20, batch=8, peak_rate=3e-3, warmup=2, log_every=10, validate_every=10, checkpoint_every=10)


def logits(model):
    with torch.no_grad():
        return model(tiny_ids()).logits


def first_update(model):
    with torch.no_grad(), capture(model) as states:
        model(tiny_ids())
    return states[1] - states[0]


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "llama", "opt", "phi", "qwen3"])
@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_a_folded_model_computes_what_the_scaled_one_did(family, scaling):
    model = tiny_model(family)
    plain = logits(model)
    with scaled(model, scaling):
        inside = logits(model)
    torch.testing.assert_close(logits(model), inside, rtol=1e-4, atol=1e-5)
    assert (inside - plain).abs().max() > 1e-2  # the control: the scaling does something
    assert not hooks(model)


def test_branches_are_smaller_by_the_factor_and_norms_by_the_root_of_the_layer():
    """Without its MLP a block's update is that of attention, which the factor multiplies alone."""
    model, whole = tiny_model("mistral"), tiny_model("mistral")
    with torch.no_grad():
        for block in blocks(model):
            for parameter in block.mlp.parameters():
                parameter.zero_()
    alone = first_update(model)
    fold(model, Scaling("branches", 0.25, power=0.0))
    torch.testing.assert_close(first_update(model), 0.25 * alone)
    model = tiny_model("mistral")
    fold(model, Scaling("norms"))
    for layer, (block, same) in enumerate(zip(blocks(model), blocks(whole), strict=True), start=1):
        for name, weight in same.named_parameters():
            factor = layer**-0.5 if "layernorm" in name else 1.0
            torch.testing.assert_close(block.get_parameter(name), weight * factor)
    torch.testing.assert_close(model.model.norm.weight, whole.model.norm.weight)  # the final norm reads for the head


def test_training_under_a_scaling_is_not_training_the_folded_model():
    """Folded first, the smaller weights would get AdamW's full steps: that is another experiment."""
    config = Recipe(**vars(SHORT) | {"scaling": Scaling("branches", 0.1, power=0.0)})
    inside, before = tiny_model("mistral"), tiny_model("mistral")
    list(pretrain(inside, TEXT, config))
    fold(before, config.scaling)
    list(pretrain(before, TEXT, SHORT))
    sizes = [blocks(model)[0].mlp.down_proj.weight.std().item() for model in (inside, before)]
    assert sizes[1] > 1.05 * sizes[0]


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_a_trained_model_is_an_ordinary_folder(tmp_path, scaling):
    model = tiny_model("gpt2")
    config = Recipe(**vars(SHORT) | {"scaling": scaling, "snapshots": True})
    *_, last = pretrain(model, TEXT, config, folder=tmp_path / "run", validation=TEXT)
    model.save_pretrained(tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    torch.testing.assert_close(logits(loaded), logits(model))
    assert loaded(TEXT, labels=TEXT).loss.item() == pytest.approx(last["validation_nats"], rel=1e-4)
    kept = tiny_model("gpt2", seed=1)
    load_snapshot(tmp_path / "run", SHORT.steps, kept)  # folded as well
    torch.testing.assert_close(logits(kept), logits(model))


def test_a_run_that_is_left_early_leaves_the_model_as_it_computed():
    model = tiny_model("mistral")
    rows = pretrain(model, TEXT, Recipe(**vars(SHORT) | {"scaling": Scaling("branches", 0.3)}))
    next(rows)
    model.eval()
    inside = logits(model)
    rows.close()
    torch.testing.assert_close(logits(model), inside, rtol=1e-4, atol=1e-5)
    assert not hooks(model)


def test_a_resumed_scaled_run_ends_at_the_same_bits(tmp_path):
    config = Recipe(**vars(SHORT) | {"scaling": Scaling("norms")})
    whole, resumed = tiny_model("mistral"), tiny_model("mistral")
    list(pretrain(whole, TEXT, config))
    rows = pretrain(tiny_model("mistral"), TEXT, config, folder=tmp_path)
    next(rows), next(rows)
    rows.close()
    list(pretrain(resumed, TEXT, config, folder=tmp_path))
    assert all(map(torch.equal, whole.parameters(), resumed.parameters()))


def test_scalings_that_mean_nothing_are_refused_and_others_can_be_written_as_a_word():
    with pytest.raises(ValueError, match="a scaling's where is 'layers'; it must be branches, norms or rates"):
        Scaling("layers")
    with pytest.raises(ValueError, match=r"a scaling by 0.0 / layer\^0.5 is none: the constant must be above 0"):
        Scaling("norms", 0.0)
    message = "of layer 1, a GemmaDecoderLayer of a 'gemma' model, cannot be scaled by their weights"
    with pytest.raises(ValueError, match=f"the norms {message}"):
        fold(tiny_model("gemma"), Scaling("norms"))  # they multiply by 1 + weight
    fold(tiny_model("gemma"), Scaling("branches"))
    assert from_word(Scaling, "norms") == Scaling("norms")
    assert from_word(Scaling, "branches=0.3,power=0") == Scaling("branches", 0.3, power=0.0)


def test_slower_branches_move_by_their_share_and_the_rest_as_it_did():
    """One step of AdamW moves every weight by the rate, whatever its gradient: so the rates can be read off."""
    moved = []
    for scaling in (None, from_word(Scaling, "rates=0.25,power=0")):
        model, before = tiny_model("mistral"), tiny_model("mistral").state_dict()
        one = Recipe(steps=1, batch=4, peak_rate=1e-2, warmup=0, weight_decay=0.0, scaling=scaling)
        list(pretrain(model, TEXT[:4], one))
        moved.append({name: (w - before[name]).abs().max().item() for name, w in model.named_parameters()})
    inside = {name for name in moved[0] if "layers" in name and "norm" not in name}
    assert len(inside) == 7 * len(blocks(model))
    for name, whole in moved[0].items():
        assert moved[1][name] / whole == pytest.approx(0.25 if name in inside else 1.0, rel=1e-3), name
