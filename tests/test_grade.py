"""The story grader: a told story has full marks, each kind of damage costs some, a prompt is read and not graded."""

import random
import re
import tomllib
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import elsewhere
from tiny_models import tiny_model

import linstudy
from casebook.evaluate import Sampling, grade_model, story_beginnings
from linstudy.text import train_tokenizer
from storyworld import Grade, Story, grade, reference_index, stories, story_seed, tell
from storyworld.grammar import sentences
from storyworld.read import read

UNSEEN = 177  # a stream of stories on which the grader was not tried while it was written


@pytest.fixture(scope="module")
def sample() -> list[Story]:
    return [tell(story_seed(UNSEEN, position)) for position in range(61)]


def marks(text: str, **options) -> tuple[float, float, float]:
    given = grade(text, **options)
    return given.grammar, given.consistency, given.plot


def test_a_story_cut_anywhere_keeps_its_ones(sample):
    for story in sample[:2]:
        for cut in range(len(story.text) // 3, len(story.text), 61):
            assert marks(story.text[:cut])[:2] == (1, 1)


def test_the_events_are_read_as_they_were_told(sample):
    # The reader knows the text alone; here the truth behind it is laid beside what it read.
    same = {"arrive": "home", "has": "show_off"}  # these share sentences
    seen = named = 0
    for story in sample[:40]:
        events, told = {event.start: event for event in story.events}, read(story.text)[0]
        assert [one.start for one in told] == sorted(events)
        for one in told:
            event = events[one.start]
            assert same.get(one.kind, one.kind) == same.get(event.kind, event.kind)
            seen += 1
            named += (one.who, one.thing or event.thing) == (event.who, event.thing) or one.who == ""
    assert named > 0.98 * seen  # "they laughed" does not say who began


ELSEWHERE = f"""
from storyworld import grade, story_seed, tell
told = [tell(story_seed({UNSEEN}, position)) for position in range(500)]
given = [grade(story.text) for story in told]
print(sum((g.grammar, g.consistency, g.plot, g.ending) == (1, 1, 1, s.ending) for g, s in zip(given, told)))
"""


def test_five_hundred_told_stories_have_full_marks_and_their_endings():
    assert elsewhere(ELSEWHERE) == 500


# ------------------------------------------------------------------ damage


def one_of(draw, text: str, pattern: str, by, **options) -> str | None:
    """Return the text with one match of a pattern replaced; None where there is none."""
    found = list(re.finditer(pattern, text, **options))
    if not found:
        return None
    at = draw.choice(found)
    return text[: at.start()] + by(at[0]) + text[at.end() :]


def any_of(words) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


def shuffled_words(story, stranger, draw):
    start, stop = draw.choice([s for s in sentences(story.text) if story.text[slice(*s)].count(" ") >= 3])
    words = story.text[start:stop].split()
    while words == story.text[start:stop].split():
        draw.shuffle(words)
    return story.text[:start] + " ".join(words) + story.text[stop:]


def swapped_pronoun(story, stranger, draw):
    swaps = {"he": "she", "she": "he", "his": "her", "him": "her", "her": "his", "himself": "herself"}
    swaps |= {old.capitalize(): new.capitalize() for old, new in swaps.items()}
    outside = any_of(swaps) + r'(?=[^"]*(?:"[^"]*"[^"]*)*\Z)'  # an even number of quotes follows
    return one_of(draw, story.text, outside, swaps.get)


def sentence_of_another(story, stranger, draw):
    (start, stop), theirs = (draw.choice(sentences(text)[1:]) for text in (story.text, stranger.text))
    return story.text[:start] + stranger.text[slice(*theirs)] + story.text[stop:]


def giver_and_taker_swapped(story, stranger, draw):
    given = [event for event in story.events if event.act == "give" and event.kind != "reward"]
    given = [e for e in given if all(name in story.text[e.start : e.stop] for name in (e.who, e.other))]
    if not given:
        return None
    event = draw.choice(given)
    swap = {event.who: event.other, event.other: event.who}
    words = re.sub("|".join(swap), lambda name: swap[name[0]], story.text[event.start : event.stop])
    return story.text[: event.start] + words + story.text[event.stop :]


def up_to_its_ending(story):
    return story.text[: next(event.start for event in story.events if event.kind.startswith("end."))]


def ending_cut_off(story, stranger, draw):
    return up_to_its_ending(story).rstrip()


def ending_of_another(story, stranger, draw):
    return up_to_its_ending(story) + stranger.text[len(up_to_its_ending(stranger)) :]


# Some damage makes another possible story: a moral thought by the other one, a child hungry in place of her friend.
@pytest.mark.parametrize(
    ("damage", "caught", "costs"),
    [
        (shuffled_words, 0.98, ""),
        (swapped_pronoun, 0.9, "grammar"),
        (sentence_of_another, 0.88, ""),
        (giver_and_taker_swapped, 0.95, ""),
        (ending_cut_off, 1.0, "plot"),
        (ending_of_another, 0.95, "plot"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damage_is_caught(sample, damage, caught, costs):
    draw, found = random.Random(5), []
    for story, stranger in pairwise(sample):
        text = damage(story, stranger, draw)
        if text and text != story.text:
            given = grade(text)
            found.append((getattr(given, costs) if costs else min(marks(text))) < 1)
    assert len(found) > 5
    assert np.mean(found) >= caught


def test_text_of_others_has_no_mark():
    given = grade("It was the best of times, it was the worst of times. Call me Ishmael. The cat sat on the mat.")
    assert (given.grammar, given.consistency, given.plot, given.sentences) == (0, 0, 0, 3)
    assert grade("") == Grade(0.0, 0.0, 0.0, grade("").novelty, 0, 0, "", "", ())


# ------------------------------------------------------------------ rules, by hand

# Texts by hand: sentences that have names, and what the grader finds in texts made of them.
GRADED = tomllib.loads((Path(__file__).parent / "data" / "graded.toml").read_text(encoding="utf8"))
SENTENCES = GRADED["sentences"]
OPENING, SWIM = SENTENCES["opening"], SENTENCES["opening"] + SENTENCES["swim"]


def cases(kind):
    return [(text.format(**SENTENCES), *found) for text, *found in GRADED["cases"][kind]]


@pytest.mark.parametrize(("text", "fault"), cases("faults"))
def test_a_fault_is_named(text, fault):
    given = grade(OPENING + text)
    assert given.grammar == 1, given.faults
    assert [what for _, what in given.faults if fault in what], given.faults
    assert given.consistency < 1


def test_a_prompt_is_read_and_not_graded(sample):
    text = sample[0].text
    cut = text.index("\n\n")
    bad = "Blah blah blah. " + text
    assert grade(bad).grammar < 1
    assert grade(bad, start=len("Blah blah blah. ")).grammar == 1
    alone, after = grade(text[cut:]), grade(text, start=cut)
    assert alone.consistency < 1 == after.consistency  # what the prompt said is known
    assert after.sentences == alone.sentences


@pytest.mark.parametrize(("text", "grammar", "consistency"), cases("marks"))
def test_marks_by_hand(text, grammar, consistency):
    assert marks(text)[:2] == (pytest.approx(Fraction(grammar)), pytest.approx(Fraction(consistency)))


@pytest.mark.parametrize(("text", "plot", "ending"), cases("plots"))
def test_plot_by_hand(text, plot, ending):
    given = grade(text)
    assert (given.consistency, given.plot, given.ending) == (1, plot, ending)


def test_a_wish_that_comes_true_for_somebody_unknown_is_told_and_not_true():
    told_only = SWIM + " Suddenly, it was easy. Omar swam, and Grandma clapped."
    assert (grade(SWIM).plot, grade(told_only).plot) == (0, 0.25)
    assert grade(told_only).ending == ""
    assert grade(told_only + " It had been a good day, and Omar was happy.").plot == 0.5


def test_sentences_end_where_a_capital_follows():
    text = '"Stop!" cried Mila. "I know you," she said. "Go." Omar ran!\n\nthen nothing'
    assert [text[slice(*s)] for s in sentences(text)] == [
        '"Stop!" cried Mila.', '"I know you," she said.', '"Go."', "Omar ran!", "then nothing",
    ]  # fmt: skip


def test_a_copy_is_not_new_and_a_new_story_is_half_new(sample):
    seen = list(islice(stories(0), 150))
    reference = reference_index(seen)
    assert grade(seen[7], reference=reference).novelty == 0
    assert reference.hashes.dtype == np.uint64
    new = np.mean([grade(story.text, reference=reference).novelty for story in sample[:20]])
    half = seen[7][: len(seen[7]) // 2] + sample[0].text[len(sample[0].text) // 2 :]
    assert 0.1 < grade(half, reference=reference).novelty < new + 0.1
    assert new > 0.6
    assert np.isnan(grade(seen[7]).novelty)
    assert np.isnan(grade("Too short.", reference=reference).novelty)


def test_novelty_counts_sequences_of_words():
    reference = reference_index(["a b c d", "x y z"], words=2)
    assert len(reference.hashes) == 5
    assert grade("a b c x", reference=reference).novelty == pytest.approx(1 / 3)  # "c x" is new
    assert grade("d c b a", reference=reference).novelty == 1


@pytest.mark.parametrize(
    ("texts", "words", "message"),
    [
        (["a b"], 0, r"words=0 make no sequence: take one word or more"),
        ("a b", 8, r"this is one string: put it into a list"),
        (["a b"], 8, r"no sequence of 8 words: give longer ones, or a smaller `words`"),
    ],
)
def test_an_index_needs_texts(texts, words, message):
    with pytest.raises(ValueError, match=message):
        reference_index(texts, words=words)


@pytest.fixture(scope="module")
def pocket():
    return linstudy.load("stories-1m")


def test_a_beginning_ends_with_the_wish():
    for text in story_beginnings(20):
        given = grade(text)
        assert (given.grammar, given.consistency, given.plot) == (1, 1, 0)
        assert given.wish
    assert story_beginnings(2) == story_beginnings(2, seed=1) != story_beginnings(2, seed=2)


def test_a_trained_model_tells_more_than_an_untrained_one(pocket):
    model, tokenizer = pocket
    trained, chance = (
        grade_model(one, tokenizer, Sampling(tokens=80), prompts=4)
        for one in (model, linstudy.untrained(model, seed=0))
    )
    assert trained["grammar"].mean() > 0.4
    assert chance["grammar"].mean() == 0
    assert list(trained["prompt"]) == [1, 2, 3, 4]
    marks = trained[["grammar", "consistency", "plot"]].to_numpy()
    assert ((marks >= 0) & (marks <= 1)).all()


@pytest.mark.parametrize("family", ["gpt2", "opt", "bloom"])
def test_every_decoder_can_be_graded_its_row_does_not_depend_on_the_batch_and_the_seed_decides(family):
    tokenizer = train_tokenizer(islice(stories(0), 50), vocab_size=300)
    model = tiny_model(family, vocab_size=len(tokenizer))

    def told(seed=0, **options):
        prompts = ["Mila was a shy girl.", "Once"]
        return list(grade_model(model, tokenizer, Sampling(tokens=9, seed=seed), prompts=prompts, **options)["text"])

    state = torch.get_rng_state()
    assert told() == told(batch_size=1) != told(seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_sampling_follows_the_model(pocket):
    model, tokenizer = pocket
    prompt = "Mila was a"
    likeliest = grade_model(model, tokenizer, Sampling(tokens=8, temperature=0.0), prompts=[prompt] * 2)["text"]
    assert likeliest[0] == likeliest[1]
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(prompt)["input_ids"]]])
    with torch.no_grad():
        belief = model(ids).logits[0, -1].softmax(-1)
    drawn = grade_model(model, tokenizer, Sampling(tokens=1), prompts=[prompt] * 400, batch_size=400)["text"]
    first = tokenizer.decode([int(belief.argmax())])
    assert (drawn == first).mean() == pytest.approx(float(belief.max()), abs=0.08)


def test_the_end_of_the_text_ends_a_continuation(pocket):
    model, tokenizer = pocket
    whole = next(stories(1))
    rows = grade_model(model, tokenizer, Sampling(tokens=8, temperature=0.0), prompts=[whole, whole[: len(whole) // 2]])
    assert list(rows["finished"]) == [True, False]
    assert list(rows["plot"]) == [1, 0]  # what the prompt tells counts
    assert rows["text"][0] == ""
    assert rows["words"][1] > 0


@pytest.mark.parametrize(
    ("sampling", "prompts", "message"),
    [
        ({}, [], r"no prompt to continue"),
        ({"tokens": 500}, 1, r"tokens=500 more do not fit the model's 512 positions: ask for tokens=\d+"),
        ({"temperature": -1.0}, 1, r"temperature=-1.0 is negative"),
    ],
)
def test_continuing_needs_prompts_room_and_a_temperature(pocket, sampling, prompts, message):
    with pytest.raises(ValueError, match=message):
        grade_model(*pocket, Sampling(**sampling), prompts=prompts)
