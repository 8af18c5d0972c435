"""Two processes on the CPU train and measure what one does. Run: pytest tests/test_distributed.py."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import tiny_ids, tiny_model

from linstudy import Recipe, pretrain
from linstudy.measure import joint_moments, scores
from linstudy.train import Penalty, Scaling

WORLD = 2
TEXT, HELD_OUT = tiny_ids(batch=40, length=12), tiny_ids(batch=11, length=12, seed=1)
PLAIN = Recipe(steps=12, batch=8, peak_rate=3e-3, warmup=2, log_every=4, validate_every=4, checkpoint_every=4)
RUNS = {
    "plain": PLAIN,
    "penalty in parts": Recipe(**vars(PLAIN) | {"penalty": Penalty("mse", 0.05, tokens="sum"), "accumulation": 2}),
    "scaled": Recipe(**vars(PLAIN) | {"scaling": Scaling("norms"), "penalty": Penalty("cosine", 0.5)}),
    "another order": Recipe(**vars(PLAIN) | {"seed": 1}),
}


def train(name, folder=None):
    model = tiny_model("mistral")
    rows = list(pretrain(model, TEXT, RUNS[name], folder=folder, validation=HELD_OUT))
    return rows, {key: tensor.detach() for key, tensor in model.named_parameters()}


def measure(texts):
    return joint_moments(tiny_model("mistral"), texts, batch_size=4)


def _one_process(rank, port, folder):
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": WORLD, "LOCAL_WORLD_SIZE": WORLD}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), OMP_NUM_THREADS="1", ACCELERATE_USE_CPU="true")
    for name in RUNS:
        rows, weights = train(name, f"{folder}/{name}")
        with open(f"{folder}/{name}-{rank}.json", "w") as file:
            json.dump(rows, file)
        save_file(weights, f"{folder}/{name}-{rank}.safetensors")
    with pytest.raises(ValueError, match="a batch of 7 does not divide into 1 parts for each of 2 processes"):
        next(pretrain(tiny_model("mistral"), TEXT, Recipe(batch=7)))
    for layer, moments in measure(TEXT[rank::WORLD]).items():
        with open(f"{folder}/layer-{layer}-{rank}.json", "w") as file:
            json.dump(scores(moments.all_reduce()), file)
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Run the two processes, once for all tests, and return the folder they wrote to."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_one_process, (port, str(folder)), nprocs=WORLD)
    return folder


def difference(rows, others, column):
    pairs = [(row[column], other[column]) for row, other in zip(rows, others, strict=True)]
    return max(abs(a - b) / max(abs(a), 1e-9) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_two_processes_have_the_losses_of_one_and_end_with_the_same_bits_and_one_checkpoint(both, name):
    rows, weights = train(name)
    ends = [load_file(both / f"{name}-{rank}.safetensors") for rank in range(WORLD)]
    for rank, end in enumerate(ends):
        theirs = json.loads((both / f"{name}-{rank}.json").read_text())
        for column in ("step", "tokens", "training_nats", "penalty", "validation_nats", "gradient_norm"):
            assert difference(rows, theirs, column) < 1e-4, column
        torch.testing.assert_close(end, weights, rtol=1e-3, atol=1e-4)
        assert all(torch.equal(ends[0][key], end[key]) for key in end)
    if name == "another order":  # the control: the comparison sees another order of the same blocks
        assert difference(train("plain")[0], theirs, "training_nats") > 1e-3
    files = sorted(path.name for path in (both / name).iterdir())
    assert files == ["step-00000008.safetensors", "step-00000012.safetensors"]


@pytest.mark.slow
def test_one_process_goes_on_from_the_checkpoint_of_two(both):
    model = tiny_model("mistral", seed=1)
    (both / "plain" / "step-00000012.safetensors").rename(both / "later")
    try:
        (row,) = pretrain(model, TEXT, RUNS["plain"], folder=both / "plain", validation=HELD_OUT)
    finally:
        (both / "later").rename(both / "plain" / "step-00000012.safetensors")
    last = json.loads((both / "plain-0.json").read_text())[-1]
    assert row["validation_nats"] == pytest.approx(last["validation_nats"], rel=1e-4)


@pytest.mark.slow
def test_the_command_ends_well_in_both_processes_and_the_first_one_writes(tmp_path):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(WORLD)]
    verb = ["-m", "linstudy", "pretrain", "--preset", "nano", "--steps", "2", "--out", str(tmp_path / "made")]
    done = subprocess.run([*launch, *verb], capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("model: ") == 1
    made = json.loads((tmp_path / "made" / "provenance.json").read_text())
    assert (made["processes"], made["steps"]) == (WORLD, 2)
    assert made["command"].startswith("linstudy pretrain --preset nano")


@pytest.mark.slow
def test_moments_over_both_processes_are_those_of_one(both):
    for layer, moments in measure(TEXT).items():
        want = scores(moments)
        half = scores(measure(TEXT[::WORLD])[layer])
        assert half["linearity"] != pytest.approx(want["linearity"], rel=1e-6)  # the control: a share is not the whole
        for rank in range(WORLD):
            got = json.loads((both / f"layer-{layer}-{rank}.json").read_text())
            for name, value in want.items():
                assert got[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
