"""The grader against a fair reader: short stories written by hand, in the words of the one who wrote them.

The grader knows what the stories of `tell` can say, and no other English: most of what it gets wrong here is good
English that no template has. What it gets right has to stay right; each of its errors stands here with its reason. Many
texts begin by naming their people in the stories' own way, or the grader would read nothing of them at all.
"""

import tomllib
from pathlib import Path

import pytest

from storyworld import grade

HAND = tomllib.loads((Path(__file__).parent / "data" / "read_by_hand.toml").read_text(encoding="utf8"))
MARKS = {"english": "grammar", "possible": "consistency", "ends": "plot"}


def otherwise(reason):
    return [pytest.mark.xfail(strict=True, reason=HAND["reasons"][reason])] if reason else []


@pytest.mark.parametrize(
    ("question", "right", "text"),
    [
        pytest.param(question, right, text.format(**HAND["beginnings"]), marks=otherwise(reason))
        for question, cases in HAND["texts"].items()
        for right, reason, text in cases
    ],
)
def test_the_grader_says_what_a_fair_reader_says(question, right, text):
    assert (getattr(grade(text), MARKS[question]) == 1) == right
