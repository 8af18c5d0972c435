"""What no command can take: options, and folders of models spoilt in every way that a disk or an editor can."""

import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

TEXT = ("--text", "text.txt", "--tokens", "2048", "--length", "64")
PROFILE = ("profile", "model", *TEXT)
PRUNE = ("prune", "model", "--layers", "1", "--out", "new", *TEXT)
PRETRAIN = ("pretrain", "--preset", "nano", "--text", "text.txt", "--distinct", "8192", "--out", "new")
Wrong = tuple[Callable[[Path], None] | None, tuple[str, ...]]

NO_COUNT = ("0", "-1", "1.5", "many", "", "1e6", "9" * 40, "٣")
OPTIONS: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {
    PROFILE: {
        "--tokens": (*NO_COUNT, "10", "9000000"),
        "--length": (*NO_COUNT, "9999999"),
        "--seed": ("-1", str(2**70), "one", "0.5"),
        "--layers": ("0", "4", "1-99999999", "3-1", "x", "", "1,,2", "-1"),
        "--drop-first": ("64", "-1", "x"),
        "--heldout": ("1", "1.5", "-0.1", "nan", "half"),
        "--part": ("head", ""),
        "--dtype": ("float8_e4m3fn", "int8", "float31", "bool", "complex64"),
        "--device": ("meta", "xpu", "mps", "gpu", "cuda:99", "vulkan"),
        "--revision": ("main",),
        "--text": ("", "story", "no.txt", ".", "model", "model/model.safetensors"),
        "--csv": ("no/out.csv", ".", "text.txt/x"),
        "--plot": ("out.gif", "out", "no/out.svg", "."),
        "--resume": ("text.txt", "no/here", "."),
        "--colour": ("red",),
    },
    PRUNE: {
        "--layers": (*NO_COUNT[:5], "3", "99"),
        "--order": ("linear", ""),
        "--action": ("merged", ""),
        "--out": ("model", "text.txt", "no/new"),
        "--tokens": ("0", "64", "many"),
        "--seed": ("-1", str(2**70)),
    },
    PRETRAIN: {
        "--steps": NO_COUNT,
        "--batch": ("0", "-1", "x", "1000000"),
        "--distinct": ("0", "-1", "10"),
        "--layers": ("0", "-1", "100000"),
        "--peak-rate": ("0", "-1", "nan", "fast"),
        "--weight-decay": ("-1", "nan", "x"),
        "--penalty": ("cosinus=1", "cosine", "cosine=x", "cosine=-1", "mse=nan", "mse=1,features=all"),
        "--scaling": ("heads", "branches=x"),
        "--accumulation": ("0", "3", "x"),
        "--linear": ("cublas",),
        "--seed": ("-1", str(2**70)),
        "--preset": ("minni", ""),
        "--out": ("model", "text.txt", "no/new"),
        "--text": ("story", "no.txt", "text.txt+no.txt"),
    },
    ("results",): {"--only": ("gpt3", "")},
    ("fetch",): {"": ("gpt3",)},
}
CONFIGS: dict[str, tuple[object, ...]] = {
    "hidden_size": ("abc", -64, 63, 10**9, None, [], 0),
    "num_hidden_layers": (2, 4, 0, -1, "x", 10**9),
    "num_attention_heads": (0, 3, -4, "x"),
    "vocab_size": (0, -1, "x", 10**10, 50),
    "intermediate_size": (48, -1, "x"),
    "model_type": ("vit", "clip", "lama9", 5, None),
    "architectures": (5,),
    "hidden_act": ("nope", 5),
    "rms_norm_eps": ("a",),
    "quantization_config": ({},),
}


def commands() -> Iterator[Wrong]:
    """Yield commands with one wrong word each; the model and the text are whole."""
    for command, options in OPTIONS.items():
        for name, values in options.items():
            for value in values:
                yield None, (*command, *([f"{name}={value}"] if name else [value]))
    yield None, ()
    yield None, ("profil",)
    yield None, ("prune", "model")
    for model in ("gtp2", "./none", "text.txt", "a/b/c", "", "no such model"):
        yield None, ("profile", model, *TEXT)


def damages() -> Iterator[Wrong]:
    """Yield ways to spoil a folder, and a command that reads it."""
    command = ("profile", "spoilt", *TEXT)
    for name, values in CONFIGS.items():
        for value in values:
            yield partial_of(config, **{name: value}), command
    for content in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model_type": "llama"}'):
        yield partial_of(overwritten, "config.json", content), command
    for content in (b"{}", b"[]", b"no", b'{"weight_map": []}', b'{"weight_map": {"a": 5}}', b'{"weight_map": {}}'):
        yield partial_of(index, content), command
    yield partial_of(index, b'{"weight_map": {"a": "../away.safetensors"}}'), command
    for share in (0, 0.001, 0.1, 0.5, 0.99):
        yield partial_of(cut, "model.safetensors", share), command
        yield partial_of(cut, "tokenizer.json", share), command
    yield partial_of(overwritten, "model.safetensors", struct.pack("<Q", 2**60) + b"{}"), command
    yield partial_of(overwritten, "model.safetensors", b"<html>Log in</html>"), command
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        yield partial_of(removed, name), command
    for name in ("pruning.json", "stand_ins.safetensors", "kept/config.json", "kept/model.safetensors"):
        for share in (None, 0, 0.5):
            yield partial_of(cut_pruned, name, share), command


def partial_of(spoil: Callable, *arguments: object, **options: object) -> Callable[[Path], None]:
    """Give a spoiling its arguments; it keeps its name."""
    made = partial(spoil, *arguments, **options)
    made.__qualname__ = spoil.__qualname__
    return made


def config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def overwritten(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)


def index(content: bytes, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "away.safetensors")
    (folder / "model.safetensors.index.json").write_bytes(content)


def cut(name: str, share: float, folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])


def removed(name: str, folder: Path) -> None:
    (folder / name).unlink()


def cut_pruned(name: str, share: float | None, folder: Path) -> None:
    if share is None:
        removed(name, folder)
    else:
        cut(name, share, folder)
