"""The page of a report: what was measured as figures and tables, set into the words of ``page.html``."""

import base64
from collections.abc import Iterator
from html import escape
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from linstudy.show import profile_plot, style
from linstudy.show.words import number
from linstudy.study.results import results

from ..claims.paper import ENCODER, REAL
from ..claims.prices import by_layer
from ..claims.real import OUTLIERS, beside_twins, controls, swapped, trained
from ..figures import identity_plane, panels, spread_plot, token_heatmap
from ..models.twins import RANDOM, TRAINED
from ..rows.protocol import MASSIVE
from . import markup
from .measure import Findings

HELD = ("linearity_heldout", "update_linearity_heldout")
KINDS = ("all tokens", "first 1 left out", OUTLIERS)
WEIGHTS = {TRAINED: "trained", RANDOM: "fresh weights", "permuted": "permuted weights"}
ACTIONS = {"remove": "removed", "affine": "replaced by a map"}
BOOK = (*REAL, ENCODER)  # the real models of the book, by the same protocol
POCKET = "stories-1m"
THIS = "this model"
SHORT = ("LS", "LS_res")
LOWEST = -0.5  # that is drawn of a held-out score, which has no lower bound


def page(found: Findings, *, model: str, made: dict[str, Any]) -> str:
    """Return the whole page, which needs no other file; ``made`` says where it comes from, row by row."""
    with plt.rc_context():
        style()
        parts = dict(_parts(found))
    origin = pd.DataFrame(made.items(), columns=["what", "value"])
    parts |= {"model": escape(model), "made": markup.table(origin, "Provenance")}
    parts |= {name: escape(str(made[name])) for name in ("text", "tokens", "date")}
    return markup.filled("page.html", parts)


def _parts(found: Findings) -> Iterator[tuple[str, str]]:
    """Yield what is set into the page, by its name there."""
    whole = trained(found.scores)
    few = controls(found.scores)
    without = few[few.selection == OUTLIERS]
    rows = _models(found)
    yield "models", markup.figure(_rows_plot(rows))
    yield "models_table", markup.table(_summed_up(rows), "Scores of all layers, summed up")
    profile = whole[whole.selection.isin(KINDS)]
    yield "profile", markup.figure(_panels(profile, "selection"))
    columns = ["selection", "layer", "kept", *HELD, "update_ratio", "norm_ratio", "cosine"]
    yield "profile_table", markup.more(profile[columns], "Every layer, by what is left out")
    lines = without.assign(weights=without.weights.map(WEIGHTS))
    yield "twins", markup.figure(_panels(lines, "weights"))
    yield "twins_table", markup.more(_beside(found), "Every layer beside its twins, LS held out")
    yield "identity", _identity(without, rows)
    yield "swapped", _swapped(found)
    yield "massive", _massive(found)
    yield "massive_table", markup.table(_boundaries(found), "The largest entry at every boundary")
    yield "dimensions", markup.table(_dimensions(found), "Outlier tokens and massive dimensions")
    book = _book_boundaries().rename(columns={"boundary": "layer"})
    tails = pd.concat([_named(found.tails), book.dropna(subset="worst_percent")])
    tails = tails.rename(columns={"worst_percent": "share of the squared error"})
    yield "tails", markup.figure(profile_plot(tails, y="share of the squared error", hue="model"))
    yield "worst", markup.table(found.worst, f"Tokens among the worst of layer {found.heaviest}")
    drawn = token_heatmap(found.coloured.text.tolist(), found.coloured.error, label="relative_error")
    yield "coloured", f"<figure>{drawn.html}</figure>{drawn.numbers}"
    yield "heaviest", str(found.heaviest)
    yield "costs", _costs(found)
    missing = {WEIGHTS[name]: why for name, why in found.notes.items() if name in WEIGHTS}
    yield "notes", "".join(f"<p>The twin with {name} was left out: {escape(why)}.</p>" for name, why in missing.items())
    yield "csv", base64.b64encode(found.scores.to_csv(index=False, lineterminator="\n").encode()).decode()


