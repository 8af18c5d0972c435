"""Print a SHA-256 sum of everything the story world's words, plots, tasks and tagger give."""

import dataclasses
import hashlib
import os
import re
from itertools import islice
from pathlib import Path

from linstudy.evaluate.novelty import novelty, reference_index
from linstudy.text import lexicon
from linstudy.text.classes import word_classes
from linstudy.text.grammar import grammar
from linstudy.text.known import known
from linstudy.text.phrases import SHARED
from linstudy.text.phrases_plots import PLOTS
from linstudy.text.rows import tables
from linstudy.text.stories import stories, story_seed, tell
from linstudy.text.task_causes import CAUSES
from linstudy.text.task_senses import SENSES, uses
from linstudy.text.tasks import SPLITS, TASKS, task


def pin(name, *values):
    digest = hashlib.sha256()
    for value in values:
        digest.update(value if isinstance(value, bytes) else repr(value).encode())
        digest.update(b"\0")
    print(name, digest.hexdigest())


def plain(value):
    """Return a value with all containers as tuples in their order, so that it does not matter which kind holds it."""
    if isinstance(value, dict):
        return tuple((key, plain(one)) for key, one in value.items())
    if dataclasses.is_dataclass(value):
        return tuple((field.name, plain(getattr(value, field.name))) for field in dataclasses.fields(value))
    if isinstance(value, (list, tuple)):
        return tuple(plain(one) for one in value)
    return value


NAMES = (
    "GIRLS",
    "BOYS",
    "ANIMAL_NAMES",
    "ANIMALS",
    "TOLD_ANIMALS",
    "ELDERS",
    "SLY",
    "TRAITS",
    "REGION_FOLK",
    "HOMES",
    "HOME_LOOKS",
    "COLORS",
    "METALS",
    "THINGS",
    "PRECIOUS",
    "FOOD",
    "FEELINGS",
    "CLASSES",
    "REFUSALS",
    "INDOORS",
    "TOLD_LOSSES",
    "TOLD_GOODS",
    "SEASONS",
    "FRIENDLY",
    "MORALS",
)


def lexicon_values():
    for name in NAMES:
        yield name, plain(getattr(lexicon, name))
    rows = tables()
    for name in (
        "places",
        "home_spots",
        "breakable",
        "fears",
        "skills",
        "projects",
        "weather",
        "plans",
        "hidden",
        "troubles",
    ):
        yield name, plain(getattr(rows, name))


def templates():
    for kind, text in {**SHARED, **PLOTS}.items():
        lines = text.strip().splitlines() if isinstance(text, str) else text
        yield kind, tuple(line.strip() for line in lines)


for name, value in lexicon_values():
    pin(f"lexicon {name}", value)
pin("templates shared", tuple(SHARED))
pin("templates", tuple(templates()))
table = grammar()
pin("tagger names", tuple(sorted(table.names)))
pin("tagger classes", tuple(sorted(table.classes.items())))
pin(
    "tagger rules",
    tuple(
        (word, tuple((rule.word_class, sorted(rule.after), sorted(rule.before)) for rule in rules))
        for word, rules in sorted(table.rules.items())
    ),
)
pin("causes", tuple(sorted(CAUSES.items())))
pin("senses", tuple(re.sub(r"\s+", " ", row).strip() for row in SENSES.strip().splitlines()))

told = [tell(story_seed(11, position)) for position in range(3000)]
pin("stories", *map(plain, told))
pin("plots", tuple(sorted({story.plot for story in told})))
pin(
    "known",
    *(
        plain(
            [
                sorted(plain(v)) if isinstance(v, set) else v
                for v in (k.at, k.seen, k.visited, k.holder, k.feels, k.felt)
            ]
        )
        for story in told[:500]
        for n in range(0, len(story.events) + 1, 3)
        for k in [known(story, n)]
    ),
)
pin("tags of stories", *(word_classes(story.text) for story in told[:500]))
pin("uses of words", *(tuple(uses(story.text)) for story in told[:500]))
root = Path(__file__).parents[2]
real = [(root / "LICENSE-content").read_text(), (root / "CITATION.cff").read_text()]
for file in ("difflib", "argparse", "textwrap", "random", "statistics"):
    real.append(Path(os.__file__).with_name(f"{file}.py").read_text())
pin("tags of real text", *map(word_classes, real))

for name in TASKS:
    for split, seed, count in (("train", 0, 200), ("validation", 5, 50), ("test", 0, 50)):
        some = list(islice(task(name, split=split, seed=seed), count))
        pin(f"task {name} {split} {seed}", *map(plain, some), *(one.text for one in some))
assert SPLITS == ("train", "validation", "test")

for words in (1, 3, 8):
    reference = reference_index(islice(stories(2), 500), words=words)
    pin(f"reference {words}", reference.hashes.tobytes(), str(reference.hashes.dtype))
    pin(f"novelty {words}", *(novelty(text, reference) for text in islice(stories(3), 300)), novelty("a", reference))
pin("novelty of copies", novelty(told[0].text, reference_index([told[0].text])))
