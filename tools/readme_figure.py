"""Draw the figure that the README opens with, which is the book's, from the table of long runs."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

from casebook.claims.real import headline
from linstudy.files import written_whole
from linstudy.show import profile_plot, style

TARGET = Path(__file__).resolve().parent.parent / "book" / "_static" / "readme-profile.png"


def main() -> None:
    style()
    figure, ax = plt.subplots(figsize=(8, 4.5))
    lines, twin = headline()
    profile_plot(lines, y="linearity_heldout", hue="counted", control=twin, ax=ax)
    with written_whole(TARGET) as path:
        figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
