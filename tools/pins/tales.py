"""Print a SHA-256 sum of everything the story world's words, plots, tasks and tagger give."""

import dataclasses
import hashlib
import os
from itertools import islice
from pathlib import Path

from linstudy.text.classes import word_classes
from storyworld import lexicon
from storyworld.kinds import kinds
from storyworld.known import known
from storyworld.novelty import novelty, reference_index
from storyworld.stock import regions
from storyworld.stories import stories, story_seed, tell
from storyworld.tables import templates, toml
from storyworld.tagger import _names, rules
from storyworld.task_senses import uses
from storyworld.tasks import SPLITS, TASKS, task


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
    yield "places", plain(regions())
    for name in (
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
        yield name, plain(getattr(lexicon, name.upper()))


for name, value in lexicon_values():
    pin(f"lexicon {name}", value)
pin("templates shared", tuple(templates("shared.txt")))
pin("templates", tuple((templates("shared.txt") | templates("plots.txt")).items()))
pin("tagger names", tuple(sorted(_names())))
one = {word: ways[0].word_class for word, ways in rules().items() if len(ways) == 1}
pin("tagger classes", tuple(sorted(one.items())))
pin(
    "tagger rules",
    tuple(
        (word, tuple((rule.word_class, sorted(rule.after), sorted(rule.before)) for rule in ways))
        for word, ways in sorted(rules().items())
        if len(ways) > 1
    ),
)
pin("causes", tuple(sorted((name, kind.cause) for name, kind in kinds().items() if kind.cause)))
pin(
    "senses",
    tuple(
        f"{word} | {' | '.join(f'{sense}: {way}' for sense, way in senses.items())}"
        for word, senses in toml("tasks.toml")["SENSES"].items()
    ),
)

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
