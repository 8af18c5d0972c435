"""The page of claims: its rows from made-up tables whose answer is known, and that its verdicts are said alike."""

import re

import pandas as pd
import pytest
from conftest import ROOT

from casebook.claims.paper import ALL, COLUMNS, ENCODER, REAL, WITHOUT, evidence
from casebook.claims.real import headline
from linstudy.study.tables import TABLES

CLAIMS = [f"C{number}" for number in range(1, 10)]
DECODER, SECOND = REAL  # in the tables below the second one scores 0.5 in both layers
GRADES = ("holds", "holds with a condition", "not settled here", "does not hold", "cannot be tested")


def layers(model, scores, *, weights="trained", ablation=ALL, part="block", corpus="text"):
    """Rows of a profile: one a layer and one of two shards, which differ by 0.02."""
    return [
        {"model": model, "weights": weights, "corpus": corpus, "ablation": ablation, "part": part, "layer": layer}
        | {"shard": shard, "tokens": 1, "selection": ablation, "linearity": score, "update_linearity": score / 2}
        | {"linearity_heldout": score + 0.01 * (-1) ** shard, "update_linearity_heldout": score / 2}
        | {"update_ratio": 0.1, "norm_ratio": 0.3, "cosine": 0.9}
        for layer, score in enumerate(scores, start=1)
        for shard in (0, 1)
    ]


@pytest.fixture
def tables():
    """Three decoders and an encoder; what must not be counted scores 0."""
    small = layers("stories-1m", [0.5, 0.7, 0.9]) + layers("stories-1m", [0.8, 0.8, 0.8], weights="random")
    small += layers("stories-1m", [0.0] * 3, part="mlp") + layers("stories-1m", [0.0] * 3, corpus="text, shuffled")
    real = layers(DECODER, [0.99, 0.995]) + layers(DECODER, [0.9, 0.91], ablation=WITHOUT)
    for score, options in ((0.95, {}), (0.9, {"ablation": WITHOUT})):
        real += layers(DECODER, [score] * 2, weights="random", **options)
    real += layers(DECODER, [0.0] * 2, ablation="first 1 left out") + layers(SECOND, [0.5, 0.5])
    real += layers(ENCODER, [0.6, 0.8]) + layers(ENCODER, [0.99, 0.99], weights="random")
    family = pd.DataFrame(layers("bert", [0.4, 0.6])).assign(stack=None)
    fewer = [row | {"tokens": 0, "linearity_heldout": 0.0} for row in real]  # which are not to be taken
    trained = {"seed": 1, "stack": "", "kind": "", "norm": "pre", "nats": 3.0, "unigram_nats": 5.0}
    matched = [
        row | trained | {"architecture": name, "seed": seed}
        for name, score in (("decoder", 0.9), ("recurrent", 0.95))
        for seed in (1, 2, 3)
        for row in layers(name, [score])[:1]
    ]
    found = {"profiles": small + layers(DECODER, [0.0] * 2), "protocol": real + fewer, "families": family}
    found |= {"matched": matched}
    return {name: pd.DataFrame(rows) for name, rows in found.items()}.__getitem__


def test_a_claim_takes_the_layers_that_it_is_about_and_no_others(tables):
    found = evidence("C1", tables).set_index(["measure", "model"])
    assert list(found.reset_index()[COLUMNS]) == COLUMNS
    small = found.loc[("LS", "stories-1m")]
    assert small[["value", "low", "high", "its value"]].tolist() == pytest.approx([0.7, 0.5, 0.9, 0.8])
    assert found.loc[("LS, outliers left out", DECODER), "value"] == pytest.approx(0.905)
    assert found.value["share of layers near 0.99"].to_dict() == {"stories-1m": 0, DECODER: 1, SECOND: 0}
    assert ENCODER not in found.index.unique("model")
    found = evidence("C9", tables).set_index("model")  # where the encoder stands beside families
    assert found.loc[ENCODER, ["value", "its value"]].tolist() == pytest.approx([0.7, 0.99])
    assert found.loc["bert", ["value", "spread over"]].tolist() == [pytest.approx(0.5), "2 layers"]
    assert DECODER not in found.index
    assert found.loc["recurrent", ["value", "low", "high", "its value"]].tolist() == pytest.approx([0.05] * 3 + [0.91])


def test_the_headline_is_of_the_first_real_model_alone(tables):
    rows = tables("protocol").assign(corpus="wikitext-2-valid")
    lines, twin = headline({"protocol": rows}.__getitem__)
    means = lines.groupby("counted", sort=False).linearity_heldout.mean()
    assert means.tolist() == pytest.approx([1.0025, 0.915, 0.4525])  # of the first shard
    assert len(twin) == 2
    assert (twin.weights == "random").all()


