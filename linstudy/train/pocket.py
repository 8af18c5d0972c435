"""The released command: from a text to a folder with a trained pocket model, its tokenizer and the table of its run."""

import csv
import json
import platform
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tqdm import tqdm
from transformers import MistralForCausalLM, PreTrainedTokenizerBase

from ..files import written_whole
from ..text import corpus, token_blocks, train_tokenizer
from .checkpoint import checkpoints
from .presets import pocket
from .pretrain import Row, TrainConfig, pretrain

LENGTH = 256  # tokens a block
# The text begins with blocks that are never trained on, a tenth of the run and at most so many: whoever draws up to
# 262,144 tokens of a pocket model's own text with the same seed measures it on text it has not seen.
HELD_OUT = 1024
VALIDATED = 128  # of these blocks: 32,768 tokens give the loss to about 0.01 nats
TOKENIZER_DOCUMENTS = {"text": 3_000, "pydocs": 200}  # pydocs so that other English does not fall apart into bytes
COLUMNS = ("step", "tokens", "training_nats", "validation_nats", "rate", "gradient_norm", "tokens_per_second")


def pretrain_to(
    folder: str | Path,
    *,
    name: str = "stories-1m",
    text: str = "stories",
    tokens: int = 10_000_000,
    steps: int | None = None,
    batch: int = 8,
    peak_rate: float = 6e-3,
    seed: int = 0,
    vocab_size: int = 2048,
    resume: bool = True,
    threads: int | None = None,
) -> Path:
    """Pretrain a pocket model and save it to a folder in the hub's format, which any library loads.

    The model sees ``tokens`` of the text once, in steps of ``batch`` blocks of 256 tokens; ``steps``, where given,
    decides instead of ``tokens``. The folder gets ``config.json``, ``model.safetensors`` (bfloat16), the tokenizer's
    files, ``training.csv`` (the rows of ``pretrain``, written as they come) and ``provenance.json``. The same command
    run again after an interruption goes on from ``folder/checkpoint``; ``resume=False`` starts afresh. ``threads``
    sets torch's threads for the whole process: one is fastest where other programs want the cores.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for old in checkpoints(folder / "checkpoint"):
            old.unlink()
    steps = steps or max(tokens // (batch * LENGTH), 1)
    config = TrainConfig(
        steps=steps,
        batch=batch,
        peak_rate=peak_rate,
        warmup=min(200, steps // 10),
        seed=seed,
        log_every=20,
        validate_every=200,
        checkpoint_every=200,
    )

    tokenizer = make_tokenizer(text, vocab_size=vocab_size, seed=seed)
    held = min(HELD_OUT, -(-steps * batch // 10))
    drawn = token_blocks(text, tokenizer, tokens=(held + steps * batch) * LENGTH, length=LENGTH, seed=seed)
    held_out, blocks = drawn[:held], drawn[held:]
    model = make_model(tokenizer, seed=seed).to("cuda" if torch.cuda.is_available() else "cpu")

    rows = pretrain(model, blocks, config, folder=folder / "checkpoint", validation=held_out[:VALIDATED])
    write_rows(folder / "training.csv", rows, name=name, total=-(-steps // config.log_every))

    export(folder, model, tokenizer)
    call = f"pretrain_to({name!r}, {text=}, {steps=}, {batch=}, {peak_rate=}, {seed=}, {vocab_size=})"
    made = {"name": name, "text": text, "call": call, "config": asdict(config)} | summary(folder / "training.csv")
    with written_whole(folder / "provenance.json") as path:
        path.write_text(json.dumps(made, indent=2) + "\n")
    return folder


def make_tokenizer(text: str, *, vocab_size: int, seed: int) -> PreTrainedTokenizerBase:
    """Train a tokenizer on the beginning of the text and on some real English."""
    own = islice(corpus(text, seed=seed), TOKENIZER_DOCUMENTS["text"])
    english = islice(corpus("pydocs", seed=seed), TOKENIZER_DOCUMENTS["pydocs"])
    return train_tokenizer(chain(own, english), vocab_size=vocab_size)


def make_model(tokenizer: PreTrainedTokenizerBase, *, seed: int) -> MistralForCausalLM:
    """Make an untrained pocket model for a tokenizer, its weights decided by the seed."""
    config = pocket(len(tokenizer))
    config.bos_token_id = tokenizer.bos_token_id
    config.eos_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MistralForCausalLM(config)


def write_rows(path: Path, rows: Iterable[Row], *, name: str | None = None, total: int | None = None) -> None:
    """Append rows to a table as they come; a resumed run takes the place of the rows written after its checkpoint."""
    resumed = False
    for row in tqdm(rows, desc=name, total=total, disable=None):  # a bar in a terminal, nothing in a file
        if not resumed:
            keep_rows(path, before=row["step"])
            resumed = True
        with path.open("a", newline="") as file:
            cells = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(cells)


def keep_rows(path: Path, *, before: int) -> None:
    """Write the table anew with its complete rows of earlier steps, or with its header alone."""
    rows = []
    if path.exists():
        with path.open(newline="") as file:
            # A run killed while it wrote leaves a row that lacks its last cells.
            rows = [row for row in csv.DictReader(file) if None not in row.values() and int(row["step"]) < before]
    with written_whole(path) as unfinished, unfinished.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def export(folder: Path, model: MistralForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """Save model, in bfloat16, and tokenizer in the hub's format, each file whole."""
    tokenizer.model_max_length = model.config.max_position_embeddings
    with TemporaryDirectory(prefix=".export-", dir=folder) as unfinished:
        model.cpu().to(torch.bfloat16).save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        # transformers 5 writes a class that transformers 4 does not know, and reads this one as well; and without the
        # names, transformers 4 gives token types, which the model refuses.
        settings = Path(unfinished) / "tokenizer_config.json"
        for_both = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "attention_mask"]}
        settings.write_text(json.dumps(json.loads(settings.read_text()) | for_both, indent=2) + "\n")
        for file in Path(unfinished).iterdir():
            with written_whole(folder / file.name) as path:
                shutil.copyfile(file, path)


def summary(table: Path) -> dict[str, object]:
    """Say what a run reached and took: the minutes are those of training, over all its resumed parts."""
    minutes, tokens = 0.0, 0
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            minutes += (int(row["tokens"]) - tokens) / float(row["tokens_per_second"]) / 60
            tokens = int(row["tokens"])
    return {
        "tokens": tokens,
        "validation_nats": float(row["validation_nats"]),
        "minutes": round(minutes, 1),
        "threads": torch.get_num_threads(),
        "versions": {package: version(package) for package in ("linstudy", "torch", "transformers", "tokenizers")}
        | {"python": platform.python_version()},
    }