def _rows_plot(rows: pd.DataFrame) -> Axes:
    long = rows.rename(columns=dict(zip(HELD, SHORT, strict=True))).melt(["model", "layer"], SHORT, "score", "held out")
    ax = spread_plot(long, x="held out", row="model", hue="score")
    ax.set(xlabel="LS and LS$_\\mathrm{res}$, held out", xlim=(max(LOWEST, ax.get_xlim()[0]), 1.05))
    return ax


def _panels(df: pd.DataFrame, hue: str) -> Figure:
    figure = panels(profile_plot, df, HELD, hue=hue, height=2.6)
    figure.axes[1].get_legend().remove()
    for ax in figure.axes:
        ax.set_ylim(max(LOWEST, ax.get_ylim()[0]))
    return figure


def _beside(found: Findings) -> pd.DataFrame:
    table = beside_twins(found.scores)
    return table[["layer", *(kind for kind in WEIGHTS if kind in table), "below"]].rename(columns=WEIGHTS)


def _models(found: Findings) -> pd.DataFrame:
    """Name the rows of this model, of its controls, and of the book's models: by the column ``model``."""
    few, named = controls(found.scores), []
    for kind in KINDS[::2]:
        named.append(trained(found.scores).query("selection == @kind").assign(model=f"{THIS}, {kind}"))
    for weights, name in list(WEIGHTS.items())[1:]:
        named.append(few[(few.weights == weights) & (few.selection == OUTLIERS)].assign(model=f"its twin, {name}"))
    book = trained(results("protocol"))
    book = book[book.model.isin(BOOK) & (book.corpus == "wikitext-2-valid") & book.selection.isin(KINDS[::2])]
    named.append(book.assign(model=book.model + ", " + book.selection))
    pocket = results("profiles").query("model == @POCKET and corpus == 'stories' and weights == 'trained'")
    named.append(pocket[(pocket["shard"] == 0) & (pocket.part == "block")].assign(model=f"{POCKET}, all tokens"))
    return pd.concat([one[["model", "layer", *HELD]] for one in named], ignore_index=True)


def _summed_up(rows: pd.DataFrame) -> pd.DataFrame:
    of = rows.groupby("model", sort=False)
    columns = {"layers": of.layer.nunique()}
    for score, name in zip(HELD, SHORT, strict=True):
        columns[f"{name}, median"] = of[score].median()
        columns[f"{name}, layers"] = of[score].agg(lambda all: f"{number(all.min())} to {number(all.max())}")
    return pd.DataFrame(columns).reset_index()


