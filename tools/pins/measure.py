"""Hash what the rooms `measure` and `evaluate` compute, so that a redesign is seen to change no number."""

import hashlib
import os
import sys
from dataclasses import fields, is_dataclass

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, "tests")

import numpy as np
import pandas as pd
import torch

import linstudy
from linstudy.evaluate import bits_per_byte, cross_entropy, probe, probe_states, zero_shot
from linstudy.evaluate.probing import pooled_states
from linstudy.evaluate.zero_shot import log_likelihoods
from linstudy.measure import (
    anisotropy,
    heldout_scores,
    intrinsic_dimension,
    joint_moments,
    layer_contributions,
    linear_map,
    logit_lens,
    massive_activations,
    ordinary_tokens,
    outlier_ablation,
    sample_states,
    scores,
    token_errors,
)
from linstudy.models import SMALL, blocks, parts_of, small_model, stacks_of, task_of
from linstudy.text import stories, token_blocks

torch.set_num_threads(1)


def feed(digest, value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        digest.update(f"{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().tobytes())
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.shape}{value.dtype}".encode() + value.tobytes())
    elif isinstance(value, pd.DataFrame):
        for column in sorted(value):
            digest.update(column.encode())
            for cell in value[column]:
                digest.update(f"{cell!r};".encode())
    elif isinstance(value, torch.nn.Module):
        feed(digest, dict(value.state_dict()))
    elif is_dataclass(value):
        feed(digest, {f.name: getattr(value, f.name) for f in fields(value)})
    elif isinstance(value, dict):
        for key, one in value.items():
            digest.update(repr(key).encode())
            feed(digest, one)
    elif isinstance(value, list | tuple):
        for one in value:
            feed(digest, one)
    else:
        digest.update(repr(value).encode())


def pin(name, value):
    digest = hashlib.sha256()
    feed(digest, value)
    print(name, digest.hexdigest(), flush=True)


def ids_for(vocabulary, blocks=24, length=16):
    return torch.randint(3, vocabulary, (blocks, length), generator=torch.Generator().manual_seed(0))


def profiles(name, model, ids):
    keep = torch.rand(ids.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    for stack in stacks_of(model) or (None,):
        own = torch.stack([keep.roll(i, 1) for i in range(len(blocks(model, stack=stack)))])
        for part in parts_of(model, stack=stack):
            pin(f"{name} {stack} {part} profile", linstudy.linearity_profile(model, ids, part=part, stack=stack))
        dropped = {"drop_first": 2, "heldout": 0.25, "batch_size": 5, "stack": stack}
        pin(f"{name} {stack} dropped profile", linstudy.linearity_profile(model, ids, **dropped))
        kept = {"keep": keep, "layers": [3, 1], "memory": 3 * 8 * model.config.get_text_config().hidden_size ** 2}
        pin(f"{name} {stack} kept profile", linstudy.linearity_profile(model, ids, stack=stack, **kept))
        pin(f"{name} {stack} own profile", linstudy.linearity_profile(model, ids, stack=stack, keep=own, heldout=0.3))
        moments = joint_moments(model, ids, stack=stack, batch_size=7)
        pin(f"{name} {stack} moments", moments)
        pin(f"{name} {stack} maps", [linear_map(one) for one in moments.values()])
        pin(f"{name} {stack} anisotropy", [anisotropy(one) for one in moments.values()])


def between(name, model, ids):
    pin(f"{name} massive", massive_activations(model, ids, batch_size=5))
    pin(f"{name} ordinary", ordinary_tokens(model, ids, factor=1.3))
    for part in parts_of(model):
        errors = token_errors(model, ids, part=part, batch_size=7)
        pin(f"{name} {part} errors", [errors.layers, errors.error, errors.scale])
    sample = sample_states(model, ids, 100, drop_first=1, seed=3, batch_size=5)
    pin(f"{name} sample", sample)
    pin(f"{name} dimension", [intrinsic_dimension(state) for state in sample])
    pin(f"{name} contributions", layer_contributions(model, ids[:6], batch_size=4))
    if task_of(model) == "causal":
        lens = [logit_lens(model, ids[:6]), logit_lens(model, ids[:6], norm=False, layers=[2, 0], batch_size=4)]
        pin(f"{name} lens", lens)


def ablation(name, model, ids, **options):
    """The columns to nine digits: selections are now sums of parts."""
    table = outlier_ablation(model, ids, **options)
    rounded = {c: [f"{v:.8e}" for v in table[c]] if table[c].dtype == float else list(table[c]) for c in sorted(table)}
    pin(f"{name} ablation", rounded)


def main():
    for name in SMALL:
        model = small_model(name)
        ids = ids_for(model.config.get_text_config().vocab_size)
        profiles(name, model, ids)
        if not model.config.is_encoder_decoder:
            between(name, model, ids)
            ablation(name, model, ids, first=(0, 1, 3))
    wide = small_model("llama", hidden_size=288)
    ids = ids_for(2048, 40)
    profiles("wide llama", wide, ids)
    between("wide llama", wide, ids)

    model, tokenizer = linstudy.load("stories-1m")
    text = token_blocks("stories", tokenizer, tokens=6 * 256, length=256)
    profiles("stories-1m", model, text)
    between("stories-1m", model, text)
    ablation("stories-1m", model, text)
    x, y = torch.randn(2, 900, 40, generator=torch.Generator().manual_seed(2))
    pin("states", [linstudy.profile_of_states([x, y, x + y], heldout=h) for h in (0.0, 0.3)])
    one, two = (linstudy.JointMoments.empty(40).update(a, b) for a, b in ((x, y), (y, x)))
    pin("heldout", heldout_scores(one, two))
    pin("merged", [one.merge(two), scores(one)])
    pin("matrix anisotropy", [anisotropy(x), anisotropy(x, iterations=5)])

    loss = cross_entropy(model, text)
    pin("loss", [loss, bits_per_byte(loss, text, tokenizer)])
    several = [next(stories(seed))[:150] for seed in range(24)]
    pin("pooled", [pooled_states(model, tokenizer, several, pool=pool, layers=[0, 3]) for pool in ("last", "mean")])
    labels = [text.count("e") > 8 for text in several]
    pin("probe", probe(model, list(zip(several, labels, strict=True)), tokenizer, layers=[1], seeds=[0]))
    groups = [i // 2 for i in range(60)]
    pin("probe states", probe_states({0: x[:60]}, [i % 3 for i in range(60)], seeds=[0, 1], groups=groups))
    pin("likelihoods", log_likelihoods(model, tokenizer, [(t[:60], t[60:90]) for t in several] + [("", several[0])]))
    choices = [(text[:60], [text[60:75], " xq", "fox"], i % 3) for i, text in enumerate(several)]
    pin("zero shot", zero_shot(model, tokenizer, choices))
    from linstudy.evaluate import grade_model

    pin("continued", grade_model(model, tokenizer, prompts=4, tokens=40, seed=1, batch_size=3))
    pin("continued likeliest", grade_model(model, tokenizer, prompts=3, tokens=30, temperature=0))


if __name__ == "__main__":
    main()
