"""Offer no notebook where there is none: a page of text that runs code has no .ipynb that Colab could open."""


def forget_kernels(app, env):
    """Let the theme take such pages for what they are, so that it gives them no rocket."""
    for name, metadata in env.metadata.items():
        if env.doc2path(name, base=False).endswith(".md"):
            metadata.pop("kernelspec", None)


def setup(app):
    """Register with Sphinx."""
    app.connect("env-updated", forget_kernels)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
