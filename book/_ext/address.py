"""Let pages write {{ repository }} and {{ clone }} instead of the repository's address."""


def offer_address(app, config):
    """Make substitutions of the address that stands in _config.yml."""
    url = config.html_theme_options["repository_url"].rstrip("/")
    config.myst_substitutions = {
        "repository": f"[{url.removeprefix('https://')}]({url})",
        "clone": f"```sh\ngit clone {url}\ncd {url.rsplit('/', 1)[1]}\nmake book\n```",
        **config.myst_substitutions,
    }


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", offer_address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
