"""What stands around the package says the same thing everywhere, and its commands do what they say."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import linstudy

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
SLUG = REPOSITORY["url"].removeprefix("https://github.com/")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
# A make that runs these tests hands its options and variables down; the makes started here begin anew.
FROM_MAKE = {"MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "ARGS", "PYTHON", "CONSTRAINTS"}
VERBS = re.findall(r"^(\w+):.*## ", MAKEFILE, flags=re.M)


def run(*command, cwd=ROOT, env=None) -> subprocess.CompletedProcess:
    plain = {key: value for key, value in os.environ.items() if key not in FROM_MAKE}
    return subprocess.run(command, cwd=cwd, env={**plain, **(env or {})}, capture_output=True, text=True)


def listed_files() -> list[Path]:
    """Return what is in git or would be."""
    done = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode:
        pytest.skip("this is not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# ---- versions, dependencies


OPTIONAL = {"tagging", "gguf"}  # for those who ask for them: neither pinned nor in the environment


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["project"]["version"] == linstudy.__version__ == citation["version"]
    assert linstudy.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_conda_environment_is_that_of_pyproject():
    needs = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [need["pip"] for need in needs if isinstance(need, dict)]
    assert f"python{PROJECT['project']['requires-python']}" in needs
    constraints, editable = pip
    assert (ROOT / constraints.removeprefix("--constraint ")).samefile(ROOT / "constraints.txt")
    extras = re.fullmatch(r"--editable \.\[(.*)\]", editable)[1].split(",")
    assert sorted(extras) == sorted({*PROJECT["project"]["optional-dependencies"]} - OPTIONAL)


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), "name==version only: no paths, no +cpu"
    return {canonicalize_name(name): pin for name, pin in (line.split("==") for line in lines)}


def test_constraints_meet_every_bound():
    project = PROJECT["project"]
    pinned = [needs for extra, needs in project["optional-dependencies"].items() if extra not in OPTIONAL]
    for text in sum(pinned, project["dependencies"]):
        need = Requirement(text)
        assert need.specifier.contains(pins()[canonicalize_name(need.name)]), text


def test_the_lowest_versions_are_those_of_the_bounds():
    done = run(sys.executable, "tools/lowest.py")
    lowest = dict(line.split("==") for line in done.stdout.splitlines())
    needs = {need.name: need.specifier for need in map(Requirement, PROJECT["project"]["dependencies"])}
    assert lowest.keys() == needs.keys()
    for name, specifier in needs.items():
        assert specifier.contains(lowest[name])
        assert not specifier.contains("0.0.1")


def needed(name: str, extras: frozenset[str], found: dict[str, str]) -> dict[str, str]:
    """Return name and version of all that is installed because `name` needs it."""
    for need in map(Requirement, distribution(name).requires or []):
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            key = canonicalize_name(need.name)
            if re.match("nvidia|cuda|triton", key) or (key in found and not need.extras):
                continue  # torch pins its own libraries for the GPU
            found[key] = version(need.name)
            needed(need.name, frozenset(need.extras), found)
    return found


def test_constraints_are_complete():
    installed = needed("linstudy", frozenset(PROJECT["project"]["optional-dependencies"]) - OPTIONAL, {})
    installed = {name: one.partition("+")[0] for name, one in installed.items()}
    locked = pins()
    if others := [name for name, one in installed.items() if locked.get(name, one) != one]:
        pytest.skip(f"not installed with constraints.txt ({', '.join(others[:3])} differ)")
    assert sorted(set(installed) - {*locked, "pip"}) == []


def test_constraints_can_be_installed_on_the_oldest_python():
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=") + ".0"
    wanted = {name: distribution(name).metadata["Requires-Python"] for name in pins() if is_as_pinned(name)}
    assert len(wanted) > 100
    assert not [name for name, bound in wanted.items() if bound and not SpecifierSet(bound).contains(oldest)]


def is_as_pinned(name: str) -> bool:
    """Say whether the pinned version of `name` is the one installed."""
    try:
        return version(name).partition("+")[0] == pins()[name]
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize("name", ["linstudy", "storyworld", "casebook"])
def test_package_data_names_every_file_a_wheel_must_hold(name):
    package = ROOT / name
    patterns = PROJECT["tool"]["setuptools"]["package-data"][name]
    named = {path for pattern in patterns for path in package.glob(pattern)}
    files = [path for path in listed_files() if path.is_relative_to(package) and path.suffix != ".py"]
    assert not [str(path.relative_to(ROOT)) for path in files if path not in named]


# ---- address, licences


def test_the_address_is_the_same_everywhere():
    texts = [p for p in listed_files() if p.suffix in {".md", ".cff", ".toml", ".ipynb", ".py", ".yml", ".svg"}]
    wrong = []
    for path in texts:
        if path.is_relative_to(ROOT / "tests"):
            continue
        for slug in re.findall(r"(?:github\.com|/github)/([\w.-]+/linstudy)\b", path.read_text()):
            wrong += [f"{path.name}: {slug}"] if slug != SLUG else []
    assert not wrong, f"_config.yml says {SLUG}; CONTRIBUTING.md says how to change the rest"


def test_links_made_from_the_address():
    readme = (ROOT / "README.md").read_text()
    organisation, name = SLUG.split("/")
    assert f"https://{organisation}.github.io/{name}/" in readme
    assert f"git+{REPOSITORY['url']}" in readme
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == REPOSITORY["url"]
    badges = re.findall(r"https://colab\.research\.google\.com/github/[^)\s]+", readme)
    assert badges
    for badge in badges:
        start = f"https://colab.research.google.com/github/{SLUG}/blob/{REPOSITORY['branch']}/"
        assert (ROOT / badge.removeprefix(start)).is_file(), badge


def test_the_citation_names_what_the_project_names():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == PROJECT["project"]["license"]
    assert [author["name"] for author in citation["authors"]] == [a["name"] for a in PROJECT["project"]["authors"]]
    (paper,) = citation["references"]
    assert paper["doi"] in (ROOT / "README.md").read_text()


# ---- what is in git


def test_nothing_large_and_no_path_of_this_machine_in_git():
    files = listed_files()
    assert not [str(path) for path in files if path.stat().st_size > 8_000_000]
    pattern = re.compile(rb"(?<![\w.])/(?:work|root)/|" + re.escape(bytes(ROOT)))
    texts = [path for path in files if path.suffix not in {".png", ".safetensors"} and path != Path(__file__)]
    assert not [str(path) for path in texts if pattern.search(path.read_bytes())]


def dirty(path: Path, *, outputs=(), widgets=None) -> Path:
    cell = nbformat.v4.new_code_cell("1", outputs=list(outputs), execution_count=1 if outputs else None)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    if widgets:
        notebook.metadata["widgets"] = widgets
    nbformat.write(notebook, path)
    return path


def test_notebooks_hold_no_outputs(tmp_path):
    def clean(*paths):
        return run(sys.executable, "-m", "nbstripout", "--keep-id", "--verify", *map(str, paths)).returncode == 0

    notebooks = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    assert not notebooks or clean(*notebooks), "run: make fmt"
    assert clean(dirty(tmp_path / "clean.ipynb"))
    assert not clean(dirty(tmp_path / "outputs.ipynb", outputs=[nbformat.v4.new_output("stream", text="1")]))
    assert not clean(dirty(tmp_path / "widgets.ipynb", widgets={"state": {}}))


# ---- commands


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_pinned_and_may_little(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    actions = re.findall(r"uses: (.*)", path.read_text())
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        may = {"contents"} if path.stem == "release" else {"pages", "id-token"}
        assert set(job.get("permissions", {})) <= may
    for verb in re.findall(r"run: make (\w+)", path.read_text()):
        assert verb in VERBS
    for name in re.findall(r"CONSTRAINTS=(\S+)", path.read_text()):
        assert (ROOT / name).is_file() or f"> {name}" in path.read_text()
    # A second index is for installing what is pinned alone.
    assert "PIP_EXTRA_INDEX_URL" not in path.read_text() or "CONSTRAINTS=" not in path.read_text()
