"""The released command: from a text to a folder with a trained model, its tokenizer and the table of its run."""

import csv
import json
import math
import platform
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain, islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import MistralForCausalLM, PreTrainedTokenizerBase

from ..files import written_whole
from ..hub import quiet
from ..text import corpus, count_bytes, token_blocks, train_tokenizer
from .checkpoint import checkpoints
from .config import TrainConfig
from .controls import Scaling
from .penalties import Penalty
from .presets import preset_named
from .pretrain import Row, pretrain
from .processes import processes
from .progress import with_bar
from .words import from_word

# The text begins with tokens that are never trained on, a tenth of the run and at most so many: whoever draws up to so
# many tokens of a pocket model's own text with the same seed measures it on text it has not seen.
HELD_OUT = 262_144
VALIDATED = 32_768  # of these tokens give the loss to about 0.01 nats
TOKENIZER_DOCUMENTS = {"text": 3_000, "pydocs": 200}  # pydocs so that other English does not fall apart into bytes
COLUMNS = ("step", "tokens", "training_nats", "penalty", "validation_nats", "rate", "gradient_norm")
COLUMNS += ("tokens_per_second",)
MADE_WITH = ("linstudy", "torch", "transformers", "tokenizers", "accelerate")


def pretrain_to(
    folder: str | Path,
    *,
    name: str | None = None,
    preset: str = "pocket",
    layers: int | None = None,
    text: str = "stories",
    tokens: int | None = None,
    steps: int | None = None,
    distinct: int | None = None,
    batch: int | None = None,
    peak_rate: float | None = None,
    weight_decay: float = 0.1,
    penalty: Penalty | str | None = None,
    scaling: Scaling | str | None = None,
    seed: int = 0,
    vocab_size: int | None = None,
    snapshots: bool | Sequence[int] = False,
    accumulation: int = 1,
    linear: str = "auto",
    compile: bool = False,
    resume: bool = True,
    threads: int | None = None,
) -> Path:
    """Pretrain a model and save it to a folder in the hub's format, which any library loads.

    The folder gets ``config.json``, ``model.safetensors`` (bfloat16), the tokenizer's files, ``training.csv`` (the
    rows of ``pretrain``, written as they come) and ``provenance.json``. The same command run again after an
    interruption goes on from ``folder/checkpoint``, where the snapshots are too. Under ``accelerate launch`` the
    steps are shared out and the first process writes.

    Args:
        folder: made where it is not there.
        name: by default text, size and what is special: ``stories-1m``, ``stories-1m-cosine``, ``stories-1m-2-layers``.
        preset: ``nano``, ``pocket``, ``mini``, ``150m`` or ``650m``. It also says the vocabulary, the length of a
            block, the batch, the tokens and the peak rate, where they are not given.
        layers: how many, 1 or more, where not the preset's.
        text: a corpus by name, the path of a text file, or several with ``+`` between, a document of each in turns.
        tokens: how many are seen.
        steps: decide instead of ``tokens``, where given.
        distinct: how many different tokens are drawn, held-out ones too, to be gone through again and again; for a
            text that has fewer than the run sees.
        batch: blocks a step.
        peak_rate: largest learning rate.
        weight_decay: see :class:`TrainConfig`, as for ``scaling``, ``snapshots``, ``accumulation``, ``linear`` and
            ``compile``.
        penalty: a :class:`Penalty`, or one as a word, ``"cosine=0.5"`` or ``"mse=2.0,features=mean"``.
        scaling: a :class:`Scaling`, or one as a word, ``"branches"``, ``"norms"`` or ``"branches=0.3,power=0"``.
        seed: draws the text, its order, the tokenizer and the first weights.
        vocab_size: tokens of the tokenizer, which is trained on the text.
        snapshots: steps whose weights are kept; True for 0, the powers of 2 and the last.
        accumulation: parts a process computes its share of a batch in.
        linear: who multiplies matrices: ``auto``, ``torch`` or ``onednn``.
        compile: compile the blocks first.
        resume: False starts afresh.
        threads: sets torch's threads for the whole process: one is fastest where other programs want the cores.

    """
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = preset_named(preset, layers=layers)
    batch, length = batch or chosen.batch, chosen.length
    vocab_size = vocab_size or chosen.vocab_size
    steps = steps or max((tokens or chosen.tokens) // (batch * length), 1)
    config = TrainConfig(
        steps=steps,
        batch=batch,
        peak_rate=chosen.peak_rate if peak_rate is None else peak_rate,
        warmup=min(200, steps // 10),
        weight_decay=weight_decay,
        penalty=from_word(Penalty, penalty) if isinstance(penalty, str) else penalty,
        scaling=from_word(Scaling, scaling) if isinstance(scaling, str) else scaling,
        seed=seed,
        log_every=20,
        validate_every=200,
        checkpoint_every=200,
        snapshots=snapshots,
        accumulation=accumulation,
        linear=linear,
        compile=compile,
    )
    name = name or name_of(text, chosen.size, config)
    folder, first = Path(folder), processes().is_main_process
    folder.mkdir(parents=True, exist_ok=True)
    if first and not resume:
        for old in [*checkpoints(folder / "checkpoint"), *(folder / "checkpoint").glob("snapshot-*.safetensors")]:
            old.unlink()
    processes().wait_for_everyone()

    tokenizer = make_tokenizer(text, vocab_size=vocab_size, seed=seed)
    count = steps * batch if distinct is None else distinct // length
    held = min(HELD_OUT // length, -(-count // 10))
    drawn = (held + count if distinct is None else count) * length
    source = documents(text, seed=seed) if len(texts(text)) > 1 else text
    blocks = token_blocks(source, tokenizer, tokens=drawn, length=length, seed=seed)
    validation, blocks = blocks[:held][: max(VALIDATED // length, 1)], blocks[held:]
    model = make_model(tokenizer, preset=preset, layers=layers, seed=seed)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")

    rows = pretrain(model, blocks, config, folder=folder / "checkpoint", validation=validation)
    if not first:
        for _ in rows:  # this process's share of every step
            pass
        return folder
    write_rows(folder / "training.csv", with_bar(rows, steps=steps, name=name))
    export(folder, model, tokenizer)
    what = {"preset": preset, "text": shown(text), "steps": steps, "distinct": distinct, "vocab_size": vocab_size}
    what |= {
        "layers": model.config.num_hidden_layers,
        "length": length,
        "processes": processes().num_processes,
        "config": asdict(config),
    }
    reached = summary(folder / "training.csv", validation, tokenizer)
    with written_whole(folder / "provenance.json") as path:
        path.write_text(json.dumps({"name": name} | what | reached, indent=2) + "\n")
    return folder


def name_of(text: str, size: str, config: TrainConfig) -> str:
    """Name a model by its text, its size and what is special about its training."""
    special = [config.penalty and config.penalty.kind, config.scaling and config.scaling.where]
    return "-".join([*(Path(part).stem for part in texts(text)), size, *filter(None, special)])


def shown(text: str) -> str:
    """Return a text's name, without the folders of this machine."""
    return "+".join(Path(part).name for part in texts(text))


def documents(text: str, *, seed: int) -> Iterator[str]:
    """Read a text, or several with ``+`` between: a document of each in turns, until the last has ended."""
    rounds = zip_longest(*(corpus(part, seed=seed) for part in texts(text)))
    return (document for one_round in rounds for document in one_round if document is not None)


def texts(text: str) -> list[str]:
    """Take several texts apart; a file may have a + in its name."""
    return [text] if Path(text).is_file() else text.split("+")


def make_tokenizer(text: str, *, vocab_size: int, seed: int) -> PreTrainedTokenizerBase:
    """Train a tokenizer on the beginning of the text and on some real English."""
    own = islice(documents(text, seed=seed), TOKENIZER_DOCUMENTS["text"])
    english = islice(corpus("pydocs", seed=seed), TOKENIZER_DOCUMENTS["pydocs"])
    return train_tokenizer(chain(own, english), vocab_size=vocab_size)


def make_model(
    tokenizer: PreTrainedTokenizerBase, *, preset: str = "pocket", layers: int | None = None, seed: int
) -> MistralForCausalLM:
    """Make an untrained model of a preset for a tokenizer, its weights decided by the seed."""
    config = preset_named(preset, layers=layers).shape(len(tokenizer))
    config.bos_token_id = tokenizer.bos_token_id
    config.eos_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MistralForCausalLM(config)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Append rows to a table as they come; a resumed run takes the place of the rows written after its checkpoint."""
    resumed = False
    for row in rows:
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
        with quiet():
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


def summary(
    table: Path, validation: Int[Tensor, "block token"], tokenizer: PreTrainedTokenizerBase
) -> dict[str, object]:
    """Say what a run reached and took: the minutes are those of training, over all its resumed parts."""
    minutes, tokens = 0.0, 0
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["tokens_per_second"]:  # none before the first step
                minutes += (int(row["tokens"]) - tokens) / float(row["tokens_per_second"]) / 60
            tokens = int(row["tokens"])
    nats = float(row["validation_nats"])
    return {
        "tokens": tokens,
        "validation_nats": nats,
        "bits_per_byte": round(nats * validation.numel() / count_bytes(validation, tokenizer) / math.log(2), 6),
        "minutes": round(minutes, 1),
        "threads": torch.get_num_threads(),
        "versions": {package: version(package) for package in MADE_WITH} | {"python": platform.python_version()},
    }
