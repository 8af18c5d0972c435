"""Write the models that the book's laboratory runs in the page, as scripts, into book/_vendor/lab/.

Each holds the weights, the tokenizer, the best affine map of every layer and what the stories are made of. Does nothing
when they are there and nothing they are made from has changed; with --force it makes them again.
"""

import argparse
import base64
import hashlib
import itertools
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from cache_key import cache_key  # noqa: E402

FOLDER = ROOT / "book" / "_vendor" / "lab"
MODELS = ("stories-1m", "stories-1m-mse", "stories-1m-cosine")
TOKENS, HELDOUT, STORIES = 50_000, 8_192, 3_000  # to fit the maps on; to count what a layer costs; to list words of


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="make again what is already there")
    force = parser.parse_args(arguments).force
    rooms = [ROOT / "linstudy" / room for room in ("text", "models", "measure", "evaluate")]
    tool = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    stamp, wanted = FOLDER / "VERSION", f"{cache_key(*rooms, ROOT / 'storyworld')} {tool}"
    if not force and stamp.is_file() and stamp.read_text() == wanted:
        print("book/_vendor/lab is up to date")
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    words = story_words(STORIES)
    for name in MODELS:
        write(FOLDER, {"name": name, "words": words, **pack(name, tokens=TOKENS, heldout=HELDOUT)})
    stamp.write_text(wanted)
    print(f"book/_vendor/lab now holds {', '.join(MODELS)}")
    return 0


def write(folder: Path, packed: dict) -> None:
    """Write the script that hands a packed model to the page."""
    from linstudy.files import written_whole

    with written_whole(folder / f"{packed['name']}.js") as path:
        path.write_text(f"linstudyLab.packed[{json.dumps(packed['name'])}] = {json.dumps(packed)};\n", encoding="utf-8")


def story_words(count: int) -> list[str]:
    """Return the words of the first stories in lower case, as the page looks them up."""
    from linstudy.text import stories

    told = itertools.islice(stories(0), count)
    return sorted({word for story in told for word in re.findall(r"[^\W\d_]+", story.lower())})


def pack(name: str, *, tokens: int, heldout: int) -> dict:
    """Return a pocket model as the page unpacks it, with maps fitted on so many tokens and costs counted on others."""
    import linstudy
    from linstudy.measure import joint_moments

    model, tokenizer = linstudy.load(name)
    moments = joint_moments(model, linstudy.token_blocks("stories", tokenizer, tokens=tokens))
    maps = {layer: linstudy.linear_map(kept) for layer, kept in moments.items()}
    others = linstudy.token_blocks("stories", tokenizer, tokens=heldout, seed=1)
    saved = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    config = model.config
    return {
        "width": config.hidden_size,
        "hidden": config.intermediate_size,
        "heads": config.num_attention_heads,
        "keyHeads": config.num_key_value_heads,
        "headWidth": config.head_dim,
        "base": config.rope_parameters["rope_theta"],
        "vocabulary": sorted(saved["vocab"], key=saved["vocab"].get),
        "merges": [" ".join(pair) for pair in saved["merges"]],
        "layers": layer_facts(model, others, moments, maps),
        "weights": encoded(weights_in_order(model)),
        "maps": encoded([part for one in maps.values() for part in (one.weight, one.bias)]),
    }


def layer_facts(model, others, moments, maps) -> list[dict[str, float]]:
    """Return of each layer its scores, its scale, and what its map costs in its place on other stories, in nats."""
    import linstudy
    from linstudy.measure import scores
    from linstudy.models import replaced

    whole = linstudy.cross_entropy(model, others)
    facts = []
    for layer, kept in moments.items():
        measured = scores(kept)
        with replaced(model, {layer - 1: maps[layer]}):
            cost = linstudy.cross_entropy(model, others) - whole
        facts.append(
            {
                "linearity": measured["linearity"],
                "update_linearity": measured["update_linearity"],
                "scale": float(kept.centred().yy.sum() / kept.tokens) ** 0.5,  # as in casebook.tokens.token_errors
                "replaced": cost,
            }
        )
    return facts


def weights_in_order(model) -> list:
    """Return the weights in the order in which the page takes them, and fail where the model has others."""
    state = model.state_dict()
    parts = ("input_layernorm", *(f"self_attn.{one}_proj" for one in "qkvo"), "post_attention_layernorm")
    parts += tuple(f"mlp.{one}_proj" for one in ("gate", "up", "down"))
    names = [f"model.layers.{layer}.{part}.weight" for layer in range(len(model.model.layers)) for part in parts]
    names = ["model.embed_tokens.weight", *names, "model.norm.weight"]
    if left := set(state) - {*names, "lm_head.weight"}:
        raise ValueError(f"the page knows nothing of the weights {sorted(left)}: teach book/_static/lab/model.js first")
    weights = [state[name] for name in names]
    if not all(weight.equal(weight.bfloat16().float()) for weight in weights):
        raise ValueError("the weights are finer than bfloat16, in which the page gets them")
    return [weight.bfloat16() for weight in weights]


def encoded(tensors: list) -> str:
    """Return numbers as base64 of their bytes, little endian."""
    import torch

    flat = torch.cat([tensor.detach().flatten() for tensor in tensors]).contiguous()
    return base64.b64encode(flat.view(torch.uint8).numpy().tobytes()).decode()


if __name__ == "__main__":
    sys.exit(main())
