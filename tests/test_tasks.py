"""Labelled tasks: right by another reading of the stories, balanced, without leaks, disjoint."""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import elsewhere

from casebook.stories import SPLITS, TASKS, Example, task
from casebook.stories.choices import SPOILT
from casebook.stories.examples import NO_YES, TRUE_FALSE_NEITHER
from casebook.stories.known import replay
from casebook.stories.senses import table, uses
from casebook.stories.tasks import split_stream
from storyworld import Story, splitmix, tell
from storyworld.kinds import kinds
from storyworld.lexicon import FEELINGS
from storyworld.stock import regions

COUNT = 80
CLASSES = {"entailment": 3}
GOOD = {"happy", "proud", "calm", "excited", "hopeful", "grateful"}


@pytest.fixture(scope="module")
def examples() -> dict[str, list[Example]]:
    return {name: list(islice(task(name), COUNT)) for name in TASKS}


def part_told(example: Example) -> tuple[Story, int]:
    """Return the story of an example and how many of its events are told."""
    story = tell(example.stories[0])
    told = example.context.rsplit("\n\n", 1)[0]
    assert story.text.startswith(told)
    return story, sum(event.stop <= len(told) for event in story.events)


def facts(story: Story, count: int) -> tuple[dict[str, str], dict, dict[str, str]]:
    """Return who is where, where every thing is, and who feels what after so many events."""
    *_, (event, world) = replay(story, story.events[:count])  # test_stories has a world of its own to compare it with
    places = {place.name: place.at for region in regions().values() for place in region}
    return {who: places.get(place, "at home") for who, place in world.at.items()}, world.things, dict(event.feelings)


def test_answers_are_the_facts_of_the_world(examples):
    for example in examples["question"]:
        where, things, feels = facts(*part_told(example))
        asked = example.context.rsplit("\n\n", 1)[1]
        if example.form == "holds":
            who, thing = re.fullmatch(r"Does (.+) have the (.+)\?", asked).groups()
            truth = things[thing] == who
        else:
            who = next(name for name in where if asked.startswith(f"Is {name} "))
            value = asked.removeprefix(f"Is {who} ").removesuffix("?")
            truth = value == (where if example.form == "where" else feels)[who]
        assert example.choices[example.label] == ("yes" if truth else "no"), example.context
    assert {example.form for example in examples["question"]} == {"where", "holds", "feels"}


def test_what_follows_is_told_and_what_is_open_is_not(examples):
    seen = Counter()
    for example in examples["entailment"]:
        story, count = part_told(example)
        told, asked = example.context.rsplit("\n\n", 1)
        where, _, feels = facts(story, count)
        characters = {character.name: character for character in story.characters}
        asked = asked.removesuffix(" True, false, or neither?")
        who = next(name for name in characters if asked.lower().startswith(f"{name.lower()} is "))
        value = asked[len(who) + 4 : -1]
        answer = example.choices[example.label]
        seen[example.form, answer] += 1
        met = [e for e in story.events[:count] if e.level == "real" and who in (e.who, e.other)]
        if example.form == "trait":
            trait = characters[who].trait
            assert f"{trait} " in told
            assert "how patient" not in told  # that would tell a trait anew
            kinds = [{"tidy", "messy"}, {"quiet", "noisy"}, {"patient", "impatient"}]
            same = any({trait, value} <= pair for pair in kinds)
            assert answer == ("true" if value == trait else "false" if same else "neither")
        elif answer == "neither" and example.form == "where":
            assert not any(event.act for event in met if event.other == who or event.who == who)
            assert who in told
        elif answer == "neither":
            assert not any(re.search(rf"\b{word}\b", told[e.start : e.stop]) for e in met for word in FEELINGS[value])
            assert {dict(event.feelings).get(who, "calm") for event in met} == {"calm"}
        elif example.form == "where":
            assert (value == where[who]) == (answer == "true")
        else:
            assert (value == feels[who]) if answer == "true" else ((value in GOOD) != (feels[who] in GOOD))
            assert any(re.search(rf"\b{word}\b", told) for word in FEELINGS[feels[who]])
    assert all(seen[form, answer] for form in ("feels", "trait") for answer in TRUE_FALSE_NEITHER)


