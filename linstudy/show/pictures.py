"""Turns a figure into a picture that needs no other file: markup that carries its drawing and its words."""

import base64
import io
import re
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from .words import table_of, words_of

WIDTH = 540  # of a picture on a page that has the room, in CSS pixels


@dataclass(frozen=True)
class Picture:
    """A drawing as HTML with the words that stand in for it; a notebook shows it as it is.

    `numbers` are the drawing's, to take away (`download`) or to read (`fallback_table`); they follow below.
    """

    html: str
    alt: str
    numbers: str = ""

    def _repr_html_(self) -> str:
        return self.html + self.numbers


def picture(
    drawn: Axes | Figure, *, alt: str | None = None, form: str = "svg", table: pd.DataFrame | None = None
) -> Picture:
    """Draw a figure once, close it, and keep it as a picture with a white ground that never overflows a phone.

    `form` is "svg" for lines (sharp at any size, 6-25 kB, and its letters stay letters) or "png" for heat maps (200
    dots an inch in 64 colours). The same figure gives the same bytes. Figures of one size give pictures of one size, so
    a page does not jump when one takes the place of another. Its words are those that the book's plots keep with
    their axes, or `alt`; a picture without words is a ValueError. Below it what is drawn can be had as a file: the
    table that the plots keep with their axes, or `table`.
    """
    alt = words_of(drawn) if alt is None else alt
    if not alt.strip():
        raise ValueError("a picture needs words for those who cannot see it: give alt=, or draw it with linstudy.show")
    if form not in ("svg", "png"):
        raise ValueError(f"form is {form!r}; it can be 'svg' or 'png'")
    table = table_of(drawn) if table is None else table
    figure = drawn.get_figure() if isinstance(drawn, Axes) else drawn
    markup = _svg(figure, alt) if form == "svg" else _png(figure, alt)
    plt.close(figure)
    return Picture(markup, alt, "" if table is None else download(table, alt))


def download(df: pd.DataFrame, alt: str) -> str:
    """Write a link, in a part that opens on a click, to a table as a CSV file that the link itself carries.

    The first words of `alt` name both. The file's SHA-256 follows; the book adds the drawing (book/_static/figures.js).
    """
    text = df.to_csv(index=False, float_format="%.8g", lineterminator="\n")
    digest, of = sha256(text.encode()).hexdigest(), escape(" ".join(alt.split()[:8]))
    href = f"data:text/csv;charset=utf-8,{quote(text, safe=',.:;()/=+*!')}"
    return (
        f'<details class="linstudy-data"><summary aria-label="Data: {of}">Data</summary>'
        f'<a aria-label="CSV: {of}" download="{digest[:8]}.csv" href="{escape(href)}">CSV</a>'
        f" of {len(df)} rows, SHA-256 <code>{digest}</code></details>"
    )


_LOOK = "max-width:100%;height:auto;background:#fff"


def _svg(figure: Figure, alt: str) -> str:
    buffer = io.StringIO()
    # The salt makes the ids inside: pictures on one page must not share them.
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": alt}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    view = re.search(r'viewBox="[^"]*"', text)[0]
    body = text[text.index("</metadata>") + len("</metadata>") : text.rindex("</svg>")]
    # Matplotlib's style element says this for "*", which would be every drawing of the page.
    body = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", _shorter, body)
    body = re.sub(r">\s*\n\s*<", "><", body).strip()
    body = re.sub(rf"(?:{_LETTER})+", _joined, body)
    font = found[0] if (found := re.search(r"font-family: [^;\"]*", body)) else "font-family: sans-serif"
    body = body.replace(f"{font}; ", "")  # said once, for the whole drawing
    return (
        f'<svg role="img" aria-label="{escape(alt)}" {view} width="{WIDTH}" '
        f'style="{_LOOK};stroke-linejoin:round;stroke-linecap:butt;{font}" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">{body}</svg>'
    )


def _shorter(tag: re.Match) -> str:
    """Round a tag's coordinates to a hundredth of a point, put it on one line, drop the names nothing refers to."""
    text = re.sub(r"(\.\d\d)\d+", r"\1", tag[0])
    text = re.sub(r'^<g id="[^"]*"| transform="rotate\(-0 [^"]*"', lambda m: "<g" if m[0][0] == "<" else "", text)
    return re.sub(r"\s+", " ", text)


_LETTER = r'<tspan x="([^"]*)" y="([^"]*)" style="([^"]*)">([^<]*)</tspan>'


def _joined(run: re.Match) -> str:
    """Write the letters of a formula, each in a tag of its own, as one text wherever they share line and style."""
    joined = ""
    for (y, style), letters in groupby(re.findall(_LETTER, run[0]), itemgetter(1, 2)):
        across, *_, text = zip(*letters, strict=True)
        joined += f'<tspan x="{" ".join(across)}" y="{y}" style="{style}">{"".join(text)}</tspan>'
    return joined


def _png(figure: Figure, alt: str) -> str:
    buffer, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    image = Image.open(buffer).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(packed, "png", optimize=True)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'<img alt="{escape(alt)}" width="{WIDTH}" style="{_LOOK}" src="data:image/png;base64,{data}">'
