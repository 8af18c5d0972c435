"""A bar for a run: how far it is, its loss, its speed, and the time that is left."""

from collections.abc import Iterable, Iterator

from tqdm.auto import tqdm

Row = dict[str, int | float | None]


def with_bar(rows: Iterable[Row], *, steps: int, name: str | None = None, disable: bool | None = None) -> Iterator[Row]:
    """Pass on the rows of a run and draw a bar of its steps; by default only in a terminal or a notebook.

    The time left is that of the steps alone as long as whoever takes the rows is quick.
    """
    with tqdm(total=steps, desc=name, unit="step", disable=disable) as bar:
        for number, row in enumerate(rows):
            if not number and row["step"]:
                # A resumed run's steps were not done now: counted, they would make the rest look short.
                bar.initial = bar.n = max(0, row["step"] - 1)
            bar.update(row["step"] - bar.n)
            if row["training_nats"] is not None:
                bar.set_postfix(loss=f"{row['training_nats']:.3f}", tokens_s=f"{row['tokens_per_second']:,.0f}")
            yield row
