"""The penalties: their values, their gradients, what each option means."""

from itertools import pairwise

import pytest
import torch
from tiny_models import tiny_ids, tiny_model
from torch import nn

from linstudy import capture, pretrain
from linstudy.models import final_norm
from linstudy.train import Penalty, Recipe, from_word, neighbour_penalty
from linstudy.train.penalties import NeighbourCosines

BATCH, TOKENS, DIM, DEPTH = 2, 5, 8, 4  # five states: the embeddings' and four blocks'


def stream(seed=0, scale=1.0):
    draw = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(BATCH, TOKENS, DIM, generator=draw, dtype=torch.float64) for _ in range(DEPTH + 1)]


def value(*arguments, **options):
    return neighbour_penalty(*arguments, **options).item()


def by_hand(states, kind):
    """Return the distance of neighbours, a row a pair, a column a token: one token at a time."""
    rows = []
    for x, y in pairwise(states):
        tokens = zip(x.flatten(0, 1), y.flatten(0, 1), strict=True)
        if kind == "cosine":
            rows.append([1 - float(a @ b / (a @ a).sqrt() / (b @ b).sqrt()) for a, b in tokens])
        else:
            rows.append([float((b - a) @ (b - a)) for a, b in tokens])
    return torch.tensor(rows)


@pytest.mark.parametrize(
    ("options", "kept", "share"),
    [
        ({}, slice(0, None), 1),  # the mean over tokens, summed over pairs from the embeddings to the last output
        ({"tokens": "sum"}, slice(0, None), BATCH * TOKENS),
        ({"layers": "mean"}, slice(0, None), 1 / 4),
        ({"embeddings": False}, slice(1, None), 1),
        ({"last": "out"}, slice(0, -1), 1),
        ({"embeddings": False, "last": "out", "layers": "mean", "tokens": "sum"}, slice(1, -1), 10 / 2),
    ],
)
@pytest.mark.parametrize("kind", ["cosine", "mse"])
def test_what_is_summed_and_over_what_is_an_option(kind, options, kept, share):
    distances = by_hand(stream()[kept], kind)
    got = value(stream(), Penalty(kind, 2.0, **options))
    assert got == pytest.approx(2.0 * share * float(distances.mean(dim=1).sum()), rel=1e-5)


def test_mse_over_features_is_a_sum_or_a_mean_and_a_detached_neighbour_a_target():
    whole, mean = (value(stream(), Penalty("mse", 1.0, features=how)) for how in ("sum", "mean"))
    assert mean == pytest.approx(whole / DIM, rel=1e-6)
    states = [state.requires_grad_() for state in stream()[:3]]
    neighbour_penalty(states, Penalty("mse", 1.0, detached=True)).backward()
    assert states[0].grad is None
    torch.testing.assert_close(states[1].grad, 2 * (states[1] - states[0]).detach() / (BATCH * TOKENS))


def test_the_last_state_may_be_the_normed_one():
    states, norm = stream(), nn.RMSNorm(DIM, dtype=torch.float64)
    got = value(states, Penalty("mse", 1.0, last="normed"), final_norm=norm)
    assert got == pytest.approx(value([*states[:-1], norm(states[-1])], Penalty("mse", 1.0)))
    assert got != pytest.approx(value(states, Penalty("mse", 1.0)), rel=1e-3)


def test_a_state_of_zeros_has_a_value_and_a_gradient():
    states = [torch.zeros(1, 2, 3, requires_grad=True), torch.ones(1, 2, 3, requires_grad=True), torch.ones(1, 2, 3)]
    cost = neighbour_penalty(states, Penalty("cosine", 1.0))
    cost.backward()
    assert cost.item() == 1.0
    assert all(state.grad.isfinite().all() for state in states[:2])


@pytest.mark.parametrize("detached", [False, True])
def test_the_gradient_of_cosine_is_that_of_finite_differences(detached):
    states = [state.requires_grad_() for state in stream()[:-1]]

    def cosines(*given):
        return NeighbourCosines.apply(False, *given)

    assert torch.autograd.gradcheck(cosines, states)
    shares = torch.rand(3, BATCH, TOKENS, dtype=torch.float64)
    found = torch.autograd.grad((NeighbourCosines.apply(detached, *states) * shares).sum(), states, allow_unused=True)
    pairs = [(x.detach() if detached else x, y) for x, y in pairwise(states)]
    by_rule = sum(
        (torch.cosine_similarity(x, y, dim=-1) * share).sum() for (x, y), share in zip(pairs, shares, strict=True)
    )
    wanted = torch.autograd.grad(by_rule, states, allow_unused=True)
    assert [one is None for one in found] == [one is None for one in wanted] == [detached, False, False, False]
    for one, other in zip(found, wanted, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other)


