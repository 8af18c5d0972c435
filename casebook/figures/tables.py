"""A figure's numbers for those who cannot see it, as a table that opens on a click."""

import re
from html import escape

import pandas as pd

from linstudy.show.words import named, number


def fallback_table(df: pd.DataFrame, *, caption: str = "The numbers as a table") -> str:
    """Write a table as HTML that opens on a click: the figure's numbers for readers without scripts or without eyes.

    Its columns are called as in the book (`named`).
    """
    table = named(df).to_html(index=False, border=0, float_format=number, na_rep="", classes="linstudy-table")
    table = re.sub(r">\n\s*<", "><", table).replace("<th>", '<th scope="col">')
    table = re.sub(r"<tr><td>([^<]*)</td>", r'<tr><th scope="row">\1</th>', table)  # text in a cell has no tags
    return f"<details><summary>{escape(caption)}</summary>{scrolling(table, caption)}</details>"


def scrolling(table: str, caption: str) -> str:
    """Put a table into a box of its own, in which it scrolls, also from the keyboard."""
    box = f'class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"'
    return f'<div {box} style="overflow-x:auto">{table}</div>'
