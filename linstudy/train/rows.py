"""The rows of a run: a bar while they come, a table on the disk that a resumed run goes on with, a summary."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm.auto import tqdm

from ..files import writing, written_whole

COLUMNS = ("step", "tokens", "training_nats", "penalty", "validation_nats", "rate", "gradient_norm")
COLUMNS += ("tokens_per_second",)
Row = dict[str, int | float | None]


def with_bar(rows: Iterable[Row], *, steps: int, name: str | None = None, disable: bool | None = None) -> Iterator[Row]:
    """Pass on the rows of a run under a bar of its steps; by default only in a terminal or a notebook."""
    with tqdm(total=steps, desc=name, unit="step", disable=disable) as bar:
        for number, row in enumerate(rows):
            if not number and row["step"]:
                # A resumed run's steps were not done now: counted, they would make the rest look short.
                bar.initial = bar.n = max(0, row["step"] - 1)
            bar.update(row["step"] - bar.n)
            if row["training_nats"] is not None:
                bar.set_postfix(loss=f"{row['training_nats']:.3f}", tokens_s=f"{row['tokens_per_second']:,.0f}")
            yield row


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Append rows to a table as they come; a resumed run takes the place of the rows written after its checkpoint."""
    for number, row in enumerate(rows):
        if not number:
            keep_rows(path, before=row["step"])
        with writing(path), path.open("a", newline="") as file:
            cells = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(cells)


def keep_rows(path: Path, *, before: int) -> None:
    """Write the table anew with its complete rows of earlier steps, or with its header alone."""
    # A run killed while it wrote leaves a row that lacks its last cells.
    whole = [row for row in read_rows(path) if None not in row.values()] if path.exists() else []
    with written_whole(path) as unfinished, unfinished.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(row for row in whole if int(row["step"]) < before)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table, as they stand there."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def minutes(rows: list[dict[str, str]]) -> float:
    """Return how long the training took that a table tells of, over all its resumed parts."""
    spent, tokens = 0.0, 0
    for row in rows:
        if row["tokens_per_second"]:  # none before the first step
            spent += (int(row["tokens"]) - tokens) / float(row["tokens_per_second"]) / 60
        tokens = int(row["tokens"])
    return round(spent, 1)