def _identity(without: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Draw held-out scores on the plane; the ratio that ties them is that of the held-out text."""
    here = without.assign(model=without.weights.map(WEIGHTS | {TRAINED: THIS}))[["model", "layer", *HELD]]
    book = rows[rows.model.isin([f"{BOOK[0]}, {OUTLIERS}", f"{POCKET}, all tokens"])]
    both = pd.concat([here, book]).rename(columns=dict(zip(HELD, ("linearity", "update_linearity"), strict=True)))
    both["update_ratio"] = (1 - both.linearity) / (1 - both.update_linearity)
    ax = identity_plane(both)
    ax.set_ylabel("update linearity, LS$_\\mathrm{res}$ (held out)")
    table = both.rename(columns={"linearity": "LS", "update_linearity": "LS_res", "update_ratio": "update ratio"})
    return markup.figure(ax) + markup.more(table, "The points as a table")


def _swapped(found: Findings) -> str:
    table = swapped(found.scores)
    if "permuted" not in table:
        return ""
    lines = {"trained": "as trained", "permuted_size": "with its twin's update ratio"}
    lines |= {"permuted_shape": "with its twin's LS_res", "permuted": "its twin, permuted weights"}
    long = table.rename(columns=lines).melt("layer", list(lines.values()), "layers", HELD[0])
    ax = profile_plot(long, y=HELD[0], hue="layers")
    ax.set_ylim(max(LOWEST, ax.get_ylim()[0]))
    return markup.figure(ax)


def _massive(found: Findings) -> str:
    both = pd.concat([_named(found.massive), _book_boundaries()])
    both = both.rename(columns={"times_median": "largest entry, in medians"})
    ax = profile_plot(both, x="boundary", y="largest entry, in medians", hue="model")
    ax.set_yscale("log")
    return markup.figure(ax)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Call the rows of a model and of its twin what a legend does, in the column ``model``."""
    return rows.assign(model=rows.weights.map({TRAINED: THIS, RANDOM: f"its twin, {WEIGHTS[RANDOM]}"}))


def _book_boundaries() -> pd.DataFrame:
    """Return what the book knows between the layers of a real decoder and of a pocket model."""
    table = results("boundaries").query("weights == 'trained'")
    texts = {BOOK[0]: "wikitext-2-valid", POCKET: "stories"}
    return pd.concat([table[(table.model == name) & (table.corpus == text)] for name, text in texts.items()])


def _boundaries(found: Findings) -> pd.DataFrame:
    here = found.massive[found.massive.weights == TRAINED]
    columns = ["boundary", "largest", "times_median", "massive", "dimension", "position", "token", "outliers"]
    return here[[*columns, "outlier_variance"]]


def _dimensions(found: Findings) -> pd.DataFrame:
    """Say how many tokens are outliers, and which dimensions massive: here, in the twins, in the book's real models."""
    named = [(THIS, trained(found.scores))]
    few = controls(found.scores)
    named += [(f"its twin, {WEIGHTS[weights]}", few[few.weights == weights]) for weights in list(WEIGHTS)[1:]]
    book = trained(results("protocol")).query("corpus == 'wikitext-2-valid'")
    named += [(name, book[(book.model == name) & (book["shard"] == 0)]) for name in BOOK]
    rows = []
    for name, part in named:
        if len(part):
            outliers = part[part.selection == OUTLIERS]
            dropped = part[part.selection == MASSIVE].set_index("layer").dropped
            dropped = dropped[dropped != ""]
            dims = dropped.str.split().explode().value_counts()
            row = {"model": name, "outliers, share of tokens": float(1 - outliers.kept.min())}
            row |= {"layers with massive dimensions": len(dropped)}
            rows.append(row | {"which, the commonest first": ", ".join(dims.index[:6])})
    return pd.DataFrame(rows)


def _costs(found: Findings) -> str:
    if found.costs is None:
        return f"<p>What layers cost could not be measured: {escape(found.notes['costs'])}.</p>"
    book = results("losses").query("model == @BOOK[0] and corpus == 'wikitext-2-valid' and part == 'block'")
    book = by_layer(book[book.choice == "alone"])
    both = {THIS: found.costs, BOOK[0]: book}
    drawn = {name: markup.figure(_cost_plot(table)) for name, table in both.items()}
    summed = []
    for name, table in both.items():
        for action, part in table.groupby("action"):
            row = {"model": name, "layers are": ACTIONS[action], "cheapest": part.nats.min()}
            row |= {"median": part.nats.median(), "dearest": part.nats.max()}
            summed.append(row | {"dearest layer": int(part.loc[part.nats.idxmax(), "layer"])})
    table = found.costs.assign(action=found.costs.action.map(ACTIONS))[["layer", "action", "nats", "low", "high"]]
    taus = found.agreement.assign(action=found.agreement.action.map(ACTIONS)).round(2)
    taus["score"] = taus.score.str.replace("_", " ")
    parts = {"this": drawn[THIS], "book": drawn[BOOK[0]], "book_name": BOOK[0]}
    parts |= {
        "summed": markup.table(pd.DataFrame(summed), "Nats lost a token"),
        "every": markup.more(table, "What every layer costs"),
    }
    parts |= {"taus": markup.table(taus[["action", "score", "tau", "low", "high", "beyond"]], "Kendall's tau")}
    return markup.filled("costs.html", parts)


def _cost_plot(costs: pd.DataFrame) -> Axes:
    ax = profile_plot(costs.assign(action=costs.action.map(ACTIONS)), y="nats", hue="action")
    ax.set_yscale("symlog", linthresh=0.1)
    ax.autoscale(axis="y")  # anew, on this scale
    ax.set_ylabel("nats lost a token")
    return ax
