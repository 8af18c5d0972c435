"""The quizzes: one a chapter, every choice explained, exactly one right, and read without a script."""

import re
import tomllib

import pytest
import yaml
from conftest import ROOT, script
from docutils.core import publish_parts
from docutils.parsers.rst import directives
from docutils.utils import SystemMessage

quiz = script("book/_ext/quiz.py")

PAGES = sorted((ROOT / "book" / "quiz").glob("*.md"))


def questions(path):
    (body,) = re.findall(r"^```\{quiz\}\n(.*?)^```$", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return tomllib.loads(body)["question"]


def test_every_chapter_has_one():
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    (chapters,) = (part["chapters"] for part in toc["parts"] if part["caption"] == "Chapters")
    for chapter in chapters:
        below = [page["file"] for page in chapter["sections"]]
        assert chapter["file"].replace("notebooks/", "book/quiz/") in below
        assert chapter["file"].replace("notebooks/", "notebooks/exercises/") in below
    assert len(chapters) == len(PAGES)


def test_every_choice_is_explained_and_one_is_right_which_its_place_does_not_tell():
    places = []
    for path in PAGES:
        asked = questions(path)
        assert len(asked) >= 4
        for question in asked:
            assert set(question) == {"ask", "choices"}
            assert all({"say", "why"} <= set(choice) <= {"say", "why", "right"} for choice in question["choices"])
            assert all(choice["why"].strip() for choice in question["choices"]), question["ask"]
            right = [place for place, choice in enumerate(question["choices"]) if choice.get("right")]
            assert len(right) == 1, question["ask"]
            places += right
    assert max(map(places.count, places)) <= 0.6 * len(places)


def html_of(body):
    directives.register_directive("quiz", quiz.Quiz)
    text = ".. quiz::\n\n" + "".join(f"   {line}\n" for line in body.splitlines())
    return publish_parts(text, writer_name="html", settings_overrides={"halt_level": 3, "report_level": 5})["body"]


GOOD = """[[question]]
ask = "What is *it*?"
choices = [
  {say = "one", why = "It is not.", right = false},
  {say = "two", why = "It is.", right = true},
]"""


def test_a_choice_opens_without_a_script():
    page = html_of(GOOD)
    assert page.count("<details") == page.count("<summary>") == page.count("</details>") == 2
    assert "<script" not in page
    one, two = (choice.partition("</summary>") for choice in page.split("</details>")[:2])
    assert "one" in one[0]
    assert ("No." in one[2], "Right." in two[2]) == (True, True)


BAD = {"right = true": "right = false", "right = false": "right = true", "say =": "says =", "ask": "[", GOOD: "x = 1"}


@pytest.mark.parametrize("part", BAD)
def test_a_quiz_that_cannot_be_answered_fails_the_build(part):
    with pytest.raises(SystemMessage):
        html_of(GOOD.replace(part, BAD[part]))
