"""Figures, tables and templates as the markup of a page; whatever a cell holds is text."""

import math
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from linstudy.show import picture
from linstudy.show.words import number

from ..figures.tables import scrolling

# What columns are called in a table of a report.
NAMES = {"linearity_heldout": "LS", "update_linearity_heldout": "LS_res", "update_ratio": "update ratio"}
NAMES |= {"norm_ratio": "norm ratio", "kept": "tokens kept", "times_median": "in medians", "massive": "massive entries"}
NAMES |= {"outliers": "outlier tokens", "outlier_variance": "their share of variance", "below": "below both twins"}


def filled(name: str, parts: dict[str, str]) -> str:
    """Return a template of this folder with its places filled."""
    return Template((files(__package__) / name).read_text(encoding="utf-8")).substitute(parts)


def figure(drawn: Axes | Figure) -> str:
    """Draw a figure into markup, with its words."""
    return f"<figure>{picture(drawn).html}</figure>"


def table(df: pd.DataFrame, caption: str) -> str:
    """Write a table that scrolls in its own box, also from the keyboard; whatever its cells hold is text."""
    kinds = [" class=words" if df[name].map(lambda cell: isinstance(cell, str)).any() else "" for name in df]
    names = zip(kinds, df.columns, strict=True)
    head = "".join(f'<th scope="col"{kind}>{escape(NAMES.get(name, str(name)))}</th>' for kind, name in names)
    body = "".join(
        f'<tr><th scope="row"{kinds[0]}>{_cell(first)}</th>'
        + "".join(f"<td{kind}>{_cell(cell)}</td>" for kind, cell in zip(kinds[1:], row, strict=True))
        + "</tr>\n"
        for first, *row in df.astype(object).itertuples(index=False)
    )
    table = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody>"
    return scrolling(f"<table>{table}</table>", caption)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else number(value)
    return escape(str(value))


def more(df: pd.DataFrame, caption: str) -> str:
    """Write a table that opens on a click."""
    return f"<details><summary>{escape(caption)}</summary>{table(df, caption)}</details>"
