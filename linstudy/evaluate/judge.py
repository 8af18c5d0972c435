"""Let a language model judge stories by the rubric of TinyStories: grammar, creativity, consistency, plot."""

import math
import re
from collections.abc import Callable, Sequence

import pandas as pd

ASPECTS = ("grammar", "creativity", "consistency", "plot")
QUESTION = """\
Below is the beginning of a children's story, and how a student went on. The student was asked to complete the story.

Beginning: {beginning}

Continuation: {continuation}

Judge the continuation only: its grammar, its creativity, its consistency with the beginning, and whether its plot \
makes sense. Give each an integer from 1 (worst) to 10 (best), on four lines and with no other words:
Grammar:
Creativity:
Consistency:
Plot:
"""
GRADE = re.compile(r"\b(grammar|creativity|consistency|plot)\b[^\w\n]{0,6}(\d+)(?!\.?\d)", re.IGNORECASE)


def judge(pairs: Sequence[tuple[str, str]], generate: Callable[[str], str], *, tries: int = 3) -> pd.DataFrame:
    """Let a model judge continuations as in TinyStories (Eldan & Li 2023), which the paper's Table 3 follows.

    The four aspects and the scale from 1 to 10 are theirs; the wording is ours. The means depend on the judge: compare
    models under one judge, with error bars. Grades that do not are those of :func:`linstudy.evaluate.grade`.

    Args:
        pairs: beginning and continuation of each story.
        generate: any text generator: takes the question, returns the answer.
        tries: how often a judge is asked whose answer cannot be read.

    Returns:
        One row a story, with columns ``story`` (from 1), ``grammar``, ``creativity``, ``consistency``, ``plot`` and
        ``mean``, in [1, 10].

    Raises:
        ValueError: for no story, and for a judge who gives no four grades from 1 to 10 in all tries.

    """
    if not pairs:
        raise ValueError("There is no story to judge: give at least one pair of a beginning and its continuation.")
    rows = []
    for number, (beginning, continuation) in enumerate(pairs, start=1):
        question = QUESTION.format(beginning=beginning.strip(), continuation=continuation.strip())
        for _ in range(tries):
            grades = parsed(answer := generate(question))
            if grades:
                break
        else:
            raise ValueError(
                f"The judge of story {number} gave no four grades from 1 to 10 in {tries} answers; the last one was "
                f"{answer[:80]!r}: take a model that follows instructions, or a higher `tries`."
            )
        rows.append({"story": number, **grades, "mean": math.fsum(grades.values()) / len(grades)})
    return pd.DataFrame(rows)


def parsed(answer: str) -> dict[str, int] | None:
    """Return the grades of an answer, or None if one is missing, given twice, or not from 1 to 10."""
    found = [(aspect.lower(), int(number)) for aspect, number in GRADE.findall(answer)]
    grades = dict(found)
    if len(found) != len(ASPECTS) or set(grades) != set(ASPECTS) or not all(1 <= g <= 10 for g in grades.values()):
        return None
    return {aspect: grades[aspect] for aspect in ASPECTS}
