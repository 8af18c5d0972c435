"""Print a SHA-256 sum of what the texts give: corpora, blocks, classes of tokens, tokenizer, tasks of the hub."""

import hashlib
import platform
from itertools import islice

import torch

import linstudy
from linstudy.text import (
    CORPORA,
    HUB_TASKS,
    corpus,
    count_bytes,
    hub_task,
    hub_texts,
    pydocs,
    shuffled,
    token_blocks,
    token_classes,
    token_texts,
    train_tokenizer,
)

torch.set_num_threads(1)


def pin(name, *values):
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.numpy().tobytes() if isinstance(value, torch.Tensor) else repr(value).encode())
        digest.update(b"\0")
    print(name, digest.hexdigest())


pin("corpora", tuple(sorted(CORPORA)))
pin("pydocs", *pydocs(seed=3))
text = "\n\n".join(pydocs(seed=None))
found = {
    "python": platform.python_version(),
    "sha256": hashlib.sha256(text.encode()).hexdigest(),
    "characters": len(text),
}
pin("pydocs fingerprint", sorted(found.items()))
pin("corpus", *islice(corpus("stories", seed=4), 20), *islice(corpus("pydocs", seed=4), 20))
_, tokenizer = linstudy.load("stories-1m")
for source in ("stories", "pydocs"):
    blocks = token_blocks(source, tokenizer, tokens=20_000, length=100, seed=1)
    pin(f"blocks {source}", blocks, count_bytes(blocks, tokenizer), shuffled(blocks, seed=2))
    ids = blocks.flatten()[:5000]
    classes = token_classes(ids, tokenizer)
    pin(f"tokens {source}", token_texts(ids, tokenizer), classes.text, classes.word_class, classes.first)
own = train_tokenizer(islice(corpus("stories", seed=4), 200), vocab_size=500)
pin("tokenizer", sorted(own.get_vocab().items()), own.bos_token, own.eos_token)
columns = (
    "question passage premise hypothesis paragraph answer word sentence1 sentence2 choice1 choice2 chosen rejected"
)
row = {name: f"<{name}>" for name in columns.split()} | {"label": 1}
for name in HUB_TASKS:
    asked = []

    def one_row(what, dataset, revision, files, columns, *, instead):
        asked.append(((dataset, revision), files, columns))  # noqa: B023
        yield row

    hub_texts.hub_rows = one_row
    (train,), (_,) = (hub_task(name, split=split) for split in ("train", "test"))
    (source, file, columns), (_, other, _) = asked
    pin(f"hub task {name}", source, (file, other), sorted(columns.items()), train)
