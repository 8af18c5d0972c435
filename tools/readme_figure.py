"""Draw the figure that the README opens with, from the table of long runs."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

import linstudy
from linstudy.files import written_whole
from linstudy.show import style

TARGET = Path(__file__).resolve().parent.parent / "book" / "_static" / "readme-profile.png"
PANELS = {"stories-1m": "stories", "stories260K": "tinystories-train-sample"}  # a model and the text it learnt from


def main() -> None:
    table = linstudy.results("profiles").query("part == 'block'")
    style()
    figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex="col")
    for column, (model, corpus) in zip(axes.T, PANELS.items(), strict=True):
        shown = table[(table.model == model) & (table.corpus == corpus)]
        trained, random = (shown[shown.weights == weights] for weights in ("trained", "random"))
        trained = trained.assign(model=f"{model}, trained")
        for ax, score in zip(column, ("linearity", "update_linearity"), strict=True):
            linstudy.profile_plot(
                trained.assign(model=f"{model}, trained"), y=score, hue="model", control=random, ax=ax
            )
    with written_whole(TARGET) as path:
        figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
