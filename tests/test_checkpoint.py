"""Checkpoints: whole or absent, and a resumed run ends at the same bits. Run: pytest tests/test_checkpoint.py."""

import multiprocessing
import pickle
import random
import signal
import time
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from test_descent import same_bits, small_model
from test_files import small_disk

from linstudy.train import Recipe, latest_checkpoint, load_snapshot, pretrain, snapshots_in

CONFIG = Recipe(steps=40, batch=4, peak_rate=1e-2, warmup=5, log_every=2, validate_every=10, checkpoint_every=4)
BLOCKS = torch.randint(24, (30, 16), generator=torch.Generator().manual_seed(0))  # 7 steps an epoch


def weights_after(folder=None, config=CONFIG):
    model = small_model()
    for _ in pretrain(model, BLOCKS, config, folder=folder):
        pass
    return model.state_dict()


@cache
def uninterrupted():
    """The weights of a run that nothing stopped, and that kept nothing."""
    return weights_after()


def stop_at(folder, step):
    """Train to a step, walk away, and return the checkpoint that is left."""
    rows = pretrain(small_model(), BLOCKS, CONFIG, folder=folder)
    while next(rows)["step"] < step:
        pass
    return latest_checkpoint(folder)


def test_a_resumed_run_ends_at_the_same_bits_and_has_nothing_more_to_do(tmp_path):
    assert stop_at(tmp_path, 22).name == "step-00000020.safetensors"
    model = small_model()
    first, *_ = pretrain(model, BLOCKS, CONFIG, folder=tmp_path)
    assert first["step"] == 22
    assert same_bits(model.state_dict(), uninterrupted())
    again = small_model()
    assert list(pretrain(again, BLOCKS, CONFIG, folder=tmp_path)) == []
    assert same_bits(again.state_dict(), model.state_dict())


def test_a_part_of_the_state_lost_is_seen_in_the_bits(tmp_path):
    """The control of the comparison: a checkpoint whose first moments are 0."""
    path = stop_at(tmp_path, 22)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = {name: tensor * (not name.endswith("exp_avg")) for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata=metadata)
    assert not same_bits(weights_after(tmp_path), uninterrupted())


LONG = replace(CONFIG, steps=160, snapshots=True)


def train_long(folder, told):
    """Train in a process of its own and tell of every row."""
    for row in pretrain(small_model(), BLOCKS, LONG, folder=folder):
        told.send(row["step"])


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_at_the_same_bits(tmp_path):
    fresh = multiprocessing.get_context("forkserver")
    fresh.set_forkserver_preload(["linstudy.train"])  # or every process would import it
    moments, killed, left = random.Random(0), 0, set()
    while True:
        ours, theirs = fresh.Pipe(duplex=False)
        run = fresh.Process(target=train_long, args=(tmp_path / "run", theirs))
        run.start()
        theirs.close()
        with ours, suppress(EOFError):  # it had come to its end
            for _ in range(moments.randrange(1, 25)):  # rows: of 2 steps each, later on
                ours.recv()
            time.sleep(moments.uniform(0, 0.02))  # a step or a save takes some milliseconds
            run.kill()
        run.join()
        if run.exitcode == 0:
            break
        killed += run.exitcode == -signal.SIGKILL
        for path in (tmp_path / "run").glob("*.safetensors"):  # whole, whatever it was doing
            assert load_file(path)
            left.add(path.name)
    assert killed >= 3
    assert len(left) > 3
    final = weights_after(tmp_path / "run", LONG)
    assert same_bits(final, weights_after(tmp_path / "never killed", LONG))
    assert not same_bits(final, weights_after(config=replace(LONG, seed=1)))  # the control of the comparison
    for path in (tmp_path / "never killed").iterdir():
        assert same_bits(load_file(path), load_file(tmp_path / "run" / path.name))


