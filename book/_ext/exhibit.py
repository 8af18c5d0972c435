"""Drawings to take in hand, and questions to guess at: the directives {exhibit} and {guess}.

    ```{exhibit} least-squares
    ```

shows book/_static/exhibits/least-squares.html, a drawing that stands by itself, and loads the script of that name, if
there is one, on this page only.

    ```{guess} Which of the two scores higher?
    - the trained model
    - its random twin

    The twin does, in nearly every layer.
    ```

asks before the page tells. Without a script the answer opens on a click; with one, on a choice.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

FOLDER = Path(__file__).resolve().parent.parent / "_static" / "exhibits"


class Exhibit(Directive):
    """One drawing."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Take its HTML from its file; a name without a file is an error of the build."""
        name = self.arguments[0]
        path = FOLDER / f"{name}.html"
        if not path.is_file():
            known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.html")))
            raise self.error(f"there is no exhibit {name!r}; there are {known}")
        self.state.document.settings.record_dependencies.add(str(path))
        html = f'<figure class="exhibit" data-exhibit="{name}">{path.read_text(encoding="utf8")}</figure>'
        return [nodes.raw("", html, format="html", classes=["exhibit-here", name])]


class Guess(Directive):
    """A question, choices as a list, and what was found."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Hide all but the question and its choices; a guess without choices or answer is an error of the build."""
        choices, *answer = self.parsed(self.content) or [None]
        if not isinstance(choices, nodes.bullet_list) or len(choices) < 2 or not answer:
            raise self.error("a guess needs a list of two choices or more, and an answer after it")
        box = nodes.container(classes=["guess"])
        box += self.parsed(StringList([self.arguments[0]], source="guess"))
        box += choices
        box += nodes.raw("", "<details><summary>The answer</summary>", format="html")
        box += answer
        box += nodes.raw("", "</details>", format="html")
        return [box]

    def parsed(self, text: StringList) -> list[nodes.Node]:
        """Return a text of the page's own markup, formulas and links included."""
        held = nodes.Element()
        self.state.nested_parse(text, self.content_offset, held)
        return held.children


def scripts(doctree: nodes.Node) -> set[str]:
    """Return the names of the scripts that a page needs."""
    drawings = {raw["classes"][1] for raw in doctree.findall(nodes.raw) if raw["classes"][:1] == ["exhibit-here"]}
    guesses = {"guess" for box in doctree.findall(nodes.container) if "guess" in box["classes"]}
    return {name for name in drawings | guesses if (FOLDER / f"{name}.js").is_file()}


def add_files(app, pagename, templatename, context, doctree):
    """Load on a page the scripts of what it holds."""
    for name in sorted(scripts(doctree)) if doctree else ():
        app.add_js_file(f"exhibits/{name}.js", loading_method="defer")


def setup(app):
    """Register with Sphinx."""
    app.add_directive("exhibit", Exhibit)
    app.add_directive("guess", Guess)
    app.add_css_file("exhibits.css")
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
