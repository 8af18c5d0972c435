"""A planted spike is where it was put, in the layers between, and nowhere after the model is let go."""

import pytest
import torch

from casebook.models import planted
from linstudy.models import blocks, capture, small_model


@pytest.mark.parametrize("name", ["gpt2", "llama", "bloom"])  # blocks that return a tuple, and the bare stream
def test_a_spike_lives_from_the_layer_that_makes_it_to_the_one_that_takes_it_away(name):
    model = small_model(name)
    ids = torch.randint(3, 60, (2, 8), generator=torch.Generator().manual_seed(0))

    def streams():
        with torch.no_grad(), capture(model) as stream:
            model(ids)
        return [state.clone() for state in stream]

    plain = streams()
    with planted(model, 1e4, first=1, last=3, dimension=5, position=2):
        with_spike = streams()
    moved = [(one - other)[:, :, 5].abs() for one, other in zip(with_spike, plain, strict=True)]
    assert moved[0].max() == 0
    for state in moved[1:3]:
        assert (state[:, 2] > 9e3).all()
        assert state[:, [0, 1, 3, 4, 5, 6, 7]].max() < 100
    assert moved[3].max() < 100
    assert all(torch.equal(one, other) for one, other in zip(streams(), plain, strict=True))
    assert not any(block._forward_hooks for block in blocks(model))
    with (
        pytest.raises(ValueError, match="from layer 2 to layer 2 does not fit 1 <= first < last <= 3"),
        planted(model, 1.0, first=2, last=2),
    ):
        pass
