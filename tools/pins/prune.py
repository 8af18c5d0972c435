"""Print a name and a SHA-256 sum for what pruning computes on every small family; see tools/pins/prune.txt."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import pandas as pd
import torch

import linstudy
from linstudy import prune
from linstudy.models import blocks, small_model
from linstudy.models.small import DECODERS
from linstudy.prune.parts import down_at, part_at

torch.set_num_threads(1)


def feed(sums, value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        sums.update(f"{tuple(value.shape)}{value.dtype}".encode())
        sums.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, pd.DataFrame):
        feed(sums, list(value.columns))
        feed(sums, [[*row] for row in value.astype(object).itertuples(index=False)])
    elif isinstance(value, dict):
        feed(sums, list(value.items()))
    elif isinstance(value, list | tuple):
        sums.update(b"(")
        for one in value:
            feed(sums, one)
            sums.update(b",")
        sums.update(b")")
    elif isinstance(value, bytes):
        sums.update(value)
    elif isinstance(value, prune.Change):
        feed(sums, (value.first, value.last, value.part, value.merged, value.penalty))
        feed(sums, None if value.map is None else (value.map.weight, value.map.bias))
    elif isinstance(value, prune.Place):
        feed(sums, (value.first, value.last, value.block, value.attention, value.mlp))
    else:
        value = value.item() if hasattr(value, "item") else value
        sums.update(repr(value).encode())


def pin(name, make, *given, **options):
    """Print the sum of a value, or of the error that making it raises."""
    try:
        value = make(*given, **options)
    except (ValueError, IndexError) as error:
        value = f"{type(error).__name__}: {error}"
    sums = hashlib.sha256()
    feed(sums, value)
    print(name.replace(" ", "_"), sums.hexdigest(), flush=True)


def model_of(name, *, spread=0.2, **changes):
    torch.manual_seed(1)
    model = small_model(name, seed=1, vocab_size=99, max_position_embeddings=128, **changes)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.normal_(std=spread)
            elif model.config.model_type != "mamba":
                weight.add_(torch.randn_like(weight), alpha=spread)
    return model


def text(blocks=24, length=16, seed=3):
    return torch.randint(3, 99, (blocks, length), generator=torch.Generator().manual_seed(seed))


def logits(model):
    with torch.no_grad():
        return model(text(3, 12, 5), use_cache=False).logits


def fitted(model, layers, action, ids, part="block"):
    changes = prune.fit(model, layers, action, blocks=ids, part=part)
    with prune.changed(model, changes):
        here, places = logits(model), prune.places_of(model)
    with prune.changed(model, changes, keep_places=True):
        kept = logits(model)
    return changes, here, kept, places, prune.count_parameters(model), logits(model)


def where(model):
    found = [prune.parts_in(model)]
    for find in (lambda: part_at(model, 2, "attention"), lambda: part_at(model, 2, "mlp"), lambda: down_at(model, 2)):
        try:
            holder, name = find()
            found.append((type(holder).__name__, name))
        except ValueError as error:
            found.append(str(error))
    return found


def order(name, model, ids, **options):
    return prune.choose(model, ids, name, **options)


def orders(model, ids):
    found = []
    for name in prune.ORDERS:
        for options in ({"count": 1}, {"count": 2, "seed": 1}, {"fixed": (1,), "seed": 2}, {"count": 1, "fixed": (3,)}):
            try:
                found.append((name, order(name, model, ids, **options)))
            except ValueError as error:
                found.append((name, str(error)))
    return found


def table(model, ids, other, **options):
    rows = prune.pruning_table(model, ids, {"own": ids[:4], "other": other}, batches=(), **options)
    return pd.DataFrame(rows)


def saved(model, steps):
    """Return the bytes of a saved folder's weights and plan, and what comes back from it."""
    for layers, action, part in steps:
        prune.prune(model, layers, action, blocks=text(), part=part)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "pruned"
        prune.save_pruned(model, place)
        files = {str(path.relative_to(place)): path for path in sorted(place.rglob("*.safetensors"))}
        plan = json.loads((place / "pruning.json").read_text())
        again, _ = prune.load_pruned(place, device="cpu")
        maps = [name for name, _ in prune.stand_ins(again)]
        found = [{name: path.read_bytes() for name, path in files.items()}, plan["places"], plan["format"]]
        found += [logits(again), logits(model), prune.places_of(again), maps, prune.count_parameters(again)]
        try:
            prune.export(model, Path(folder) / "plain")
            found.append((Path(folder) / "plain" / "model.safetensors").read_bytes())
        except ValueError as error:
            found.append(str(error))
    return found


def agreement(model, costs):
    return prune.rank_agreement(prune.layer_scores(model, text()), costs)


FITTING = [action for action in prune.ACTIONS if action != "remove"]
ONE = (([2], "affine", "block"), ([1], "remove", "block"))
MIXED = (([3], "remove", "block"), ([1, 2], "run", "block"), ([2], "affine", "attention"), ([3], "remove", "mlp"))

for name in DECODERS:
    model = model_of(name)
    pin(f"parts {name}", where, model)
    for action in prune.ACTIONS:
        for layers in ([2], [2, 3], [1, 3]):
            pin(f"plan {name} {action} {'-'.join(map(str, layers))}", fitted, model, layers, action, text())
    for action in FITTING:
        pin(f"plan of few tokens {name} {action}", fitted, model, [2, 3], action, text(5, 12))
        pin(f"plan of many tokens {name} {action}", fitted, model, [2, 3], action, text(150, 32))
    for part in ("attention", "mlp"):
        for action in ("remove", "affine", "merge"):
            pin(f"plan {name} {part} {action}", fitted, model, [1, 3], action, text(), part)
    pin(f"scores {name}", prune.layer_scores, model, text())
    pin(f"angles {name}", prune.angular_distances, model, text())
    pin(f"orders {name}", orders, model, text())
    pin(f"costs {name}", prune.single_costs, model, text(), text(4, 12, 4), actions=("remove", "affine", "run"))
    pin(f"saved {name}", saved, model_of(name), ONE)
    if name != "gpt_neo":
        pin(f"saved mixed {name}", saved, model_of(name, num_hidden_layers=5), MIXED)

for name in ("llama", "gpt2", "falcon", "opt", "mistral", "mamba"):
    deep = model_of(name, num_hidden_layers=6)
    pin(f"table {name}", table, deep, text(), text(4, 12, 4), budgets=(1, 2, 4), seeds=(0, 1))
    costs = prune.single_costs(deep, text(), text(4, 12, 4), actions=list(prune.ACTIONS))
    pin(f"costs of all actions {name}", lambda table: table, costs)
    pin(f"agreement {name}", agreement, deep, costs)

trained, tokenizer = linstudy.load("stories-1m", device="cpu")
tokens = linstudy.token_blocks("stories", tokenizer, tokens=6144, length=128)
depth, ids = len(blocks(trained)), tokens[:40]
pin("stories-1m scores", prune.layer_scores, trained, ids)
for action in prune.ACTIONS:
    pin(f"stories-1m {action}", prune.fit, trained, [2, 3, depth], action, blocks=ids)
some = ("linearity", "angular", "greedy_replaced", "random")
pin("stories-1m table", table, trained, ids, tokens[40:], orders=some, budgets=(1, 2, depth - 1), seeds=(0,))
