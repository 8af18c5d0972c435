"""A report on one model: one page that needs nothing else, with the chapters' numbers, whatever model and tokens."""

import base64
import io
import os
import re
import signal
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
import torch
from browser import OVERFLOW, Visit, chromium, faults, find_chromium
from tiny_models import WIDTH, tiny_model

import linstudy
from casebook.models.twins import twin
from casebook.report import measure
from casebook.report.measure import NO_LOSS, Text, measured, text_of, work
from casebook.report.page import page
from casebook.rows.protocol import protocol
from linstudy.cli import main
from linstudy.text import train_tokenizer

HOSTILE = "</td></svg><script>document.title='taken'</script><img src=https://away.example/x onerror=alert(1)>"
STORY = "Lily saw a red ball. Tom had the ball. Lily was sad, so Tom gave her the ball. $model \u202e"
WORDS = ("--text", "text.txt", "--tokens", "8192", "--length", "64")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models of several families under hostile names, and a text that is full of markup."""
    folder = tmp_path_factory.mktemp("report")
    texts = [f"{number} {HOSTILE} {STORY}" for number in range(400)]
    tokenizer = train_tokenizer(texts, vocab_size=400)
    for name, kind in (("<b>model", "llama"), ("bert", "bert"), ("t5", "t5"), ("postnorm", "opt postnorm")):
        tiny_model(kind, vocab_size=len(tokenizer) + 3).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    (folder / "text.txt").write_text("".join(texts), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def written(folder):
    """Write a report of a folder once, and return its text."""
    made = {}

    def write(name, *words):
        if (name, words) not in made:
            before, place = set(os.listdir(folder)), os.getcwd()
            os.chdir(folder)
            try:
                assert main(["report", name, *WORDS, *words, "--out", "report.html"]) == 0
            finally:
                os.chdir(place)
            assert set(os.listdir(folder)) - before <= {"report.html"}
            made[name, words] = (folder / "report.html").read_text(encoding="utf-8")
        return made[name, words]

    return write


def table_of(page: str) -> pd.DataFrame:
    data = re.search(r"data:text/csv;base64,([^\"]*)", page)[1]
    return pd.read_csv(io.BytesIO(base64.b64decode(data)), keep_default_na=False, na_values=[""])


@pytest.mark.slow
def test_its_scores_are_those_of_the_chapters(written, folder):
    table = table_of(written("<b>model"))
    model, tokenizer = linstudy.load(folder / "<b>model")
    blocks = linstudy.token_blocks(folder / "text.txt", tokenizer, tokens=8192, length=64)
    text = Text(blocks, 32)
    assert len(text.few) + len(text.fresh) <= len(blocks)
    wanted = {"trained": (model, blocks), "permuted": (twin(model, "permuted"), text.few)}
    for weights, (one, some) in wanted.items():
        expected = protocol(one, some)
        found = table[(table.weights == weights) & (table.tokens == some.numel())]
        for name in ("linearity_heldout", "update_linearity", "kept"):
            assert found[name].tolist() == pytest.approx(expected[name].tolist(), abs=1e-6), (weights, name)
    assert set(table.weights) == {"trained", "random", "permuted"}


@pytest.mark.slow
def test_without_a_loss_there_are_no_costs_and_the_page_says_why(written):
    for name, *words in (("bert",), ("t5", "--stack", "encoder"), ("postnorm",), ("<b>model",)):
        page, without = written(name, *words), name in ("bert", "t5")
        assert (NO_LOSS in page, "Kendall" in page) == (without, not without)  # the control: decoders have one
        assert table_of(page).layer.max() == 3


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium on PATH")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_quietly_on_a_phone_in_both_colours(written, tmp_path, scheme):
    path = tmp_path / "page.html"
    path.write_text(written("<b>model"), encoding="utf-8")
    with chromium(color_scheme=scheme, viewport={"width": 375, "height": 800}) as context:
        visit = Visit(context, path)
        visit.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert visit.page.evaluate(OVERFLOW) <= 0
        assert visit.page.title() == "How linear are the layers of <b>model?"  # no name and no text became markup
        assert "layers of <b>model?" in visit.page.locator("h1").inner_text()
        assert visit.page.locator("table b, table img, script").count() == 0
        assert "\u202e" not in written("<b>model")  # it would turn what follows it
        assert visit.page.locator("[role=img], img").count() >= 8
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (max(map(int, re.findall(r"\d+", ground)[:3])) < 60) == (scheme == "dark")
        assert faults(visit.page) == []  # of boxes that scroll without a stop for the keyboard, too
        assert visit.page.locator("tbody tr:not(:has(> th[scope=row]:first-child))").count() == 0
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.getAttribute('href')") == "#models"
        visit.page.emulate_media(media="print")
        visit.page.set_viewport_size({"width": 643, "height": 800})  # A4 between its margins
        assert visit.page.evaluate(OVERFLOW) <= 0
        assert visit.page.locator(".scroll").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
        assert visit.complaints() == []


@pytest.mark.slow
def test_the_command_says_how_long_it_takes_and_a_stop_leaves_nothing(folder):
    before = sorted(os.listdir(folder))
    environment = os.environ | {"LINSTUDY_SIZE": "tiny", "PYTHONUNBUFFERED": ""}  # told before the work, not at its end
    command = [sys.executable, "-m", "linstudy", "report", "postnorm", *WORDS, "--out", "page.html"]
    start = partial(subprocess.Popen, command, cwd=folder, env=environment, text=True, stdout=-1, stderr=-1)
    stopped = start()
    told = stopped.stdout.readline()
    assert re.fullmatch(r"postnorm on 8,192 tokens of text.txt: about \d+ (seconds|minutes); .*\n", told)
    stopped.send_signal(signal.SIGINT)
    _, errors = stopped.communicate(timeout=120)
    assert stopped.returncode == 2
    assert "stopped; `linstudy report postnorm" in errors
    assert sorted(os.listdir(folder)) == before
    whole = start()  # the control
    told, errors = whole.communicate(timeout=300)
    assert (whole.returncode, told.splitlines()[-1][:16]) == (0, "page: page.html "), errors
    assert sorted(os.listdir(folder)) == sorted([*before, "page.html"])
    (folder / "page.html").unlink()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("--out report.pdf", "--out report.pdf: the page is HTML; let its name end in .html."),
        ("--out r.html --stack encoder", "--stack encoder: bert has one stack of layers; leave the"),
        ("--out r.html --text storys", "storys"),
        ("--out r.html --tokens 0", "argument --tokens: '0' should be a whole number from 1 to"),
        ("--out r.html --tokens 192", "are too few for a stream of width 32: a report needs 256"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_sentence(folder, monkeypatch, capsys, words, part):
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    assert main(["report", "bert", *WORDS, *words.split()]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert part in line
    assert sorted(os.listdir()) == before


def of_stories(kind):
    """Return a tiny model, its tokenizer and a text of 100 blocks."""
    tokenizer = train_tokenizer([STORY] * 50, vocab_size=300)
    blocks = linstudy.token_blocks([f"{n} {STORY}" for n in range(200)], tokenizer, tokens=3200, length=32)
    return tiny_model(kind, vocab_size=len(tokenizer) + 3), tokenizer, Text(blocks + 3, 32)  # 0, 1 and 2 are special


NAMED = {"model": "m", "corpus": "c", "revision": ""}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_work_is_what_is_read(kind):
    """The tokens that are promised are those that the progress counts to its end."""
    (model, tokenizer, text), read = of_stories(kind), []
    measured(model, tokenizer, text, named=NAMED, seed=0, advance=lambda what, tokens: read.append(tokens))
    assert sum(read) == work(model, text)


@pytest.mark.parametrize("length", [16, 256])
def test_the_least_text_is_enough(length):
    """What is asked for at least is measured, and less is refused."""
    model = tiny_model("llama", max_position_embeddings=256)
    blocks = torch.randint(3, 99, (-(-(2 * WIDTH + 3 * length) // length), length))
    text = text_of(model, blocks)
    protocol(model, text.few)
    with pytest.raises(ValueError, match="too few for a stream of width 32"):
        text_of(model, blocks[:2])


@pytest.mark.slow
def test_a_twin_that_cannot_be_measured_is_named_and_left_out(monkeypatch):
    model, tokenizer, text = of_stories("bert")

    def some(model, weights, *, seed):
        if weights in broken:
            raise ValueError("its states overflow <here>")
        return twin(model, weights, seed=seed)

    def report():
        found = measured(model, tokenizer, text, named=NAMED, seed=0, advance=lambda what, tokens: None)
        return page(found, model="m", made={"model": "m", "text": "c", "tokens": "1", "date": "today"})

    monkeypatch.setattr(measure, "twin", some)
    broken = {}
    assert "was left out" not in report()
    broken = {"permuted"}
    assert "The twin with permuted weights was left out: its states overflow &lt;here&gt;." in report()
    broken = {"random", "permuted"}
    with pytest.raises(ValueError, match="no control to compare the model with: its states overflow"):
        report()
