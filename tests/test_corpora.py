import inspect
import io
import json
import os
import socket
import sys
from itertools import islice
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hub_process import run_on_hub
from hub_server import dataset_hub

from linstudy import hub as hub_module
from linstudy.text import CORPORA, corpus, pydocs
from linstudy.text.hub_texts import HUB_CORPORA, articles, hub_documents

TINYSTORIES = HUB_CORPORA["tinystories"]


# Names, paths, iterables


def test_embedded_corpora_start_by_name_and_repeat_by_seed():
    for name in ("stories", "pydocs"):
        first = list(islice(corpus(name, seed=3), 5))
        assert first == list(islice(corpus(name, seed=3), 5))
        assert first != list(islice(corpus(name, seed=4), 5))
        assert all(document.strip() for document in first)


def test_unknown_name_says_what_was_meant_and_what_there_is():
    with pytest.raises(ValueError, match=r"no corpus 'storys': did you mean 'stories'\?") as error:
        corpus("storys")
    assert all(repr(name) in str(error.value) for name in CORPORA)
    assert "texts/mine.txt" in str(error.value)
    with pytest.raises(ValueError, match=r"no corpus 'qqqq': the names are"):
        corpus("qqqq")


def test_file_is_one_document_exactly_as_it_stands(tmp_path):
    text = "  One.\r\n\r\nTwo — 二.\n\n"
    path = tmp_path / "mine.txt"
    path.write_bytes(text.encode())
    assert list(corpus(path)) == [text]
    assert list(corpus(str(path))) == [text]
    (tmp_path / "no_suffix").write_bytes(b"\xef\xbb\xbfbyte order mark")
    assert list(corpus(tmp_path / "no_suffix")) == ["byte order mark"]


def test_a_str_without_any_sign_of_a_path_is_one_if_the_file_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no corpus 'novel'"):
        corpus("novel")
    Path("novel").write_text("Chapter one.", encoding="utf-8")
    assert list(corpus("novel")) == ["Chapter one."]


def test_end_of_text_separates_the_documents_of_a_file(tmp_path):
    path = tmp_path / "stories.txt"
    path.write_text("A.\nB.\n<|endoftext|>\nC.<|endoftext|>D.\n<|endoftext|>\n", encoding="utf-8")
    assert list(corpus(path)) == ["A.\nB.", "C.", "D."]


def test_wrong_paths_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'no/such\.txt' does not exist: give the path of one text file"):
        corpus("no/such.txt")
    with pytest.raises(FileNotFoundError, match=r"is a folder: give the path of one text file"):
        corpus(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        corpus(Path("stories"))  # a path is never a name
    with pytest.raises(ValueError, match=r"is a text, not a name or a path: put it into a list"):
        corpus("Once upon a time.\nThere was a fox.")


def test_file_that_is_not_utf8_names_the_byte(tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes("Ein Satz.\nEin schöner Satz.\n".encode("latin1"))
    with pytest.raises(ValueError, match=r"latin1\.txt' is not UTF-8: byte 17 is 0xf6\. Save it as UTF-8"):
        list(corpus(path))


def test_empty_texts_name_their_source(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_bytes(b" \n\n")
    with pytest.raises(ValueError, match=r"no text in the file '.*empty\.txt'"):
        list(corpus(path))
    with pytest.raises(ValueError, match="no text in the iterable of texts"):
        list(corpus(["", "\n"]))
    assert list(corpus(["", "word", "\n"])) == ["word"]


def test_documents_must_be_strings():
    # By an iterator and a dict: what is wrong in a list, the type checks of these tests would see first.
    with pytest.raises(TypeError, match="Document 1 of the iterable of texts is dict, not a string"):
        list(corpus(iter(["a", {"text": "b"}])))
    with pytest.raises(TypeError, match="A corpus is a name, a path or an iterable of strings, not dict"):
        corpus({"text": "a"})


# The documentation of Python


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


# The hub


def parquet(texts, column="text", **options):
    file = io.BytesIO()
    table = pyarrow.table({column: texts, "number": list(range(len(texts)))})
    pyarrow.parquet.write_table(table, file, **options)
    return file.getvalue()


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
    """Read a corpus in a process of its own: the hub's address is fixed when its library is imported.

    Gives the documents, the error's sentence if there was one, and for how long the libraries waited between retries.
    They wait for a moment only. Whoever holds the generator must find the settings of `datasets` unchanged.
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
        "data/train-00001-of-00002-b.parquet": parquet(texts[2000:]),
        "data/train-00000-of-00002-a.parquet": parquet(texts[:2000], row_group_size=300),
        "data/validation-00000-of-00001-c.parquet": parquet(["not the training split"]),
    }
    with dataset_hub(files, dataset=TINYSTORIES.dataset, revision=TINYSTORIES.revision) as server:
        documents, error, _ = documents_of_hub(server.url, "tinystories", tmp_path)
    assert error is None
    assert documents == texts
    assert all(TINYSTORIES.revision in request for request in server.requests)
    assert not any("validation" in request and "resolve" in request for request in server.requests)


@pytest.mark.slow
def test_a_branch_is_resolved_to_one_commit(tmp_path):
    where, commit = HUB_CORPORA["tiny-textbooks"], "c" * 40
    files = {"default/train/0000.parquet": parquet(["Lesson 1.", "Lesson 2."], column=where.column)}
    with dataset_hub(files, dataset=where.dataset, revision=where.revision, commit=commit) as server:
        documents, error, _ = documents_of_hub(server.url, "tiny-textbooks", tmp_path)
    assert error is None
    assert documents == ["Lesson 1.", "Lesson 2."]
    first, *others = server.requests
    assert where.revision in first
    assert others
    assert all(commit in request for request in others)


@pytest.mark.slow
def test_hub_cut_off_in_the_middle_of_a_file_says_how_far_it_came(tmp_path):
    # Random letters do not compress: the second file stays longer than what the server lets through.
    letters = os.urandom(400_000).hex()
    files = {
        "data/train-00000-of-00002.parquet": parquet(["A whole story."] * 7),
        "data/train-00001-of-00002.parquet": parquet([letters]),
    }
    pinned = {"dataset": TINYSTORIES.dataset, "revision": TINYSTORIES.revision}
    with dataset_hub(files, **pinned, cut_after=100_000) as server:
        documents, error, waited = documents_of_hub(server.url, "tinystories", tmp_path)
    assert documents == ["A whole story."] * 7
    assert "'tinystories' (roneneldan/TinyStories) broke off after 7 rows (" in error
    assert "try again, or take 'stories' or 'pydocs'" in error
    assert "RemoteProtocolError" in error  # what happened, not the "Server Disconnected" that `datasets` makes of it
    assert 20 < waited < 30  # seconds: the hub's library alone; `datasets` 5 would make it ten minutes
    with dataset_hub(files, **pinned) as server:  # control: the same files, not cut
        documents, error, _ = documents_of_hub(server.url, "tinystories", tmp_path)
    assert documents[-1] == letters
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
        ({"status": 403}, PermissionError, r"is gated: ask for access at http\S+/datasets/roneneldan/TinyStories and"),
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


def test_hub_switched_off_by_the_user_says_by_what():
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE forbids to ask there: unset it"):
        next(corpus("tinystories"))


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
