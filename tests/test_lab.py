"""The laboratory: what the page computes is what torch computes, and a reader can use it, by hand and by keyboard."""

import base64
import json
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch
from browser import js
from conftest import ROOT, script
from sphinx.errors import ExtensionError

import linstudy
from casebook.tokens import logit_lens, token_errors, token_texts
from linstudy.measure import joint_moments
from linstudy.models import capture, replaced
from linstudy.text import stories

STATIC = ROOT / "book" / "_static"
NAME = "stories-1m"
TEXT = next(stories(1))[:260]  # a story that no map was fitted on


lab, export_lab = script("book/_ext/lab.py"), script("tools/export_lab.py")

# What the page's own functions find out about a text, once some layers are changed.
PROBE = js("probe")
CODED = js("coded")


@pytest.fixture(scope="session")
def small():
    return linstudy.load(NAME)


@pytest.fixture(scope="session")
def packed():
    return {"name": NAME, "words": export_lab.story_words(300), **export_lab.pack(NAME, tokens=4096, heldout=512)}


@pytest.fixture(scope="session")
def moments(small):
    model, tokenizer = small
    return joint_moments(model, linstudy.token_blocks("stories", tokenizer, tokens=4096))


@pytest.fixture(scope="session")
def folder(packed, tmp_path_factory):
    """The laboratory's files in one folder, as they lie in the book."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(STATIC / "lab", folder, dirs_exist_ok=True)
    for name in export_lab.MODELS:  # one model plays its siblings too
        export_lab.write(folder, packed | {"name": name})
        assert (folder / f"{name}.js").stat().st_size <= 5_000_000
    return folder


@pytest.fixture(scope="session")
def in_node(folder):
    def ask(function, given):
        files = json.dumps([str(folder / f"{name}.js") for name in ("tokenizer", "model", "study", NAME)])
        script = f"""for (const file of {files}) require(file);
            const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
            process.stdout.write(JSON.stringify(({function})(given)));"""
        done = subprocess.run([*lab.node(), "-e", script], input=json.dumps(given), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def changed_in_torch(model, maps, changes, sizes):
    """Put in torch what a plan of the page puts in place of layers."""

    class Sized(torch.nn.Module):
        def __init__(self, inner, size):
            super().__init__()
            self.inner, self.size = inner, size

        def forward(self, stream):
            return stream + self.size * (self.inner(stream) - stream)

    stand_ins = {"map": lambda layer: maps[layer], "remove": lambda layer: torch.nn.Identity()}
    return replaced(
        model, {layer - 1: Sized(stand_ins[does](layer), sizes.get(layer, 1)) for layer, does in changes.items()}
    )


def in_torch(small, moments, text, changes, sizes):
    model, tokenizer = small
    ids = torch.tensor([[0, *tokenizer(text)["input_ids"]]])
    maps = {layer: linstudy.linear_map(kept) for layer, kept in moments.items()}
    with torch.no_grad(), changed_in_torch(model, maps, changes, sizes):
        with capture(model) as stream:
            logits = model(ids).logits[0]
        told = model.generate(ids, max_new_tokens=30, do_sample=False, pad_token_id=0)[0, ids.shape[1] :].tolist()
    states = torch.stack([state[0] for state in stream], dim=1)
    loss = float(torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:]))
    return {"tokens": ids[0].tolist(), "states": states, "logits": logits, "loss": loss, "story": told}


PLANS = [
    pytest.param({}, {}, id="whole"),
    pytest.param({3: "remove"}, {}, id="removed"),
    pytest.param({2: "map", 3: "map", 4: "map", 5: "map"}, {}, id="four maps"),
    pytest.param({1: "map", 8: "remove"}, {1: 0.5}, id="half an update"),
]


@pytest.mark.parametrize(("changes", "sizes"), PLANS)
def test_states_probabilities_loss_and_story_are_those_of_torch(in_node, small, moments, changes, sizes):
    found = in_node(PROBE, {"name": NAME, "text": TEXT, "changes": changes, "sizes": sizes})
    wanted = in_torch(small, moments, TEXT, changes, sizes)
    assert found["tokens"] == wanted["tokens"]
    largest = wanted["states"].abs().amax(-1, keepdim=True).clamp_min(1)
    assert ((torch.tensor(found["states"]) - wanted["states"]).abs() / largest).max() < 1e-5
    assert (torch.tensor(found["logits"]) - wanted["logits"]).abs().max() < 1e-4
    assert found["loss"] == pytest.approx(wanted["loss"], abs=1e-5)
    end = found["story"] + [0] * (len(wanted["story"]) - len(found["story"]))
    assert end[: len(wanted["story"])] == wanted["story"]


def test_a_smaller_update_errors_of_the_maps_and_the_lens_are_those_of_the_package(in_node, small, moments):
    model, tokenizer = small
    ids = torch.tensor([[0, *tokenizer(TEXT)["input_ids"]]])
    found, quarter = (
        in_node(PROBE, {"name": NAME, "text": TEXT, "changes": {}, "sizes": sizes}) for sizes in ({}, {4: 0.25})
    )
    errors = token_errors(model, ids, moments=moments).relative[:, 0].T
    assert torch.allclose(torch.tensor(found["errors"]), errors, atol=1e-3)
    assert errors.std() > 0.05
    assert torch.tensor(found["lens"]).T.equal(logit_lens(model, ids).top[:, 0])
    whole, smaller = (torch.tensor(one["states"]).transpose(0, 1) for one in (found, quarter))
    update = whole[4] - whole[3]
    assert (smaller[4] - (whole[3] + 0.25 * update)).abs().max() < 1e-3 < 1 < update.abs().max()


TRICKY = ["", " ", "\n\n", "a  b   c ", "It's Lena's; we'll, I'm, you've", "3 apples, 42!", "naïve café – “yes”"]
TRICKY += ["日本語 🙂🙂🏽 ñ", "tab\there\u00a0and\u2003there\u0085\ufeffx", "one<|endoftext|>two <|endoftext|>"]


def test_the_tokenizer_is_that_of_the_package(in_node, small):
    tokenizer = small[1]
    draw = random.Random(0)
    letters = [*"abcdest'  \n.,!?\"-0123AZ", "\t", "é", "ß", "日", "🙂", "\u00a0", " the", " Lena"]
    texts = TRICKY + [next(stories(seed)) for seed in range(2, 4)]
    texts += ["".join(draw.choices(letters, k=draw.randrange(40))) for _ in range(300)]
    coded = in_node(CODED, {"name": NAME, "texts": texts})
    assert [one["ids"] for one in coded] == [tokenizer(text)["input_ids"] for text in texts]
    assert ["".join(one["pieces"]) for one in coded] == texts
    for text, one in zip(texts[:50], coded, strict=False):
        assert one["pieces"] == token_texts(torch.tensor(tokenizer(text)["input_ids"], dtype=torch.long), tokenizer)


def test_typing_on_gives_what_reading_anew_gives(in_node):
    typed, anew = in_node(js("grown"), {"name": NAME, "text": TEXT})
    assert typed == anew


def test_scores_and_costs_are_measured(packed, small, moments):
    model, tokenizer = small
    others = linstudy.token_blocks("stories", tokenizer, tokens=512, seed=1)
    profile = linstudy.linearity_profile(model, linstudy.token_blocks("stories", tokenizer, tokens=4096))
    facts = packed["layers"]
    assert [fact["linearity"] for fact in facts] == pytest.approx(profile["linearity"].tolist())
    whole = linstudy.cross_entropy(model, others)
    with replaced(model, {2: linstudy.linear_map(moments[3])}):
        assert facts[2]["replaced"] == pytest.approx(linstudy.cross_entropy(model, others) - whole)
    maps = np.frombuffer(base64.b64decode(packed["maps"]), dtype="<f4").reshape(8, -1)
    assert maps[4, :-128].tolist() == linstudy.linear_map(moments[5]).weight.flatten().tolist()


def test_what_the_page_says_of_single_layers_is_so(small, moments):
    model, tokenizer = small
    sibling, _ = linstudy.load("stories-1m-mse")
    text = linstudy.token_blocks("stories", tokenizer, tokens=4096)

    def cost(model, stand_in, layer=1):
        whole = linstudy.cross_entropy(model, text)
        with replaced(model, {layer - 1: stand_in}):
            return linstudy.cross_entropy(model, text) - whole

    nothing = torch.nn.Identity()
    scores, others = (linstudy.linearity_profile(one, text)["linearity"].tolist() for one in (model, sibling))
    assert sorted(scores)[:2] == [scores[-1], scores[0]]
    assert cost(model, nothing) > 5 > 1.5 > cost(model, linstudy.linear_map(moments[1]))
    assert others[0] > 0.998 > 0.99 > others[4] > 0.975
    assert min(others) > 0.97
    assert cost(sibling, nothing) < 0.05 < 0.3 < cost(sibling, nothing, layer=5)


@pytest.mark.parametrize(
    ("family", "told"), [("qwen2", r"knows nothing of the weights .*q_proj.bias"), ("mistral", "finer than bfloat16")]
)
def test_weights_that_the_page_cannot_read_are_refused(family, told):
    with pytest.raises(ValueError, match=told):
        export_lab.weights_in_order(linstudy.models.small_model(family))


OPTIONS = {"id": "lab-0", "show": list(lab.PANELS), "preset": "whole", "model": NAME, "text": "Once upon a time"}


def test_names_are_the_same_in_python_and_in_the_page(in_node):
    page = (STATIC / "lab" / "view.js").read_text(encoding="utf8")
    assert tuple(in_node("() => Object.keys(globalThis.linstudyLab.PRESETS)", {})) == lab.PRESETS
    assert tuple(re.findall(r'"(\w+)"', re.search(r"PANELS = \[(.*)\]", page)[1])) == lab.PANELS
    assert tuple(re.findall(r'^    "([\w-]+)":', page, re.M)) == lab.MODELS == export_lab.MODELS


def test_what_is_drawn_is_what_was_asked_for_and_a_text_stays_one(folder, tmp_path):
    html = lab.drawn(json.dumps(OPTIONS | {"show": ["tokens", "next"], "preset": "first-removed"}), folder)
    assert re.findall(r'data-part="(\w+)"', html) == ["note", "loss", "tokens", "next"]
    assert "The changed model: remove the first layer." in html
    assert "changed" not in lab.drawn(json.dumps(OPTIONS | {"show": ["next"]}), folder)
    html = lab.drawn(json.dumps(OPTIONS | {"text": "</textarea><img src=x onerror=alert(1)> &amp; \"'"}), folder)
    assert "<img" not in html
    assert html.count("</textarea>") == 1
    with pytest.raises(ExtensionError, match=r"run `python tools/export_lab.py`"):
        lab.drawn(json.dumps(OPTIONS), tmp_path)  # no model is there
