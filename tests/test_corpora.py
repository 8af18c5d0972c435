import inspect
import json
import os
import socket
import sys
from itertools import islice
from pathlib import Path

import pytest
from hub_process import run_on_hub
from hub_server import dataset_hub, parquet

from linstudy import hub as hub_module
from linstudy.text import CORPORA, corpus, pydocs
from linstudy.text.hub_texts import HUB_CORPORA, articles, hub_documents

TINYSTORIES = HUB_CORPORA["tinystories"]


def test_embedded_corpora_start_by_name_and_repeat_by_seed():
    for name in ("stories", "pydocs"):
        first = list(islice(corpus(name, seed=3), 5))
        assert first == list(islice(corpus(name, seed=3), 5))
        assert first != list(islice(corpus(name, seed=4), 5))
        assert all(document.strip() for document in first)
    assert list(corpus(["", "word", "\n"])) == ["word"]


def test_unknown_name_says_what_was_meant_and_what_there_is():
    with pytest.raises(ValueError, match=r"no corpus 'storys': did you mean 'stories'\?") as error:
        corpus("storys")
    assert all(repr(name) in str(error.value) for name in CORPORA)
    assert "texts/mine.txt" in str(error.value)


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        ("  One.\r\n\r\nTwo — 二.\n\n", ["  One.\r\n\r\nTwo — 二.\n\n"]),
        ("\ufeffbyte order mark", ["byte order mark"]),
        ("A.\nB.\n<|endoftext|>\nC.<|endoftext|>D.\n<|endoftext|>\n", ["A.\nB.", "C.", "D."]),
    ],
)
def test_a_file_is_one_document_as_it_stands_or_several_between_ends_of_text(tmp_path, monkeypatch, content, documents):
    monkeypatch.chdir(tmp_path)
    for name in ("mine.txt", "novel"):  # without any sign of a path: it is there
        Path(name).write_bytes(content.encode())
        assert list(corpus(Path(name))) == list(corpus(name)) == documents


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("no/such.txt", FileNotFoundError, r"'no/such\.txt' does not exist: give the path of one text file"),
        (Path(__file__).parent, FileNotFoundError, r"is a folder: give the path of one text file"),
        (Path("stories"), FileNotFoundError, "does not exist"),  # a path is never a name
        ("Once upon a time.\nThere was a fox.", ValueError, r"is a text, not a name or a path: put it into a list"),
        ("novel", ValueError, "no corpus 'novel'"),
        ({"text": "a"}, TypeError, "A corpus is a name, a path or an iterable of strings, not dict"),
        (["", "\n"], ValueError, "no text in the iterable of texts"),
        # by an iterator: what is wrong in a list, the type checks of these tests would see first
        (iter(["a", {"text": "b"}]), TypeError, "Document 1 of the iterable of texts is dict, not a string"),
        ("tinystories", ConnectionError, "HF_HUB_OFFLINE forbids to ask there: unset it"),
    ],
    ids=range(9),
)
def test_what_is_no_corpus_is_named(source, kind, message):
    with pytest.raises(kind, match=message):
        list(corpus(source))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Ein Satz.\nEin schöner Satz.\n".encode("latin1"), r"' is not UTF-8: byte 17 is 0xf6\. Save it as UTF-8"),
        (b" \n\n", r"no text in the file '.*mine\.txt'"),
    ],
    ids=["latin1", "empty"],
)
def test_files_without_text_are_named(tmp_path, content, message):
    (tmp_path / "mine.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(corpus(tmp_path / "mine.txt"))


def test_pydocs_hold_the_documentation_and_import_nothing():
    before = set(sys.modules)
    documents = list(pydocs(seed=None))
    assert {name.split(".")[0] for name in set(sys.modules) - before} <= {"pydoc_data"}
    text = "\n".join(documents)
    assert len(text) > 1_000_000
    assert inspect.getdoc(json) in text
    assert inspect.getdoc(json.JSONDecoder.raw_decode) in text
    assert documents == list(pydocs(seed=None))
    shuffled = list(pydocs(seed=1))
    assert shuffled != documents
    assert sorted(shuffled) == sorted(documents)


def test_python_without_library_sources_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(OSError, match=r"'pydocs' needs the source files .* holds none: use the corpus 'stories'"):
        next(pydocs())


def documents(texts, column="text", **options):
    return parquet([{column: text, "number": number} for number, text in enumerate(texts)], **options)


READ = """
import sys, json, time
waits, sleep = [], time.sleep
time.sleep = lambda seconds: waits.append(seconds) or sleep(min(seconds, 0.1))
from datasets import config
from linstudy.text import corpus
settings = {name: value for name, value in vars(config).items() if 'RETR' in name}
documents, error = [], None
try:
    for document in corpus(sys.argv[1]):
        documents.append(document)
        assert settings.items() <= vars(config).items()
except ConnectionError as caught:
    error = str(caught)
assert settings and settings.items() <= vars(config).items()
json.dump([documents, error, sum(waits)], sys.stdout)
"""


def documents_of_hub(url, name, tmp_path):
    """Return a corpus' documents, the error's sentence if there was one, and the seconds waited between retries.

    In a process of its own: the hub's address is fixed when its library is imported. Whoever holds the generator must
    find the settings of `datasets` unchanged.
    """
    done = run_on_hub(READ, url, tmp_path, arguments=[name], seconds=100)
    assert done.stderr == ""  # the error is all that is said
    return json.loads(done.stdout)


@pytest.mark.slow
def test_hub_corpus_streams_the_pinned_revision_in_order(tmp_path):
    texts = [f"Story {number} of \N{CAT FACE}." for number in range(2500)]
    files = {
        "README.md": b"---\n---\n",
        "TinyStories-train.txt": b"not parquet",
        "data/train-00001-of-00002-b.parquet": documents(texts[2000:]),
        "data/train-00000-of-00002-a.parquet": documents(texts[:2000], row_group_size=300),
        "data/validation-00000-of-00001-c.parquet": documents(["not the training split"]),
    }
    with dataset_hub(files, dataset=TINYSTORIES.dataset, revision=TINYSTORIES.revision) as server:
        found, error, _ = documents_of_hub(server.url, "tinystories", tmp_path)
    assert error is None
    assert found == texts
    assert all(TINYSTORIES.revision in request for request in server.requests)
    assert not any("validation" in request and "resolve" in request for request in server.requests)


@pytest.mark.slow
def test_a_branch_is_resolved_to_one_commit(tmp_path):
    where, commit = HUB_CORPORA["tiny-textbooks"], "c" * 40
    files = {"default/train/0000.parquet": documents(["Lesson 1.", "Lesson 2."], column=where.column)}
    with dataset_hub(files, dataset=where.dataset, revision=where.revision, commit=commit) as server:
        found, error, _ = documents_of_hub(server.url, "tiny-textbooks", tmp_path)
    assert error is None
    assert found == ["Lesson 1.", "Lesson 2."]
    first, *others = server.requests
    assert where.revision in first
    assert others
    assert all(commit in request for request in others)


@pytest.mark.slow
def test_hub_cut_off_in_the_middle_of_a_file_says_how_far_it_came(tmp_path):
    # Random letters do not compress: the second file stays longer than what the server lets through.
    letters = os.urandom(400_000).hex()
    files = {
        "data/train-00000-of-00002.parquet": documents(["A whole story."] * 7),
        "data/train-00001-of-00002.parquet": documents([letters]),
    }
    pinned = {"dataset": TINYSTORIES.dataset, "revision": TINYSTORIES.revision}
    with dataset_hub(files, **pinned, cut_after=100_000) as server:
        found, error, waited = documents_of_hub(server.url, "tinystories", tmp_path)
    assert found == ["A whole story."] * 7
    assert "'tinystories' (roneneldan/TinyStories) broke off after 7 rows (" in error
    assert "try again, or take 'stories' or 'pydocs'" in error
    assert "RemoteProtocolError" in error  # what happened, not the "Server Disconnected" that `datasets` makes of it
    assert waited < 60  # seconds: the hub's library alone; `datasets` 5 would make it ten minutes
    with dataset_hub(files, **pinned) as server:  # control: the same files, not cut
        found, error, _ = documents_of_hub(server.url, "tinystories", tmp_path)
    assert found[-1] == letters
    assert error is None


@pytest.fixture
def at_hub(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return lambda url: monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)


@pytest.mark.parametrize(
    ("served", "kind", "message"),
    [
        ({"status": 503}, ConnectionError, r"the hub at http\S+ is away \(it answered 503\): take"),
        ({"status": 403}, PermissionError, r"is gated: ask for access at http\S+/datasets/roneneldan/TinyStories,"),
        ({"dataset": "a/b"}, FileNotFoundError, r"there is no corpus 'tinystories' \(roneneldan/TinyStories\) at"),
        ({"revision": "0" * 40}, FileNotFoundError, r"has no revision 'f54c09f\w+': choose one listed"),
        ({}, FileNotFoundError, r"has no file named data/train-"),
    ],
)
def test_hub_errors_are_one_sentence_with_a_way_out(at_hub, served, kind, message):
    served = {"dataset": TINYSTORIES.dataset, "revision": TINYSTORIES.revision, **served}
    with dataset_hub({"README.md": b""}, **served) as server:
        at_hub(server.url)
        with pytest.raises(kind, match=message) as error:
            next(hub_documents("tinystories"))
    assert "take 'stories' or 'pydocs', or the path of a text file" in str(error.value)
    assert error.value.__context__ is None  # neither shown nor kept alive, with the files it was reading


@pytest.mark.parametrize("listens", [False, True])  # refused, or never answered
def test_hub_that_is_away_or_silent_is_said(at_hub, monkeypatch, listens):
    monkeypatch.setattr(hub_module, "PATIENCE", 0.5)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if listens:
            server.listen()
        at_hub(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(ConnectionError, match=r"is not on this machine and the hub at \S+ is away \(.+\): take"):
            next(hub_documents("wikitext"))


def test_pinned_revisions_are_commits():
    moving = {name for name, where in HUB_CORPORA.items() if len(where.revision) != 40}
    assert moving == {"tiny-textbooks"}
    assert all(int(where.revision, 16) for name, where in HUB_CORPORA.items() if name not in moving)


def test_articles_start_at_titles_and_not_at_section_headings():
    fox = [" = Fox = \n", "", " A fox . \n", " = = Den = = \n", "", " Dug . \n", ""]
    owl = [" = Owl = \n", "", " An owl . \n", " = x = \n"]  # the last is not after an empty line: no title
    assert list(articles(["", *fox, *owl])) == ["", "".join(fox), "".join(owl)]


@pytest.mark.parametrize("split", ["valid", "test"])
def test_articles_of_real_wikitext(shared, split):
    lines = (shared / "data" / f"wikitext-2-{split}.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    rows = [line if line.strip() else "" for line in lines]  # as the data set's rows have it
    found = list(articles(rows))
    assert found[0] == ""  # before the first title
    assert len(found[1:]) == 60  # articles in each of these splits, by Merity et al. (2016), table 1
    assert "".join(found) == "".join(rows)
