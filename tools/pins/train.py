"""Print the sums that a change of `linstudy.train` must leave as they are: `name sha256`, a line each.

PYTHONPATH=. python tools/pins/train.py | diff - tools/pins/train.txt
"""

import copy
import json
import os
import socket
import tempfile
import warnings
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

import linstudy
from linstudy.prune import HEALING, heal, prune, randomise_
from linstudy.train import (
    PRESETS,
    TUNING,
    Penalty,
    Recipe,
    Scaling,
    documents,
    finetune,
    from_word,
    make_model,
    make_tokenizer,
    preset_named,
    pretrain,
    pretrain_to,
)
from linstudy.train.descent import batch_rows

PENALTIES = {
    "cosine": Penalty("cosine", 0.5),
    "cosine, all": Penalty("cosine", 0.5, last="normed", detached=True, layers="mean"),
    "mse": Penalty("mse", 0.5),
    "mse, all": Penalty("mse", 0.001, tokens="sum", features="mean", embeddings=False, last="stream"),
}
BASE = Recipe(
    steps=20, batch=4, peak_rate=6e-3, warmup=2, log_every=5, validate_every=10, checkpoint_every=5, linear="torch"
)
RUNS = {
    "plain": BASE,
    **{name: replace(BASE, penalty=penalty) for name, penalty in PENALTIES.items()},
    "branches": replace(BASE, scaling=Scaling("branches")),
    "norms": replace(BASE, scaling=Scaling("norms")),
    "parts": replace(BASE, accumulation=2, penalty=PENALTIES["mse, all"]),
    "onednn": replace(BASE, linear="onednn", penalty=PENALTIES["cosine"]),
    "seed": replace(BASE, seed=7, weight_decay=0.3, clip=0.1, betas=(0.8, 0.9), final_rate=0.3),
    "snapshots": replace(BASE, snapshots=True, scaling=Scaling("branches", 0.3, power=0.0)),
}


def pin(name: str, content: object) -> None:
    data = content if isinstance(content, bytes) else repr(content).encode()
    print(f"{name.replace(' ', '_')} {sha256(data).hexdigest()}", flush=True)


def weights(model: torch.nn.Module) -> bytes:
    named = sorted({**dict(model.named_parameters()), **model.state_dict()}.items())
    return b"".join(name.encode() + tensor.detach().contiguous().numpy().tobytes() for name, tensor in named)


def file_of(path: Path) -> bytes:
    named = sorted(load_file(path).items())
    return b"".join(name.encode() + tensor.float().numpy().tobytes() for name, tensor in named)


def numbers(rows: list[dict], columns: tuple[str, ...]) -> list:
    return [[row.get(column) for column in columns] for row in rows]


PRETRAINED = ("step", "tokens", "training_nats", "penalty", "validation_nats", "rate", "gradient_norm")
TUNED = ("step", "examples", "training_loss", "training_accuracy", "validation_loss", "validation_accuracy", "rate")
HEALED = ("step", "tokens", "state_error", "training_nats", "gradient_norm", "validation_nats", "rate")


def texts_and_presets():
    for name, preset in PRESETS.items():
        pin(f"preset {name}", sorted(preset.shape(preset.vocab_size).to_dict().items(), key=lambda item: item[0]))
        run = (preset.size, preset.vocab_size, preset.length, preset.batch, preset.tokens, preset.peak_rate)
        pin(f"preset {name}, run", run)
    fewer = preset_named("pocket", layers=3)
    pin("preset of 3 layers", (fewer.size, sorted(fewer.shape(300).to_dict().items(), key=lambda item: item[0])))
    tokenizer = make_tokenizer("stories", vocab_size=1024, seed=0)
    pin("tokenizer", tokenizer.backend_tokenizer.to_str())
    blocks = linstudy.token_blocks(documents("stories", seed=0), tokenizer, tokens=96 * 256, length=256)
    pin("text", blocks.numpy().tobytes())
    both = linstudy.token_blocks(documents("pydocs+stories", seed=3), tokenizer, tokens=8 * 256, length=256, seed=3)
    pin("two texts", both.numpy().tobytes())
    pin("first weights", weights(make_model(tokenizer, preset="nano", seed=5)))
    pin("rows", [batch_rows(11, BASE, step).tolist() for step in range(1, 9)])
    pin("rates", [BASE.rate(step) for step in range(21)])
    return tokenizer, blocks


def pretraining(tokenizer, blocks) -> None:
    heldout, blocks = blocks[:6], blocks[6:]
    for name, recipe in RUNS.items():
        model = make_model(tokenizer, preset="nano", seed=0)
        with tempfile.TemporaryDirectory() as folder:
            rows = list(pretrain(model, blocks, recipe, folder=folder, validation=heldout))
            pin(f"pretrain {name}", weights(model))
            pin(f"pretrain {name}, rows", numbers(rows, PRETRAINED))
            for path in sorted(Path(folder).iterdir()):
                pin(f"pretrain {name}, {path.name}", file_of(path))
        if name in ("cosine", "branches", "parts", "onednn"):
            with tempfile.TemporaryDirectory() as folder:
                half = pretrain(make_model(tokenizer, preset="nano", seed=0), blocks, recipe, folder=folder)
                while next(half)["step"] < 15:
                    pass
                half.close()
                again = make_model(tokenizer, preset="nano", seed=1)
                list(pretrain(again, blocks, recipe, folder=folder))
                pin(f"pretrain {name}, resumed", weights(again))
    torch.manual_seed(0)
    dropping = GPT2LMHeadModel(GPT2Config(vocab_size=1024, n_positions=256, n_embd=32, n_layer=2, n_head=2))
    list(pretrain(dropping, blocks, BASE))
    pin("pretrain with dropout", weights(dropping))