def is_cause(example: Example, label: int) -> bool:
    """Say whether this choice tells what made somebody feel so, and the other one what undid it."""
    story = tell(example.stories[0])
    told, asked = example.context.rsplit("\n\n", 1)
    who = next(c.name for c in story.characters if asked.lower() == f"{c.name.lower()} was {example.form} because")
    causes, before = {True: set(), False: set()}, None  # of this feeling, and of its opposites
    for event in story.events:
        feels = dict(event.feelings).get(who)
        if feels != before and event.stop <= len(told) and kinds()[event.kind].cause:
            plural = any(thing.plural for thing in story.things if thing.name == event.thing)
            slots = {name: getattr(event, name) for name in ("who", "other", "thing", "detail")}
            words = kinds()[event.kind].cause.format(was="were" if plural else "was", **slots)
            if feels == example.form or (feels in GOOD) != (example.form in GOOD):
                causes[feels == example.form].add(f"{words}.")
        before = feels
    return example.choices[label] in causes[True] and example.choices[1 - label] in causes[False]


def test_causes_are_events_that_changed_the_feeling(examples):
    for one in examples["cause"]:
        assert (is_cause(one, one.label), is_cause(one, 1 - one.label)) == (True, False)


def test_endings_are_right_once_and_wrong_once(examples):
    for one, two in zip(examples["ending"][::2], examples["ending"][1::2], strict=True):
        assert one.stories == two.stories[::-1]
        for example, other in ((one, two), (two, one)):
            story, lender = tell(example.stories[0]), tell(example.stories[1])
            right, wrong = example.choices[example.label], example.choices[1 - example.label]
            assert story.text.endswith(right)
            assert story.text.removesuffix(right).rstrip() == example.context
            assert story.wish.goal != lender.wish.goal
            words = [
                {f"{c.trait} {c.kind}" for c in s.characters} | {c.name for c in s.characters} for s in (story, lender)
            ]
            assert not any(re.search(rf"\b{re.escape(word)}\b", wrong) for word in words[1] - words[0])
            assert len(wrong.split()) == pytest.approx(len(other.choices[other.label].split()), abs=3)


def test_the_spoilt_story_has_the_same_words_and_cannot_be(examples):
    for example in examples["preference"]:
        story = tell(example.stories[0])
        told, spoilt = example.whole(example.label), example.whole(1 - example.label)
        assert told.split() == story.text.split()
        assert told != spoilt
        assert len(told) == len(spoilt)
        assert sorted(re.findall(r"\w+|\S", told.lower())) == sorted(re.findall(r"\w+|\S", spoilt.lower()))
        events = list(story.events)
        assert list(replay(story, events))
        begins = len(example.context) + 1
        first = next(i for i, event in enumerate(events) if event.start >= begins)
        if example.form == "names":
            event = events[first]
            events[first] = replace(event, who=event.other, other=event.who)
        elif example.form == "order":
            texts = [story.text[event.start : event.stop] for event in events]
            later = [i for i in range(first, len(events)) if spoilt[begins:].startswith(texts[i])]
            second = max(later, key=lambda i: len(texts[i]))
            events[first], events[second] = events[second], events[first]
        if example.form != "words":
            with pytest.raises(ValueError, match=r"cannot|is not at"):
                list(replay(story, events))
    assert {example.form for example in examples["preference"]} == set(SPOILT)


# Sentences with a word of two senses, labelled by hand: the sense is the place in the word's row.
SENSES = (Path(__file__).parent / "data" / "senses.txt").read_text(encoding="utf-8")


def test_senses_are_told_apart_by_hand_labels():
    found = {}
    for line in SENSES.strip().splitlines():
        word, place, sentence = line.split(maxsplit=2)
        found[word, int(place)] = [its_sense for of, its_sense, _ in uses(sentence) if of == word]
    assert found.pop(("patch", 1)) == []  # told twice, so not asked about
    assert found == {(word, place): [place] for word, place in found}
    assert {word for word, _ in found} == set(table())


def test_senses_are_matched(examples):
    for start in range(0, COUNT - 3, 4):
        four, beside, sizes = examples["sense"][start : start + 4], Counter(), ([], [])
        assert len({example.form for example in four}) == 1
        for example in four:
            pair = example.context.split("\n")[:2]
            one, two = (next(its for word, its, _ in uses(text) if word == example.form) for text in pair)
            assert example.choices[example.label] == ("yes" if one == two else "no")
            beside.update((text, example.label) for text in pair)
            for size, text in zip(sizes, pair, strict=True):
                size.append(len(text))
        assert all(max(size) - min(size) <= 4 for size in sizes)  # one length on the left, one on the right
        assert set(beside.values()) == {1}  # each sentence once beside its own sense and once beside the other


def test_examples_have_the_form_that_scoring_needs(examples):
    for name, some in examples.items():
        for example in some:
            assert 0 <= example.label < len(example.choices)
            assert len(set(example.choices)) == len(example.choices) == CLASSES.get(name, 2)
            assert example.context == example.context.strip()
            assert all(choice == choice.strip() != "" for choice in example.choices)
            fixed = example.choices in (NO_YES, TRUE_FALSE_NEITHER)
            assert (example.text == example.context) == fixed
            assert fixed or all(choice in example.text for choice in example.choices)
            assert example.whole(example.label).startswith(example.context + " ")


