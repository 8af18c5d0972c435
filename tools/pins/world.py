"""Print sums of what the story world tells, grades and asks: `name sha256` a line."""

import hashlib
import random
import re
from dataclasses import astuple
from itertools import islice

import torch

import linstudy
from linstudy.evaluate.continuations import grade_model, story_beginnings
from storyworld import SPLITS, TASKS, grade, reference_index, story_seed, task, tell


def show(name, values):
    print(name, hashlib.sha256("\0".join(map(repr, values)).encode()).hexdigest(), flush=True)


def damaged(stories):
    """Yield each story damaged in one to three places, in one of twelve ways."""
    draw = random.Random(12)
    for place, story in enumerate(stories):
        text = story.text
        for _ in range(draw.choice((1, 1, 2, 3))):
            text = WAYS[draw.randrange(len(WAYS))](text, story, stories[place - 1], draw)
        yield text


def spans(text):
    return [m.span() for m in re.finditer(r"\S[^.!?]*[.!?]+\"?", text)]


def drop_word(text, story, other, draw):
    words = text.split(" ")
    del words[draw.randrange(len(words))]
    return " ".join(words)


def swap_words(text, story, other, draw):
    words = text.split(" ")
    at = draw.randrange(len(words) - 1)
    words[at : at + 2] = words[at + 1], words[at]
    return " ".join(words)


def another_word(text, story, other, draw):
    words = text.split(" ")
    words[draw.randrange(len(words))] = draw.choice(other.text.split(" "))
    return " ".join(words)


def another_sentence(text, story, other, draw):
    start, stop = draw.choice(spans(text))
    first, last = draw.choice(spans(other.text))
    return text[:start] + other.text[first:last] + text[stop:]


def shuffled_sentences(text, story, other, draw):
    parts = [text[slice(*span)] for span in spans(text)]
    at = draw.randrange(len(parts))
    some = parts[at : at + 5]
    draw.shuffle(some)
    return " ".join([*parts[:at], *some, *parts[at + 5 :]])


def drop_sentence(text, story, other, draw):
    start, stop = draw.choice(spans(text))
    return text[:start] + text[stop:].lstrip(" ")


def twice(text, story, other, draw):
    start, stop = draw.choice(spans(text))
    return text[:stop] + " " + text[start:]


def names(text, story, other, draw):
    mine = [c.name for c in story.characters]
    found = [m for name in mine for m in re.finditer(rf"\b{name}\b", text)]
    if not found:
        return text
    at = draw.choice(found)
    return text[: at.start()] + draw.choice([*mine, *(c.name for c in other.characters)]) + text[at.end() :]


def pronouns(text, story, other, draw):
    swaps = {"he": "she", "she": "he", "his": "her", "him": "her", "her": "his", "it": "them", "them": "it"}
    found = [m for m in re.finditer(r"\w+", text) if m[0].lower() in swaps]
    if not found:
        return text
    at = draw.choice(found)
    new = swaps[at[0].lower()]
    return text[: at.start()] + (new.capitalize() if at[0][0].isupper() else new) + text[at.end() :]


def things(text, story, other, draw):
    found = [m for thing in story.things for m in re.finditer(rf"\b{thing.noun}\b", text)]
    if not found or not other.things:
        return text
    at = draw.choice(found)
    return text[: at.start()] + draw.choice(other.things).noun + text[at.end() :]


def cut(text, story, other, draw):
    return text[: draw.randrange(len(text) // 2, len(text))]


def spliced(text, story, other, draw):
    start, _ = draw.choice(spans(text))
    first, _ = draw.choice(spans(other.text))
    return text[:start] + other.text[first:]


WAYS = (
    *(drop_word, swap_words, another_word, another_sentence, shuffled_sentences, drop_sentence),
    *(twice, names, pronouns, things, cut, spliced),
)

torch.set_num_threads(1)
told = [tell(story_seed(31, position)) for position in range(5000)]
for start in range(0, 5000, 1000):
    show(f"stories.{start}", map(astuple, told[start : start + 1000]))
reference = reference_index(story.text for story in told[4000:])
show("grades.told", (astuple(grade(story.text, reference=reference)) for story in told[:2000]))
for start in range(0, 2000, 500):
    some = list(damaged(told[2000 + start : 2500 + start]))
    show(f"grades.damaged.{start}", (astuple(grade(text, start=50 * (at % 3))) for at, text in enumerate(some)))
model, tokenizer = linstudy.load("stories-1m")
rows = grade_model(model, tokenizer, prompts=story_beginnings(300, seed=5), tokens=100, reference=reference)
show("grades.continued", rows.to_dict("records"))
for name in TASKS:
    for split in SPLITS[::2]:
        show(f"tasks.{name}.{split}", map(astuple, islice(task(name, split=split, seed=3), 100)))
