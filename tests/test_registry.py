"""The list of long runs, and the rows they make: of small models here, of a stand-in for the hub, of every family."""

import json
from typing import get_args

import numpy as np
import pytest
from hub_process import run_on_hub
from model_hub import commit_of, model_hub
from reference import assert_filled, identity_error
from sources import saved

from casebook.reach import Needs
from casebook.registry import HUB, registry
from casebook.rows import TABLES
from casebook.rows.source import LENGTH
from casebook.tokens import error_summary
from casebook.written import matching
from linstudy import load, untrained
from linstudy.models import SMALL
from linstudy.study.results import results

TOKENS = 16 * LENGTH
# What a run makes besides the rows of its key, for comparison: of the text shuffled, of the whole model.
CONTROLS = {"profiles": {"corpus": "{corpus}, shuffled"}, "losses": {"action": "whole"}}


def test_every_run_has_a_name_of_its_own_and_takes_what_its_table_needs():
    runs = registry()
    assert len({run.name for run in runs}) == len(runs)
    assert all(run.key for run in runs)
    assert {run.needs for run in runs} == set(get_args(Needs))
    assert all(len(one["commit"]) == 40 and int(one["commit"], 16) for one in HUB.values())
    assert [run.key["model"] for run in runs if run.table.name == "families"] == list(SMALL)


def test_every_trained_model_has_its_random_control():
    for table in ("profiles", "boundaries"):
        keys = [run.key for run in registry() if run.table.name == table]
        trained, random, permuted = (
            {(key["model"], key["corpus"]) for key in keys if key["weights"] == weights}
            for weights in ("trained", "random", "permuted")
        )
        assert trained == random >= permuted
        assert set(HUB) < {model for model, _ in trained}


@pytest.mark.parametrize("name", TABLES)
def test_every_shipped_row_is_a_runs_and_the_identity_holds_in_every_one(name):
    """Or it is of an older model, and `linstudy results` would make it again; names of runs may change."""
    left = table = results(name)
    for run in (run for run in registry() if run.table.name == name):
        control = {column: value.format(**run.key) for column, value in CONTROLS.get(name, {}).items()}
        for key in (run.key, run.key | control):
            left = left.drop(matching(left, key).index)
    assert len(table)
    assert left.empty, left[list(TABLES[name].key)].drop_duplicates().to_string()
    if "update_ratio" in table:
        assert identity_error(table) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "mamba", "t5"])
def test_rows_of_a_family_have_every_stack_part_seed_and_control(name):
    table = TABLES["families"].rows(model=name, tokens=TOKENS)
    has_parts = name != "mamba"
    stacks = 2 if name == "t5" else 1
    assert len(table) == stacks * 3 * 3 * (4 if has_parts else 2)  # layers, seeds, parts and the shuffled control
    assert set(table.part) == ({"block", "attention", "mlp"} if has_parts else {"block"})
    assert table.groupby(["stack", "part", "corpus", "layer"], dropna=False).seed.nunique().eq(3).all()
    assert identity_error(table) < 1e-9
    assert table.text_hash.nunique() == 1 + 3  # one text, and three orders of its tokens


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A random model of the pocket shape."""
    return saved(tmp_path_factory.mktemp("model"), untrained(load("stories-1m")[0], seed=7))


@pytest.mark.slow
def test_profile_rows_hold_shards_parts_and_controls(source):
    for weights in ("trained", "random"):
        table = TABLES["profiles"].rows(source=source, tokens=TOKENS, weights=weights, dtype="float32")
        assert_filled(table, "profiles")
        assert set(table.part) == {"block", "attention", "mlp"}
        assert set(table.corpus) == {"stories", "stories, shuffled"}
        assert identity_error(table) < 1e-9
        blocks = table[(table.part == "block") & (table.corpus == "stories")]
        if weights == "trained":
            assert blocks.groupby("shard").text_hash.unique().map(len).tolist() == [1, 1, 1]
            assert blocks.text_hash.nunique() == 3
    assert blocks.groupby("seed").linearity.mean().nunique() == 3


@pytest.mark.slow
def test_boundary_and_outlier_rows_fill_their_tables(source):
    what = {"source": source, "tokens": TOKENS, "weights": "trained", "dtype": "float32"}
    boundaries = TABLES["boundaries"].rows(**what)
    assert boundaries.boundary.tolist() == list(range(9))
    assert_filled(boundaries, "boundaries")
    summary = error_summary(np.concatenate([np.ones(990), np.full(10, 10.0)]))
    assert (summary["median"], summary["p90"], summary["max"]) == (1, 1, 10)
    assert summary["worst_percent"] == pytest.approx(1000 / 1990)
    errors = boundaries[["error_median", "error_p90", "error_p99", "error_p999", "error_max"]]
    assert errors.iloc[0].isna().all()  # before the first layer there is none
    assert (errors.iloc[1:].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert boundaries.lens_nats.iloc[-1] == pytest.approx(np.log(2048), abs=0.5)  # random weights know nothing
    outliers = TABLES["outliers"].rows(**what)
    assert_filled(outliers, "outliers")
    assert identity_error(outliers) < 1e-9
    assert outliers.groupby("ablation").kept.first()["all tokens"] == 1


@pytest.mark.slow
def test_runs_on_the_hub_go_through_a_stand_in_for_it(source, tmp_path):
    """The registered code path, in a process of its own: two good models, and each way in which a hub fails."""
    files = {path.name: path.read_bytes() for path in source.place.iterdir()}
    names = ("org/good", "org/cut", "org/down", "org/other")
    script = f"""
        from casebook import registry
        from casebook.runs import run_missing
        from linstudy.text import CORPORA

        commits = {json.dumps({name: commit_of(name, "main") for name in (*names, "org/none")})}
        where = {{"size": "tiny", "dtype": "float32", "tuned": ""}}
        registry.HUB = {{name: where | {{"commit": commit}} for name, commit in commits.items()}}
        CORPORA["wikitext"] = CORPORA["stories"]  # models are what this is about
        runs = [run for run in registry.registry() if run.needs == "hub" and run.table.name == "outliers"]
        for run in runs:
            run.arguments["tokens"] = {TOKENS}
        print(run_missing(runs, folder={str(tmp_path)!r}))
        print(run_missing(runs, folder={str(tmp_path)!r}))
    """
    models = {name: {"main": files} for name in names}
    with model_hub(models, faults={"org/cut": "cut", "org/down": "503"}) as hub:
        said = run_on_hub(script, hub.url, tmp_path / "home").stdout.splitlines()
        asked = list(hub.requests)
    assert "[1/5] outliers-org/good-wikitext-trained: running" in said
    assert any(line.startswith("[2/5]") and "the download of model 'org/cut' broke off" in line for line in said)
    assert any(line.startswith("[3/5]") and "it answered 503" in line for line in said)
    assert any(line.startswith("[5/5]") and "there is no model 'org/none'" in line for line in said)
    assert said.count("1") == 2  # the exit status, both times
    assert said.count("[1/5] outliers-org/good-wikitext-trained: there") == 1  # the second time nothing is made again
    table = results("outliers", folder=tmp_path)
    assert table.model.unique().tolist() == ["org/good", "org/other"]
    assert table.revision.unique().tolist() == [commit_of(name, "main")[:12] for name in ("org/good", "org/other")]
    assert identity_error(table) < 1e-9
    weights = [one for one in asked if one.startswith("GET") and "good" in one and "safetens" in one]
    assert len(weights) == 1  # downloaded once, found in the cache after