def tuning() -> None:
    from linstudy.text import corpus, task

    model, tokenizer = linstudy.load("stories-1m", device="cpu")
    stream = task("sense", split="train")
    labelled = [(one.text, one.label) for one, _ in zip(stream, range(40), strict=False)]
    stream = task("preference", split="train")
    pairs = [(one.whole(one.label), one.whole(1 - one.label)) for one, _ in zip(stream, range(40), strict=False)]
    plain = [(text[:600], "") for text, _ in zip(corpus("stories", seed=1), range(40), strict=False)]
    for objective, examples in (("classify", labelled), ("preference", pairs), ("lm", plain)):
        for shuffled in (False, True)[: 1 if objective == "lm" else 2]:
            tuned = copy.deepcopy(model)
            recipe = replace(TUNING, steps=20, peak_rate=1e-3, batch=4, warmup=2, seed=2, linear="torch")
            rows = finetune(
                tuned,
                tokenizer,
                examples[:32],
                recipe,
                objective=objective,
                shuffle_labels=shuffled,
                validation=examples[32:],
                length=96,
            )
            rows = list(rows)
            pin(f"finetune {objective}{' shuffled' * shuffled}", weights(tuned))
            pin(f"finetune {objective}{' shuffled' * shuffled}, rows", numbers(rows, TUNED))
    tuned = copy.deepcopy(model)
    list(finetune(tuned, tokenizer, labelled, replace(recipe, steps=5, warmup=0, seed=0, linear="onednn"), length=96))
    pin("finetune onednn", weights(tuned))


def healing() -> None:
    model, tokenizer = linstudy.load("stories-1m", device="cpu")
    blocks = linstudy.token_blocks("stories", tokenizer, tokens=48 * 64, length=64)
    blocks, heldout = blocks[:40], blocks[40:]
    recipe = replace(HEALING, steps=20, batch=8, warmup=2, log_every=10, validate_every=10)
    replaced = prune(copy.deepcopy(model), [3, 6], "affine", blocks=blocks)
    for name, options in {
        "stand-ins": {},
        "random start": {},
        "nats": {"nats": 1.0},
        "all": {"trained": "all"},
        "fine-tuning": {"trained": "all", "states": 0.0, "nats": 1.0},
    }.items():
        healed = copy.deepcopy(replaced)
        if name == "random start":
            randomise_(healed, seed=1)
        rows = list(heal(healed, blocks, recipe, teacher=model, validation=heldout, **options))
        pin(f"heal {name}", weights(healed))
        pin(f"heal {name}, rows", numbers(rows, HEALED))


def the_command() -> None:
    with tempfile.TemporaryDirectory() as place:
        preset = replace(preset_named("nano", layers=3), vocab_size=300)
        recipe = preset.recipe(
            steps=6,
            batch=2,
            penalty=from_word(Penalty, "mse=0.5,features=mean"),
            scaling=from_word(Scaling, "branches"),
            snapshots=True,
            seed=3,
            linear="torch",
        )
        folder = pretrain_to(Path(place) / "run", preset, recipe, text="pydocs+stories", distinct=8 * 256)
        pin("command, model", file_of(folder / "model.safetensors"))
        pin("command, config", (folder / "config.json").read_text())
        pin("command, tokenizer", (folder / "tokenizer.json").read_text())
        pin("command, tokenizer config", (folder / "tokenizer_config.json").read_text())
        lines = (folder / "training.csv").read_text().splitlines()
        pin("command, table", [line.rpartition(",")[0] for line in lines])
        made = json.loads((folder / "provenance.json").read_text())
        left_out = ("minutes", "versions", "threads")
        pin("command, provenance", json.dumps({k: v for k, v in made.items() if k not in left_out}, sort_keys=True))
        pin("command, checkpoint", file_of(max((folder / "checkpoint").glob("step-*"))))
        from safetensors import safe_open

        with safe_open(max((folder / "checkpoint").glob("step-*")), "pt") as file:
            pin("command, settings", sorted(file.metadata().items()))


def one_of_two(rank: int, port: int, folder: str) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", ACCELERATE_USE_CPU="true")
    torch.set_num_threads(1)
    model, _ = linstudy.load("stories-1m", device="cpu")
    blocks = torch.randint(2048, (40, 32), generator=torch.Generator().manual_seed(0))
    recipe = replace(BASE, batch=8, accumulation=2, steps=6, penalty=PENALTIES["mse, all"], scaling=Scaling("norms"))
    rows = list(pretrain(model, blocks, recipe, folder=f"{folder}/run", validation=blocks[:7]))
    Path(folder, f"{rank}.json").write_text(json.dumps([sha256(weights(model)).hexdigest(), numbers(rows, PRETRAINED)]))
    torch.distributed.destroy_process_group()


def two_processes() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        torch.multiprocessing.spawn(one_of_two, (port, folder), nprocs=2)
        for rank in (0, 1):
            pin(f"process {rank} of 2", Path(folder, f"{rank}.json").read_text())


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    pretraining(*texts_and_presets())
    tuning()
    healing()
    the_command()
    two_processes()