LOSSES = {1: 0.9, 2: 0.1, 3: 0.5}  # what each layer costs alone


@pytest.fixture
def costs():
    """Of a small model and of the real one: the more a layer costs the less linear it is, and the more its update."""
    scores = ("block_influence", "norm_ratio", "angular_distance", "cca_distance", "cca_bound")
    small = [
        {"model": "m", "shard": 0, "action": action, "layer": layer, "delta_nats": cost, "linearity": 1 - cost}
        | dict.fromkeys((*scores, "update_linearity"), cost)
        for action in ("remove", "affine")
        for layer, cost in LOSSES.items()
    ]
    key = {"model": DECODER, "corpus": "text", "text": "text", "part": "block", "choice": "alone"}
    key |= {"tokens": 1, "layers": 1}
    changed = [("remove", 1.0), ("affine", 0.5)]
    changed = [(action, str(layer), part * cost) for action, part in changed for layer, cost in LOSSES.items()]
    losses = [
        key | {"action": action, "which": which, "stretch": stretch, "nats": 3 + stretch + nats}
        for stretch in (0, 1)
        for action, which, nats in (("whole", "", 0.0), *changed)
    ]
    away = [row | {"corpus": "another"} for row in losses if row["action"] != "remove"]  # whose maps do worse
    losses += [row | {"nats": row["nats"] + 0.2 * (row["action"] == "affine")} for row in away]
    several = {("whole", "whole"): 0.0, ("remove", "cheapest"): 1.0, ("remove", "linearity"): 2.5}
    losses += [
        key
        | {"choice": "together", "action": action, "order": order, "layers": 6, "which": "1 2", "stretch": stretch}
        | {"nats": 3 + stretch + nats}
        for stretch in (0, 1)
        for (action, order), nats in several.items()
    ]
    protocol = layers(DECODER, [1 - cost for cost in LOSSES.values()])
    sizes = ("update_ratio", "norm_ratio", "cosine")
    protocol = [
        row | {"update_linearity": 1 - row["linearity"]} | dict.fromkeys(sizes, row["layer"]) for row in protocol
    ]
    made = {"layer_costs": small, "losses": losses, "protocol": protocol}
    return {name: pd.DataFrame(rows) for name, rows in made.items()}.__getitem__


def test_costs_are_ranked_by_the_score_that_follows_them(costs):
    found = evidence("C7", costs).set_index(["model", "measure"])
    small, large = found.loc["all"], found.loc[DECODER]
    assert small.value["tau of LS and cost, remove"] == pytest.approx(1)
    assert small.value["tau of LS_res and cost, affine"] == pytest.approx(-1)
    assert found.loc[("m", "nats lost, remove"), ["value", "high"]].tolist() == [0.5, 0.9]
    assert large.value["tau of LS and cost, remove"] == pytest.approx(1)
    assert large.value["tau of LS_res and cost, remove"] == pytest.approx(-1)
    assert large["its value"]["tau of LS and cost, remove"] == pytest.approx(-1 / 3)  # of costs .9, .1, .5
    assert large.loc["nats lost, affine", ["value", "high"]].tolist() == pytest.approx([0.25, 0.45])
    away = large.loc["cost of a map of another text, nats", ["value", "its value"]]
    assert away.tolist() == pytest.approx([0.45, 0.25])
    six = large.loc["nats lost by 6 layers of the highest LS, remove", ["value", "low", "high", "its value"]]
    assert six.tolist() == pytest.approx([2.5, 2.5, 2.5, 1.0])


def test_the_page_gives_each_claim_one_grade_an_assertion_and_rows_of_shipped_tables():
    page, verdicts = ((ROOT / "book" / name).read_text(encoding="utf8") for name in ("claims.md", "_parts/verdicts.md"))
    short = dict(re.findall(r"^\| \[(C\d)\]\(claim-c\d\) \|.*\| \*\*(.+?)\*\* \|$", verdicts, re.M))
    assert list(short) == CLAIMS
    assert set(short.values()) <= set(GRADES)
    for claim, grade in short.items():
        found = evidence(claim)
        spread = found.dropna(subset="low")
        assert found.value.notna().all()
        assert (spread.low - 1e-12).le(spread.value).all()
        assert spread.value.le(spread.high + 1e-12).all()
        assert set(found.table) <= set(TABLES)
        section = re.search(rf"^\(claim-{claim.lower()}\)=\n(.*?)(?=^\(claim-|\Z)", page, re.M | re.S)[1]
        assert re.search(r"^\*\*Verdict: (.+?)\.\*\*", section, re.M)[1] == grade
        rows = re.search(r"^Rows of (.+?) \(", section, re.M)[1]
        assert set(re.findall(r"`(\w+)`", rows)) == set(found.table)
        assert section.index("Would be refuted by") < section.index(f'table("{claim}")') < section.index("assert ")