def train(penalty, *, steps=30, **options):
    model = tiny_model("mistral")
    blocks = tiny_ids(batch=32, length=12)
    config = Recipe(steps=steps, batch=8, peak_rate=3e-3, warmup=3, log_every=10, penalty=penalty, **options)
    return model, list(pretrain(model, blocks, config))


def cosine_of_neighbours(model):
    with torch.no_grad(), capture(model) as states:
        model(tiny_ids(batch=8, length=12))
    pairs = pairwise(states)
    return torch.stack([torch.cosine_similarity(x, y, dim=-1) for x, y in pairs]).mean().item()


def test_a_penalty_pulls_neighbours_together_and_one_of_weight_zero_does_nothing():
    plain, rows = train(None)
    assert [row["penalty"] for row in rows] == [0, 0, 0]
    pulled, with_penalty = train(Penalty("cosine", 2.0))
    assert cosine_of_neighbours(pulled) > cosine_of_neighbours(plain) + 0.05
    penalties = [row["penalty"] for row in with_penalty]
    assert penalties == sorted(penalties, reverse=True)
    assert penalties[0] > 0.5
    assert all(map(torch.equal, plain.parameters(), train(Penalty("cosine", 0.0))[0].parameters()))


def test_the_first_row_is_the_loss_and_the_penalty_of_the_first_weights():
    model, ids = tiny_model("mistral"), tiny_ids(batch=8, length=12)
    config = Recipe(steps=1, batch=8, warmup=0, log_every=1, penalty=Penalty("mse", 0.5, last="normed"))
    with torch.no_grad(), capture(model) as states:
        loss = model(ids, labels=ids).loss
        want = neighbour_penalty(states, config.penalty, final_norm=final_norm(model))
    (row,) = pretrain(model, ids, config)
    assert row["training_nats"] == pytest.approx(float(loss), rel=1e-5)
    assert row["penalty"] == pytest.approx(float(want), rel=1e-5)


@pytest.mark.parametrize("tokens", ["mean", "sum"])
def test_a_step_in_parts_is_the_whole_step(tokens):
    penalty = Penalty("mse", 0.01 if tokens == "sum" else 0.5, tokens=tokens)
    (whole, one), (parts, four) = (train(penalty, steps=3, accumulation=parts) for parts in (1, 4))
    for a, b in zip(one, four, strict=True):
        for column in ("training_nats", "penalty", "gradient_norm"):
            assert a[column] == pytest.approx(b[column], rel=1e-4)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    assert one[0]["penalty"] > 0.01


def test_a_stream_too_short_and_a_missing_norm_are_refused():
    with pytest.raises(ValueError, match=r"of 2 only 1 count: take the embeddings or the last block's output in"):
        neighbour_penalty(stream()[:2], Penalty("cosine", 0.5, last="out"))
    with pytest.raises(ValueError, match="there is no final norm: take last='stream'"):
        neighbour_penalty(stream(), Penalty("cosine", 0.5, last="normed"))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("cosine=-1", "a penalty's weight is -1.0; it must be 0 or above"),
        ("cosine=nan", "a penalty's weight is nan"),
        ("cosine=1,tokens=all", "a penalty's tokens is 'all'; it must be mean or sum"),
        ("cosine=1,last=in", "a penalty's last is 'in'; it must be out or stream or normed"),
        ("cosine=much", "'cosine=much': 'much' should be a number"),
        ("mse=1,detached=maybe", "'maybe' should be yes or no"),
        ("mse=1,lambda=2", r"'lambda=2' sets nothing; write kind=weight and, after commas, NAME=VALUE .*tokens"),
        ("l2=1", "kind is 'l2'; it must be cosine or mse"),
        ("cosine", "'cosine' has no weight"),
    ],
)
def test_a_penalty_can_be_written_as_a_word_and_other_words_are_refused(word, message):
    written = Penalty("mse", 2.0, features="mean", embeddings=False)
    assert from_word(Penalty, "mse=2,features=mean,embeddings=no") == written
    with pytest.raises(ValueError, match=message):
        from_word(Penalty, word)
