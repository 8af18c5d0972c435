"""What others printed, to compare with: numbers of the paper and of its authors' notebook."""

import pandas as pd

from linstudy.study.results import home


def published() -> pd.DataFrame:
    """Return what others printed: figures of the paper and of its authors' notebook, read off images.

    Columns: ``source``; ``model`` and its ``width``; ``score`` (the column of a profile that it corresponds to);
    ``place`` ("layer 3", "first", "last", or "plateau", the median over the middle of the model); ``value`` and its
    ``uncertainty``, half the range where the reading is one. None of them was measured here.
    """
    return pd.read_csv(home(None) / "published.csv")


def paper_table(number: int) -> pd.DataFrame:
    """Return a table of the paper as it is printed there; none of it was measured here.

    1: change of update linearity by fine-tuning and its deviation, a row a model and task. 2: zero-shot tasks of
    SuperGLUE and StoryCloze, in per cent, and their mean as printed. 3: stories graded by GPT-4, from 1 to 10. Tables 2
    and 3 have one training run a row, without spread. Raises ValueError for a table that is not here.
    """
    path = home(None) / f"paper-table-{number}.csv"
    if not path.is_file():
        there = sorted(int(file.stem.rpartition("-")[2]) for file in path.parent.glob("paper-table-*.csv"))
        raise ValueError(f"table {number} of the paper is not here; those that are: {', '.join(map(str, there))}.")
    return pd.read_csv(path)
