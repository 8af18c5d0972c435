"""A quiz in a page: questions as data, every choice with an explanation, no script.

The body of the directive is TOML, a table a question::

    [[question]]
    ask = "What does $d/(n-1)$ say?"
    choices = [
      {say = "What noise scores.", why = "On average.", right = true},
      {say = "How sure a score is.", why = "That is another thing."},
    ]

A choice opens, by a click or by the keyboard, and says whether it is right and why.
"""

import tomllib

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

OPEN = '<details class="quiz-choice"><summary>'


class Quiz(Directive):
    """Turn questions into lists of choices that open."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a container a question; a question that is none is an error of the build."""
        try:
            questions = tomllib.loads("\n".join(self.content)).get("question", [])
            if not questions:
                raise ValueError("a quiz holds no [[question]]")
            return [self.asked(number, question) for number, question in enumerate(questions, start=1)]
        except (ValueError, KeyError) as error:
            raise self.error(f"this quiz cannot be read: {error}") from error

    def asked(self, number: int, question: dict) -> nodes.container:
        """Return one question with its choices."""
        choices = question["choices"]
        if len(choices) < 2 or sum(choice.get("right", False) for choice in choices) != 1:
            raise ValueError(f"question {number} needs two choices or more, and exactly one that is right")
        box = nodes.container(classes=["quiz"])
        box += self.parsed(f"**{number}.** {question['ask']}")
        for choice in choices:
            verdict = "**Right.**" if choice.get("right") else "**No.**"
            box += nodes.raw("", OPEN, format="html")
            box += self.parsed(choice["say"])
            box += nodes.raw("", "</summary>", format="html")
            box += self.parsed(f"{verdict} {choice['why']}")
            box += nodes.raw("", "</details>", format="html")
        return box

    def parsed(self, text: str) -> list[nodes.Node]:
        """Return a text of the page's own markup, formulas and links included."""
        holder = nodes.Element()
        self.state.nested_parse(StringList([text], source="quiz"), self.content_offset, holder)
        return holder.children


def setup(app):
    """Register with Sphinx."""
    app.add_directive("quiz", Quiz)
    app.add_css_file("quiz.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
