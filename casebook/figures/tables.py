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
    return f'<details><summary>{escape(caption)}</summary><div style="overflow-x:auto">{table}</div></details>'
