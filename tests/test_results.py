"""The tables of long runs keep every row, to the last bit, whatever happens; their provenance names nobody."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casebook.published import paper_table
from casebook.written import append, have
from linstudy.lookup import entries
from linstudy.study.provenance import commit, provenance, shown
from linstudy.study.results import results
from linstudy.study.tables import TABLES, Provenance, Table

TEXTS = {name for name, one in entries("columns.csv").items() if one["holds"] == "text"}
KEY = {"model": "pocket", "step": None, "seed": 0, "part": "block", "corpus": "stories", "tokens": 1024, "shard": 0}
KEY |= {"weights": "trained", "revision": "123456789012"}  # digits alone: must not come back as a number


def rows(layers=2, value=0.1, **changes):
    said = dict.fromkeys(("dtype", "text_hash", "command", "commit", "date", "versions", "hardware"), "text")
    rest = dict.fromkeys(TABLES["profiles"].header, value) | said | KEY | {"length": 256}
    return pd.DataFrame([rest | {"layer": layer} for layer in range(1, layers + 1)]).assign(**changes)


def test_what_was_appended_comes_back_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).random(3) * 1e-9 + 1 / 3
    append("profiles", rows(3, linearity=values, heldout=np.float32(0.1), linearity_heldout=np.nan), folder=tmp_path)
    back = results("profiles", folder=tmp_path)
    assert back["linearity"].tolist() == values.tolist()
    assert back["heldout"].tolist() == [float(np.float32(0.1))] * 3
    assert back["linearity_heldout"].isna().all()
    assert back["revision"].tolist() == ["123456789012"] * 3
    assert back["step"].isna().all()
    assert tuple(back.columns) == TABLES["profiles"].header


def test_a_row_of_the_same_key_is_replaced_in_its_place(tmp_path):
    append("profiles", rows(3, value=0.5), folder=tmp_path)
    append("profiles", rows(2, seed=1), folder=tmp_path)
    append("profiles", rows(3).query("layer == 2").assign(linearity=0.75), folder=tmp_path)
    back = results("profiles", folder=tmp_path)
    assert back[["seed", "layer"]].values.tolist() == [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2]]
    assert back["linearity"].tolist() == [0.5, 0.75, 0.5, 0.1, 0.1]
    before = (tmp_path / "profiles.csv").read_bytes()
    append("profiles", back, folder=tmp_path)
    assert (tmp_path / "profiles.csv").read_bytes() == before


def test_a_measure_that_was_not_taken_is_an_empty_cell_and_a_column_of_a_later_version_is_kept(tmp_path):
    append("profiles", rows(1).drop(columns=["anisotropy", "dtype"]), folder=tmp_path)
    append("profiles", rows(1, seed=1, new_measure=0.25), folder=tmp_path)
    back = results("profiles", folder=tmp_path)
    assert tuple(back.columns) == (*TABLES["profiles"].header, "new_measure")
    assert back["anisotropy"].isna().tolist() == [True, False]
    assert back["dtype"].tolist() == ["", "text"]
    assert back["new_measure"].fillna(-1).tolist() == [-1, 0.25]
    new = Table("new", key=("model",))  # has no file yet
    assert new.header == new.columns == ("model", *Provenance.__annotations__)


def test_have_asks_for_key_columns(tmp_path):
    assert not have("profiles", folder=tmp_path, **KEY)
    append("profiles", rows(2), folder=tmp_path)
    assert have("profiles", folder=tmp_path, **KEY)
    assert have("profiles", folder=tmp_path, model="pocket", layer=2)
    for other in ({"step": 0}, {"tokens": 2048}):
        assert not have("profiles", folder=tmp_path, **KEY | other)
    with pytest.raises(ValueError, match=r"linearity: no key column of profiles; they are model, revision"):
        have("profiles", folder=tmp_path, linearity=0.1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda: rows().drop(columns=["commit", "hardware"]), "lack the columns commit, hardware"),
        (lambda: pd.concat([rows(1), rows(1)]), r"two rows for profiles have the same key \('pocket'"),
        (lambda: rows(1, tokens="many"), r"column tokens must hold whole numbers, not \['many'"),
    ],
    ids=["columns", "key", "type"],
)
def test_bad_rows_are_refused_before_anything_is_written(tmp_path, bad, message):
    with pytest.raises(ValueError, match=message):
        append("profiles", bad(), folder=tmp_path)
    assert os.listdir(tmp_path) == []


def test_the_shipped_tables_can_be_read():
    for table, known in TABLES.items():
        shipped = results(table)
        assert set(shipped.select_dtypes(exclude="number")) <= TEXTS  # what columns.csv does not name is a number
        assert not shipped.duplicated(list(known.key)).any()
        assert shipped[["command", "commit", "versions", "hardware"]].ne("").all(axis=None)


def test_provenance_names_no_user_and_no_folder_of_the_machine():
    home = str(Path.home())
    typed = ["/usr/bin/linstudy", "profile", f"{home}/my models/m1", "--text=/data/ann/a.txt", "--csv", "../bob/x.csv"]
    assert shown(typed) == "linstudy profile m1 --text=a.txt --csv x.csv"
    assert shown("/a/b/linstudy/__main__.py profile ~/models/m 'C:\\Users\\ann\\t.txt'") == "linstudy profile m t.txt"
    # Control: names, addresses and paths inside this folder stay.
    kept = "linstudy profile EleutherAI/pythia-70m --text https://example.org/a.txt --layers 1,3-5 --csv out/x.csv"
    assert shown(kept) == kept
    found = provenance(command=[*typed, str(Path.cwd() / "model")], minutes=1.23456)
    assert set(found) == set(Provenance.__annotations__)
    assert found["command"] == f"{shown(typed)} model"
    assert (found["minutes"], found["versions"][:7], "cores" in found["hardware"]) == (1.235, "torch 2", True)
    told = " ".join(str(value) for value in found.values())
    assert not [one for one in (str(Path.cwd()), home, os.sep + getpass.getuser()) if one in told]


def test_commit_tells_changes_but_not_those_of_the_tables(tmp_path):
    def git(*words):
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", tmp_path, *author, *words], check=True, capture_output=True)

    assert commit(tmp_path) == "unknown"
    git("init")
    assert commit(tmp_path) == "unknown"  # nothing committed yet
    (tmp_path / "linstudy" / "results").mkdir(parents=True)
    (tmp_path / "linstudy" / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    clean = commit(tmp_path)
    assert len(clean) == 12
    (tmp_path / "linstudy" / "results" / "profiles.csv").write_text("rows")
    assert commit(tmp_path) == clean
    (tmp_path / "linstudy" / "code.py").write_text("2")
    assert commit(tmp_path) == f"{clean}+changes"


def test_the_papers_tables_are_here_with_means_that_are_those_of_their_columns():
    """Plain means: of ten columns in Table 2, which counts two tasks twice, and of four grades in Table 3."""
    for number, columns in ((2, 10), (3, 4)):
        table = paper_table(number).set_index("model")
        parts = table.drop(columns="mean")
        assert parts.shape == (6, columns)
        assert (parts.mean(axis=1) - table["mean"]).abs().max() < 0.0051
    assert paper_table(1).groupby("task").model.nunique().tolist() == [7] * 4
    assert (paper_table(1).change > 0).all()  # "all values strictly positive"
    with pytest.raises(ValueError, match=r"table 9 of the paper is not here; those that are: .*2, 3"):
        paper_table(9)


WRITER = """
import sys
from test_results import append, rows
for seed in range(12):
    append("profiles", rows(1, seed=seed, model=sys.argv[1]), folder=sys.argv[2])
"""


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"model,layer\n1,2,3\n4,5,6,7,8\n", b"model,seed\na,1\n"])
def test_a_file_that_is_no_table_is_a_sentence(tmp_path, content):
    (tmp_path / "profiles.csv").write_bytes(content)
    found = r"lacks the columns .*layer.*; restore" if b"seed" in content else r"is no table \(.*\); restore"
    with pytest.raises(ValueError, match=rf"profiles\.csv {found} it with `git checkout`"):
        results("profiles", folder=tmp_path)
    with pytest.raises(ValueError, match=r"no table 'profile': did you mean 'profiles'\? the names are profiles"):
        results("profile", folder=tmp_path)


def test_two_processes_that_write_one_table_lose_no_row(tmp_path):
    words = [sys.executable, "-c", WRITER]
    writers = [subprocess.Popen([*words, name, tmp_path], cwd=Path(__file__).parent) for name in ("one", "other")]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0]
    table = results("profiles", folder=tmp_path)
    assert table.groupby("model").seed.nunique().to_dict() == {"one": 12, "other": 12}
    assert os.listdir(tmp_path) == ["profiles.csv"]