def test_the_last_two_are_kept_and_what_a_killed_save_left_is_cleared(tmp_path):
    for name in (".step-4.safetensors.0123abcd.unfinished", ".snapshot-4.safetensors.89abcdef.unfinished"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_bytes(b"half")
    weights_after(tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["step-00000036", "step-00000040"]


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_cut_off_checkpoint_is_refused(tmp_path, keep):
    path = stop_at(tmp_path, 6)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"step-00000004\.safetensors cannot be read .*delete it to resume from"):
        weights_after(tmp_path)


def test_pickles_and_other_files_are_refused(tmp_path):
    path = tmp_path / "step-00000004.safetensors"
    path.write_bytes(pickle.dumps({"step": 4}))
    with pytest.raises(ValueError, match="cannot be read"):
        weights_after(tmp_path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="is not a checkpoint of a training run"):
        weights_after(tmp_path)


def test_another_recipe_text_and_model_are_refused_by_name(tmp_path):
    stop_at(tmp_path, 6)
    wide = small_model(width=32)
    before = {name: tensor.clone() for name, tensor in wide.state_dict().items()}
    for model, blocks, recipe, message in (
        (small_model(), BLOCKS, replace(CONFIG, seed=7), "made with seed 0, not 7"),
        (
            small_model(),
            BLOCKS,
            replace(CONFIG, betas=(0.9, 0.99)),
            r"made with betas \[0.9, 0.95\], not \[0.9, 0.99\]",
        ),
        (small_model(), (BLOCKS + 1) % 24, CONFIG, r"made with blocks [0-9a-f]{16}, not [0-9a-f]{16}"),
        (wide, BLOCKS, CONFIG, r"is of another model: model\..* is \(.*\) there and \(.*\) here"),
    ):
        with pytest.raises(ValueError, match=message):
            next(pretrain(model, blocks, recipe, folder=tmp_path))
    assert same_bits(wide.state_dict(), before)


def test_a_disk_that_fills_up_leaves_the_checkpoint_before_it(tmp_path):
    before = stop_at(tmp_path, 6)
    content = before.read_bytes()
    told = r"could not write .*step-00000008.*\(.*(large|space).*what was there is untouched; make room, .*run the same"
    with small_disk(len(content) // 2), pytest.raises(OSError, match=told):
        weights_after(tmp_path)
    assert list(tmp_path.iterdir()) == [before]
    assert before.read_bytes() == content
    assert same_bits(weights_after(tmp_path), uninterrupted())


# snapshots


def test_snapshots_are_the_weights_of_their_steps_and_do_not_change_the_run(tmp_path):
    model, seen = small_model(), {}
    rows = pretrain(model, BLOCKS, replace(CONFIG, snapshots=True), folder=tmp_path, validation=BLOCKS[:4])
    for row in rows:
        if row["step"] in (0, 1, 2, 4, 8, 16, 32, 40):
            assert row["validation_nats"] is not None
            seen[row["step"]] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert snapshots_in(tmp_path) == [0, 1, 2, 4, 8, 16, 32, 40] == sorted(seen)
    assert same_bits(seen[0], small_model().state_dict())
    for step, weights in seen.items():
        other = small_model()
        load_snapshot(tmp_path, step, other)
        assert same_bits(other.state_dict(), weights)
    assert not same_bits(seen[1], seen[2])
    assert same_bits(seen[40], uninterrupted())


def test_snapshots_that_are_not_there_or_do_not_fit_are_refused(tmp_path):
    weights_after(tmp_path, replace(CONFIG, snapshots=(0, 3)))
    with pytest.raises(FileNotFoundError, match=r"has no snapshot of step 5; the steps there are: 0, 3"):
        load_snapshot(tmp_path, 5, small_model())
    with pytest.raises(FileNotFoundError, match="the steps there are: none"):
        load_snapshot(tmp_path / "elsewhere", 5, small_model())
    with pytest.raises(ValueError, match=r" is of another model: .* there and \(24, 32\) here"):
        load_snapshot(tmp_path, 3, small_model(width=32))
    path = tmp_path / "snapshot-00000003.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"snapshot-00000003\.safetensors cannot be read .*delete it and train again"):
        load_snapshot(tmp_path, 3, small_model())
