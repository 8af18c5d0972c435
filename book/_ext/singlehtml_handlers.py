"""Let one-page HTML, and so the PDF, be built with sphinx-exercise and sphinx-proof together.

sphinx-exercise registers its nodes for "singlehtml" by name. Sphinx then uses only what is registered under that name
and no longer falls back to "html", where the other extensions have theirs.
"""


def copy_handlers(app):
    """Give singlehtml every handler of html that it lacks."""
    handlers = app.registry.translation_handlers
    if "singlehtml" in handlers:
        for node, pair in handlers.get("html", {}).items():
            handlers["singlehtml"].setdefault(node, pair)


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", copy_handlers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
