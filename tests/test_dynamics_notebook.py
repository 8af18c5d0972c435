"""The chapter on dynamics says what its long tables say, and where they are empty, that they are."""

import re

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from nbclient import NotebookClient

from linstudy.study.results import TABLES, append
from linstudy.study.table import Provenance

PATH = ROOT / "notebooks" / "03-dynamics.ipynb"
PATCH = """
from linstudy.study import results as tables
real = tables.results
def results(table, **options):
    return real(table, folder={folder!r}) if table in ("dynamics", "finetuning") else real(table, **options)
tables.results = results
"""
SEEDS, LAYERS = (0, 1, 2), (1, 2)
MADE = {name: 0.0 if name == "minutes" else "made up" for name in Provenance.__annotations__}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def said(folder):
    """Run the notebook on the tables of a folder, its live parts cut to a few steps; return all that it says."""
    notebook = nbformat.read(PATH, 4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in {"STEPS": 4, "TUNED": 1, "TASK": "'sense'"}.items():
        cell.source, count = re.subn(rf"^{name} = [^#\n]*", f"{name} = {value}  ", cell.source, flags=re.MULTILINE)
        assert count == 1
    notebook.cells.insert(1, nbformat.v4.new_code_cell(PATCH.format(folder=str(folder))))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(PATH.parent)}}).execute()
    assert "widgets" in notebook.metadata
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}) for output in outputs]
    return "\n".join(str(data.get("text/markdown", "")) + str(data.get("text/html", "")) for data in shown)


def filled(table, rows):
    """Give made-up rows the columns that they lack."""
    rest = {name: 0.5 for name in TABLES[table].columns if name not in rows and name not in MADE}
    return rows.assign(**rest, **MADE)


def made_up_dynamics():
    """Runs in which LS falls and LS_res rises, the same in all seeds but for a little."""
    rows = []
    for name, weight in (("none", 0.0), ("mse", 0.5)):
        for seed in SEEDS:
            for step in (0, 1, 128, 256):
                for layer in LAYERS:
                    gone = np.log2(1 + step) / 8 * (1 + 0.01 * seed + 0.1 * weight)
                    row = {"penalty": name, "weight": weight, "seed": seed, "step": step, "layer": layer}
                    row |= {"update_linearity_raw": 0.3 + 0.02 * layer + 0.2 * gone, "update_ratio": 0.1 + 0.2 * gone}
                    rows.append(row | {"validation_nats": 6 - 3 * gone})
    table = pd.DataFrame(rows)
    table["linearity_raw"] = 1 - (1 - table.update_linearity_raw) * table.update_ratio
    table = table.assign(linearity=table.linearity_raw, update_linearity=table.update_linearity_raw)
    texts = {"model": "nano", "revision": "", "preset": "nano", "corpus": "stories", "scaling": "none"}
    whole = {"tokens": 1024, "length": 256, "text_hash": "made up", "training_tokens": 1024}
    return filled("dynamics", table.assign(**texts, **whole))


def made_up_finetuning():
    """Changes: up in one task, down in another, neither in a third, and none of them a matter of the labels."""
    rows = [
        {"task": task, "shuffled": shuffled, "text": text, "seed": seed, "layer": layer}
        | {"delta_update_linearity": change * (1 + 0.1 * seed) if change else (seed - 1) * 0.1}
        for task, change in (("question", 0.02), ("sense", -0.03), ("preference", 0.0), ("stories", 0.01))
        for shuffled in ((0,) if task == "stories" else (0, 1))
        for text in ("task", "fixed")
        for seed in SEEDS
        for layer in LAYERS
    ]
    table = pd.DataFrame(rows)
    whole = {"tokens": 1024, "length": 256, "steps": 60, "text_hash": "made up"}
    table = table.assign(model="stories-1m", revision="made up", **whole, constant=0.5, loss=0.7)
    table["accuracy"] = np.where(table.task == "question", 0.9 + 0.01 * table.seed, 0.5)
    return filled("finetuning", table)


def test_empty_tables_are_said_to_be_empty(tmp_path):
    text = said(tmp_path)
    for table in ("dynamics", "finetuning"):
        assert f"The table `{table}.csv` has no rows of such runs" in text
    assert "Claim C4" not in text
    assert "Claim C5" not in text
    assert "0.217 ± 0.038" in text  # the paper's own table stands
    assert "Not run here" in text  # published checkpoints


def test_verdicts_are_those_of_the_tables(tmp_path):
    append("dynamics", made_up_dynamics(), folder=tmp_path)
    append("finetuning", made_up_finetuning(), folder=tmp_path)
    text = said(tmp_path)
    assert "Not run yet" not in text
    assert "Of the 4 readings, for runs without a penalty: 2 confirmed, 2 contradicted" in text
    assert "confirmed for LS from step 0, LS from step 128; contradicted for LS_res from step 0" in text
    for name in ("task's", "fixed"):
        counts = "it rises in 1 of 3 tasks, falls in 1, and is undecided in 1: **contradicted**"
        assert f"on the {name} text {counts}" in text
    assert "true labels differ from shuffled ones beyond the seeds in 0 of 6 rows" in text
    assert "Of the 3 tasks, 1 were learnt (question)" in text
    assert "without any labels: LS_res rises in 2 of 2 rows" in text
    assert "At 3.00 nats, the lowest loss that all runs reach" in text
