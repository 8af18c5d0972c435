"""The page of claims: its rows from made-up tables whose answer is known, and that its verdicts are said alike."""

import re
from pathlib import Path

import pandas as pd
import pytest

from linstudy.study.claims.paper import ALL, COLUMNS, ENCODER, REAL, WITHOUT, evidence, headline
from linstudy.study.results import TABLES

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = [f"C{number}" for number in range(1, 10)]
GRADES = ("holds", "holds with a condition", "not settled here", "does not hold", "cannot be tested")


def layers(model, scores, *, weights="trained", ablation=ALL, part="block", corpus="text"):
    """Rows of a profile: one a layer and one of two shards, which differ by 0.02."""
    return [
        {"model": model, "weights": weights, "corpus": corpus, "ablation": ablation, "part": part, "layer": layer}
        | {"shard": shard, "linearity": score + 0.01 * (-1) ** shard, "update_linearity": score / 2}
        | {"update_ratio": 0.1, "norm_ratio": 0.3, "cosine": 0.9}
        for layer, score in enumerate(scores, start=1)
        for shard in (0, 1)
    ]


@pytest.fixture
def tables():
    """Two decoders and an encoder; what must not be counted scores 0."""
    small = layers("stories-1m", [0.5, 0.7, 0.9]) + layers("stories-1m", [0.8, 0.8, 0.8], weights="random")
    small += layers("stories-1m", [0.0] * 3, part="mlp") + layers("stories-1m", [0.0] * 3, corpus="text, shuffled")
    real = layers(REAL, [0.99, 0.995]) + layers(REAL, [0.9, 0.91], ablation=WITHOUT)
    real += layers(REAL, [0.95, 0.95], weights="random") + layers(REAL, [0.0] * 2, ablation="first 1 left out")
    real += layers(ENCODER, [0.6, 0.8]) + layers(ENCODER, [0.99, 0.99], weights="random")
    family = pd.DataFrame(layers("bert", [0.4, 0.6])).assign(stack=None)
    found = {"profiles": small + layers(REAL, [0.0] * 2), "outliers": real, "families": family}
    return {name: pd.DataFrame(rows) for name, rows in found.items()}.__getitem__


def test_a_claim_takes_the_layers_that_it_is_about_and_no_others(tables):
    found = evidence("C1", tables).set_index(["measure", "model"])
    assert list(found.reset_index()[COLUMNS]) == COLUMNS
    small = found.loc[("LS", "stories-1m")]
    assert small[["value", "low", "high", "its value"]].tolist() == pytest.approx([0.7, 0.5, 0.9, 0.8])
    assert found.loc[("LS, outliers left out", REAL), "value"] == pytest.approx(0.905)
    assert found.value["share of layers near 0.99"].to_dict() == {"stories-1m": 0, REAL: 1}
    assert ENCODER not in found.index.unique("model")


def test_the_headline_is_of_the_real_model_alone(tables):
    rows = tables("outliers").assign(corpus="wikitext-2-valid")
    lines, twin = headline({"outliers": rows}.__getitem__)
    means = lines.groupby("counted", sort=False).linearity.mean()
    assert means.tolist() == pytest.approx([0.9925, 0.905, 0.4525])
    assert len(twin) == 4
    assert (twin.weights == "random").all()


def test_the_encoder_stands_beside_families_in_the_claim_about_others(tables):
    found = evidence("C9", tables).set_index("model")
    assert found.loc[ENCODER, ["value", "its value"]].tolist() == pytest.approx([0.7, 0.99])
    assert found.loc["bert", ["value", "spread over"]].tolist() == [pytest.approx(0.5), "2 layers"]
    assert REAL not in found.index


def test_costs_are_ranked_by_the_score_that_follows_them():
    costs = pd.DataFrame(
        {"model": "m", "shard": 0, "action": action, "layer": layer, "delta_nats": cost, "linearity": 1 - cost}
        | dict.fromkeys(("block_influence", "norm_ratio", "angular_distance", "cca_distance", "cca_bound"), cost)
        | {"update_linearity": cost}
        for action in ("remove", "affine")
        for layer, cost in ((1, 0.9), (2, 0.1), (3, 0.5))
    )
    found = evidence("C7", {"layer_costs": costs}.__getitem__).set_index("measure")
    assert found.loc["tau of LS and cost, remove", "value"] == pytest.approx(1)
    assert found.loc["tau of LS_res and cost, affine", "value"] == pytest.approx(-1)
    assert found.loc["nats lost, remove", ["value", "high"]].tolist() == [0.5, 0.9]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_has_rows_in_the_shipped_tables(claim):
    found = evidence(claim)
    assert len(found)
    assert found.value.notna().all()
    assert set(found.table) <= set(TABLES)
    spread = found.dropna(subset="low")
    assert spread.low.le(spread.value + 1e-12).all()
    assert spread.high.ge(spread.value - 1e-12).all()


def test_the_page_gives_each_claim_one_grade_and_an_assertion():
    page, verdicts = (
        (ROOT / "book" / name).read_text(encoding="utf-8") for name in ("claims.md", "_parts/verdicts.md")
    )
    short = dict(re.findall(r"^\| \[(C\d)\]\(claim-c\d\) \|.*\| \*\*(.+?)\*\* \|$", verdicts, re.M))
    assert list(short) == CLAIMS
    assert set(short.values()) <= set(GRADES)
    for claim, grade in short.items():
        section = re.search(rf"^\(claim-{claim.lower()}\)=\n(.*?)(?=^\(claim-|\Z)", page, re.M | re.S)[1]
        assert re.search(r"^\*\*Verdict: (.+?)\.\*\*", section, re.M)[1] == grade
        rows = re.search(r"^Rows of (.+?) \(", section, re.M)[1]
        assert set(re.findall(r"`(\w+)`", rows)) == set(evidence(claim).table)
        assert section.index("Would be refuted by") < section.index(f'table("{claim}")') < section.index("assert ")
