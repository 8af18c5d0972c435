"""Print what the room `models` gives, name and SHA-256 a line: streams, parts, surgery, names found, weights."""

import hashlib
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from tiny_models import ALL, DECODERS, ENCODER_DECODERS, WIDTH, run, tiny_ids, tiny_model

from linstudy.models import (
    blocks,
    capture,
    capture_part,
    final_norm,
    load,
    parts_of,
    pocket_models,
    replaced,
    set_blocks,
    small_model,
    untrained,
    without,
)
from linstudy.prune.parts import down_at, part_at, parts_in

torch.set_num_threads(1)


def say(name, *values):
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, torch.Tensor):
            digest.update(repr((value.dtype, tuple(value.shape))).encode())
            value = value.detach().contiguous().view(torch.uint8).numpy().tobytes()
        digest.update(value if isinstance(value, bytes) else repr(value).encode())
    print(name.replace(" ", "_"), digest.hexdigest())


def name_in(model, module):
    return next((name for name, one in model.named_modules() if one is module), None)


def weights(model):
    return [piece for name, weight in model.state_dict().items() for piece in (name, weight)]


def streams(model, stack=None):
    with torch.no_grad(), capture(model, stack=stack) as stream:
        output = run(model, tiny_ids(), use_cache=False)
    return [*stream, output[0]]


def pairs(model, part, stack=None):
    with torch.no_grad(), capture_part(model, part, stack=stack) as found:
        run(model, tiny_ids())
    return [state for pair in found for state in pair]


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except ValueError:
        return "ValueError"


def part_name(model, part):
    return part_at(model, 2, part)[1]


def down_name(model):
    holder, last = down_at(model, 2)
    return f"{name_in(model, holder)}.{last}"


def linear():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Linear(WIDTH, WIDTH)


for name in ALL:
    say(f"weights {name}", *weights(small_model(name)), small_model(name).config.to_json_string())
    for stack in ("encoder", "decoder") if name in ENCODER_DECODERS else (None,):
        model = tiny_model(name)
        say(f"places {name} {stack}", name_in(model, blocks(model, stack=stack)), parts_of(model, stack=stack))
        say(f"norm {name} {stack}", name_in(model, final_norm(model, stack=stack)))
        say(f"stream {name} {stack}", *streams(model, stack))
        for part in parts_of(model, stack=stack):
            say(f"{part} {name} {stack}", *pairs(model, part, stack))
for name in DECODERS:
    model = tiny_model(name)
    with replaced(model, {1: linear()}):
        say(f"replaced {name}", *streams(model), model.config.to_json_string())
    with without(model, [1]):
        say(f"without {name}", *streams(model), model.config.to_json_string())
        say(f"without mlp {name}", *(pairs(model, "mlp") if len(parts_of(model)) > 1 else ()))
        say(f"untrained {name}", *weights(untrained(model)))
    say(f"whole {name}", *streams(model), model.config.to_json_string())
    inside = [attempt(part_name, model, part) for part in ("attention", "mlp")]
    down = attempt(down_name, model)
    say(f"inside {name}", parts_in(model), inside, down)
    set_blocks(model, [*blocks(model)[:2], linear()])
    say(f"set {name}", *streams(model), model.config.to_json_string())
for name in pocket_models():
    model, tokenizer = load(name, device="cpu")
    say(f"pocket {name}", *weights(model), len(tokenizer), model.name_or_path, str(model.dtype), model.training)