def test_the_same_examples_come_again_and_unknown_names_are_refused(examples):
    for name in TASKS:
        assert list(islice(task(name), 20)) == examples[name][:20]
        assert list(islice(task(name, seed=1), 20)) != examples[name][:20]
    with pytest.raises(ValueError, match=r"no task 'boolq': take one of 'question', 'entailment', 'cause'"):
        task("boolq")
    with pytest.raises(ValueError, match=r"no split 'dev': take one of 'train', 'validation', 'test'"):
        task("cause", split="dev")


def test_no_split_meets_another_or_the_stories_that_models_are_trained_on():
    # The k-th story of a stream is made from hash(hash(stream) + k): two streams meet only where their first numbers
    # are as near as they are long.
    streams = [split_stream(split, seed) for split in SPLITS for seed in range(30)] + list(range(1000))
    starts = sorted(splitmix(stream) for stream in streams)
    around = [*starts, starts[0] + 2**64]
    assert min(b - a for a, b in pairwise(around)) > 10**12


ELSEWHERE = """
import itertools, json, sys
from casebook.stories.tasks import task

some = itertools.islice(task(sys.argv[1]), 1800), itertools.islice(task(sys.argv[1], split="test"), 900)
print(json.dumps([[(e.context, e.choices, e.label, e.form) for e in examples] for examples in some]))
"""


@cache
def many(name: str) -> list[list[Example]]:
    splits = elsewhere(ELSEWHERE, name)
    return [[Example(c, tuple(of), label, form, ()) for c, of, label, form in some] for some in splits]


def learned(features, train, test) -> float:
    """Return the accuracy on the test split of a ridge regression of the labels on features."""
    (x, new), labels = features, [np.array([example.label for example in some]) for some in (train, test)]
    classes = len(train[0].choices)
    mean, scale = x.mean(0), x.std(0) + 1e-9
    x, new = (x - mean) / scale, (new - mean) / scale
    target = np.eye(classes)[labels[0]] - 1 / classes
    weights = np.linalg.solve(x.T @ x + 0.3 * len(x) * np.eye(x.shape[1]), x.T @ target)
    return float(((new @ weights).argmax(1) == labels[1]).mean())


def bag_of_words(read, train, test):
    counts = [[Counter(re.findall(r"[\w']+|[^\w\s]", read(one).lower())) for one in some] for some in (train, test)]
    common = [word for word, _ in sum(counts[0], Counter()).most_common(800)]
    return [np.array([[count[word] for word in common] for count in some], float) for some in counts]


def lengths(train, test):
    def of(example):
        parts = [example.context, *example.choices, *(example.context.split("\n") * 2)[:2]]
        parts.append(example.context.rsplit("\n", 1)[-1])
        return [len(part) for part in parts] + [len(part.split()) for part in parts]

    found = [np.array([of(example) for example in some], float) for some in (train, test)]
    mean, scale = found[0].mean(0), found[0].std(0) + 1e-9
    scaled = ((some - mean) / scale for some in found)
    # With squares and products, so that "both are short" or "they differ" could be seen.
    return [np.hstack([x, (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)]) for x in scaled]


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_labels_do_not_leak_and_examples_seldom_come_twice(name):
    train, test = many(name)
    assert len({example.text for example in (*train, *test)}) >= 0.96 * len(train + test)
    chance = 1 / CLASSES.get(name, 2)
    near = chance + 0.055  # 0.016 is one standard error
    for some in (train, test):
        counts = Counter(example.label for example in some)
        assert max(counts.values()) / len(some) <= chance + 0.005  # the constant predictor
    assert learned(lengths(train, test), train, test) <= near
    assert learned(bag_of_words(lambda e: e.text, train, test), train, test) <= near
    if train[0].choices in (NO_YES, TRUE_FALSE_NEITHER):  # the question without the story
        assert learned(bag_of_words(lambda e: e.context.rsplit("\n\n", 1)[-1], train, test), train, test) <= near
    else:  # the choices without the context
        one, two = (bag_of_words(lambda e, c=c: e.choices[c], train, test) for c in (0, 1))
        both = [np.hstack(pair) for pair in zip(one, two, strict=True)]
        assert learned(both, train, test) <= near


@pytest.mark.slow
def test_a_leak_would_be_seen():
    train, test = ([replace(e, context=e.context + " Indeed." * e.label) for e in some] for some in many("question"))
    assert learned(bag_of_words(lambda e: e.text, train, test), train, test) > 0.9
