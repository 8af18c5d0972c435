"""Every causal architecture of the installed transformers: what is captured is the model's own, and scored rightly."""

import pandas as pd
import pytest
import torch
from conftest import script
from reference import reference

from linstudy import capture, linearity_profile
from linstudy.models import blocks, parts_of

architectures = script("tools/architectures.py")

TABLE = pd.read_csv(architectures.TABLE, keep_default_na=False).set_index("model_type")
WORK = [kind for kind in TABLE.index[TABLE["works"] == "yes"] if kind in architectures.CLASSES]
# Blocks that answer with a list, in a stream wider than hidden_size, of attention and state-space layers in turn.
QUICK = ("openai-gpt", "qwen4_exp_text", "jamba", "deepseek_v3", "cohere2")
LATE = ("falcon_mamba", "mamba", "mamba2", "rwkv")  # whose hidden states begin behind the first block


@pytest.mark.parametrize("kind", [pytest.param(k, marks=() if k in QUICK else pytest.mark.slow) for k in WORK])
def test_the_stream_is_the_models_own_and_its_score_that_of_an_svd(kind):
    model, ids, seen = architectures.small_model(kind), architectures.text(), []
    if TABLE["transformers"][kind] != architectures.transformers.__version__ and not runs(model, ids):
        pytest.skip("another transformers than that of the list cannot run its own model here")

    def note(block, args, kwargs, output):
        x = args[0] if args else kwargs["hidden_states"]
        seen.append((x, output[0] if isinstance(output, tuple | list) else output))

    hooks = [block.register_forward_hook(note, with_kwargs=True) for block in blocks(model)]
    with torch.no_grad(), capture(model) as stream:
        hidden = model(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states
    for hook in hooks:
        hook.remove()
    assert len(stream) == len(seen) + 1 > 2
    assert all(torch.equal(x, before) for before, (x, _) in zip(stream, seen, strict=False))
    assert all(torch.equal(y, after) for after, (_, y) in zip(stream[1:], seen, strict=True))
    known = stream[1:-1] if kind in LATE else stream[:-1]
    assert any(all(map(torch.equal, known, hidden[start:])) for start in range(len(hidden) - len(known) + 1))
    assert not any(map(torch.equal, stream[:-1], stream[1:]))  # control
    assert TABLE["parts"][kind] == ", ".join(parts_of(model))
    profile = linearity_profile(model, ids)
    for score, (x, y) in zip(profile["linearity_raw"], seen, strict=True):
        want = reference(x.flatten(0, 1), y.flatten(0, 1))["linearity_raw"]
        assert score == pytest.approx(float(want), abs=1e-6)


@torch.no_grad()
def runs(model, ids):
    """Say whether the model by itself runs on this machine: Jamba of transformers 5.0 wants kernels of a GPU."""
    try:
        model(input_ids=ids, use_cache=False)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("kind", ["xlm", "xlnet", "hy_v4", "cpmant", pytest.param("all", marks=pytest.mark.slow)])
def test_the_list_in_the_book_says_what_happens(kind):
    # Of those that work the test above says so.
    kinds = (
        [kind] if kind != "all" else [one for one in TABLE.index if one in architectures.CLASSES and one not in WORK]
    )
    if (TABLE["transformers"] != architectures.transformers.__version__).any():
        pytest.skip("the list was made with another version of transformers: tools/architectures.py --write")
    said = TABLE.drop(columns="transformers").loc[kinds].reset_index().to_dict("records")
    assert said == [architectures.outcome(one) for one in kinds]
    if kind == "all":
        assert list(TABLE.index) == list(architectures.CLASSES)
