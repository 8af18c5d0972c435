"""Say in place of every widget, to a reader without JavaScript, that a control is missing there."""

VIEW = '<script type="application/vnd.jupyter.widget-view+json">'
NOTE = (
    '<noscript><p class="no-widget">The menus and sliders of this figure need JavaScript. '
    "Without it you see one of its pictures.</p></noscript>"
)


def add_notes(app, pagename, templatename, context, doctree):
    """Put the note before each widget of the page."""
    if VIEW in context.get("body", ""):
        context["body"] = context["body"].replace(VIEW, NOTE + VIEW)


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", add_notes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
