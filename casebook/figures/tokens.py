"""Draws a text whose tokens are coloured by a value, as markup that needs no other file."""

import math
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import ascii_lowercase

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from linstudy.show import words
from linstudy.show.pictures import Picture, download

from .tables import fallback_table

LEVELS = 24
"""How many colours a scale has: more than an eye tells apart in a text."""


def token_heatmap(
    tokens: Sequence[str],
    values: ArrayLike,
    *,
    label: str = "relative error",
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Colour each token of a text by its value, from pale (low) to dark (high).

    `tokens` are pieces of text as ``tokenizer.decode([id])`` gives them, or SentencePiece's, whose ▁ is a space; any
    text is safe in them. Line breaks, tabs and lone spaces get a mark, and a line breaks where the text's does; bytes
    that are no text are �. `values` has one number a token; NaN stays without colour. `label` says what they are: the
    name of a column, or words. Give pictures that take each other's place the same `limits`: what lies beyond them gets
    the colour of the end.

    The value of a token is its tooltip, and all of them stand in a table below that opens on a click. The words are
    how the text begins, its three highest tokens and its lowest.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(tokens),):
        raise ValueError(f"{len(tokens)} tokens need as many values, and the shape of values is {values.shape}")
    if np.isnan(values).all():
        raise ValueError(f"none of the {len(tokens)} tokens has a value, so there is nothing to colour")
    low, high = _limits(values, limits)
    name = words.label(label)
    shown = [_visible(token) for token in tokens]
    alt = _alt(name, shown, values)
    text = "".join(map(_span, shown, values, _levels(values, low, high)))
    left = f"{'≤ ' if np.nanmin(values) < low else ''}{low:.3g}"
    right = f"{'≥ ' if np.nanmax(values) > high else ''}{high:.3g}"
    html = (
        f'<div role="img" class="linstudy-tokens mathjax_ignore" aria-label="{escape(alt)}"><style>{look()}</style>'
        f"<p>{escape(name)}\n{left} <i></i> {right}</p><p>{text}</p></div>"
    )
    rows = zip(range(1, len(shown) + 1), map(_mark, shown), values, strict=True)
    table = pd.DataFrame(rows, columns=["token", "text", name])
    marked = table.assign(text=table.text.str.replace("^ ", "·", regex=True))  # a table's cells lose their first blank
    return Picture(html, alt, fallback_table(marked, caption="Every token and its value") + download(table, alt))


@cache
def look() -> str:
    """Return the style of all heat maps (tokens.css), on one line."""
    text = (files(__package__) / "tokens.css").read_text(encoding="utf-8")
    return text[text.index("*/") + 2 :].replace("\n", "")


def _limits(values: np.ndarray, limits: tuple[float, float] | None) -> tuple[float, float]:
    low, high = limits or (float(np.nanmin(values)), float(np.nanmax(values)))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"a scale cannot reach from {low:g} to {high:g}: give finite limits")
    if limits and not low < high:
        raise ValueError(f"limits are {limits}; the first must be below the second")
    return low, high


def _levels(values: np.ndarray, low: float, high: float) -> list[int]:
    """Return the level of each value, from 0; a missing value has -1."""
    share = (values - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.0)
    return np.where(np.isnan(share), -1, np.clip(share * LEVELS, 0, LEVELS - 1)).astype(int).tolist()


# Controls, what turns the direction of writing, halves of surrogate pairs; then those with a mark of their own.
_NO_TEXT = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
_MARKS = dict.fromkeys(_NO_TEXT, "�")
_MARKS |= {code: chr(0x2400 + code) for code in range(32)} | {127: "␡"}
_MARKS |= {ord("\n"): "↵\n", ord("\t"): "→\t", 0x2028: "↵\n", 0x2029: "↵\n", ord("▁"): " "}


def _visible(token: str) -> str:
    """Put marks for what would not be seen, and for what would turn the text around it."""
    if all(unicodedata.category(letter) == "Cf" for letter in token):
        return "∅"
    text = token.translate(_MARKS)
    return text if text.strip(" ") else "·" * len(text)


def _mark(shown: str) -> str:
    return shown.replace("\n", "").replace("\t", "")


def _span(shown: str, value: float, level: int) -> str:
    color = f" class={ascii_lowercase[level]}" if level >= 0 else ""
    text, before = escape(shown), ""
    if text.startswith(" "):  # a line breaks before the space, or its ground would stay behind
        text, before = "\xa0" + text[1:], "<wbr>"
    said = "'no value'" if np.isnan(value) else words.number(value)
    return f"{before}<span{color} title={said}>{text}</span>"


def _alt(name: str, shown: list[str], values: np.ndarray) -> str:
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))].tolist()  # NaN comes last

    def told(place: int) -> str:
        return f"{words.number(values[place])} (“{_mark(shown[place]).strip()}”, token {place + 1})"

    begin = _mark("".join(shown)).strip()
    begin = begin if len(begin) <= 40 else begin[:40].rsplit(" ", 1)[0] + " …"
    highest = ", ".join(told(place) for place in order[::-1][:3])
    missing = len(values) - len(order)
    without = f"; {missing} without a value" if missing else ""
    said = f"highest {highest}; lowest {told(order[0])}{without}"
    return f"Text of {len(values)} tokens, “{begin}”, coloured by {name}: {said}."
