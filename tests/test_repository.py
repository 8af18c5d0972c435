"""What stands around the package says the same thing everywhere, and its commands do what they say."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, distributions, version
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


OPTIONAL = {"tagging", "gguf"}  # for those who ask for them: neither pinned nor in the environment


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


def test_the_lowest_versions_are_those_of_the_bounds_and_pins_meet_every_one():
    project = PROJECT["project"]
    lowest = dict(line.split("==") for line in run(sys.executable, "tools/lowest.py").stdout.splitlines())
    needs = {need.name: need.specifier for need in map(Requirement, project["dependencies"])}
    assert lowest.keys() == needs.keys()
    for name, specifier in needs.items():
        assert (specifier.contains(lowest[name]), specifier.contains("0.0.1")) == (True, False)
    extras = [needs for extra, needs in project["optional-dependencies"].items() if extra not in OPTIONAL]
    for need in map(Requirement, sum(extras, project["dependencies"])):
        assert need.specifier.contains(pins()[canonicalize_name(need.name)]), need


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
    here = {canonicalize_name(one.name): one for one in distributions()}
    same = [here[name] for name, pin in pins().items() if name in here and here[name].version.partition("+")[0] == pin]
    assert len(same) > 100
    bounds = {one.name: one.metadata.get("Requires-Python") for one in same}
    assert not [name for name, bound in bounds.items() if bound and not SpecifierSet(bound).contains(oldest)]


@pytest.mark.parametrize("name", ["linstudy", "storyworld", "casebook"])
def test_package_data_names_every_file_a_wheel_must_hold(name):
    package = ROOT / name
    patterns = PROJECT["tool"]["setuptools"]["package-data"][name]
    named = {path for pattern in patterns for path in package.glob(pattern)}
    files = [path for path in listed_files() if path.is_relative_to(package) and path.suffix != ".py"]
    assert not [str(path.relative_to(ROOT)) for path in files if path not in named]


def test_the_address_is_the_same_everywhere():
    texts = [p for p in listed_files() if p.suffix in {".md", ".cff", ".toml", ".ipynb", ".py", ".yml", ".svg"}]
    wrong = []
    for path in texts:
        if path.is_relative_to(ROOT / "tests"):
            continue
        for slug in re.findall(r"(?:github\.com|/github)/([\w.-]+/linstudy)\b", path.read_text()):
            wrong += [f"{path.name}: {slug}"] if slug != SLUG else []
    assert not wrong, f"_config.yml says {SLUG}; CONTRIBUTING.md says how to change the rest"


def test_readme_and_citation_name_what_the_project_names():
    readme, citation = (ROOT / "README.md").read_text(), yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project, (organisation, name) = PROJECT["project"], SLUG.split("/")
    assert project["version"] == linstudy.__version__ == citation["version"]
    assert linstudy.__version__ in (ROOT / "CHANGELOG.md").read_text()
    assert citation["license"] == project["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]
    assert citation["repository-code"] == REPOSITORY["url"]
    for part in (
        f"https://{organisation}.github.io/{name}/",
        f"git+{REPOSITORY['url']}",
        citation["references"][0]["doi"],
    ):
        assert part in readme
    badges = re.findall(r"https://colab\.research\.google\.com/github/[^)\s]+", readme)
    assert badges
    for badge in badges:
        start = f"https://colab.research.google.com/github/{SLUG}/blob/{REPOSITORY['branch']}/"
        assert (ROOT / badge.removeprefix(start)).is_file(), badge


def test_nothing_large_and_no_path_of_this_machine_in_git():
    files = listed_files()
    assert not [str(path) for path in files if path.stat().st_size > 8_000_000]
    pattern = re.compile(rb"(?<![\w.])/(?:work|root)/|" + re.escape(bytes(ROOT)))
    texts = [path for path in files if path.suffix not in {".png", ".safetensors"} and path != Path(__file__)]
    assert not [str(path) for path in texts if pattern.search(path.read_bytes())]


def test_notebooks_hold_no_outputs(tmp_path):
    def clean(*paths):
        return run(sys.executable, "-m", "nbstripout", "--keep-id", "--verify", *map(str, paths)).returncode == 0

    def written(name, outputs=(), **metadata):
        cell = nbformat.v4.new_code_cell("1", outputs=list(outputs), execution_count=1 if outputs else None)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), tmp_path / name)
        return tmp_path / name

    assert clean(written("clean.ipynb"), *(ROOT / "notebooks").rglob("*.ipynb")), "run: make fmt"
    assert not clean(written("outputs.ipynb", [nbformat.v4.new_output("stream", text="1")]))
    assert not clean(written("widgets.ipynb", widgets={"state": {}}))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_pinned_and_may_little(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    actions = re.findall(r"uses: (.*)", path.read_text())
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in actions), actions
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        may = {"contents"} if path.stem == "release" else {"pages", "id-token"}
        assert set(job.get("permissions", {})) <= may
    assert set(re.findall(r"run: make (\w+)", path.read_text())) <= set(VERBS)
    for name in re.findall(r"CONSTRAINTS=(\S+)", path.read_text()):
        assert (ROOT / name).is_file() or f"> {name}" in path.read_text()
    # A second index is for installing what is pinned alone.
    assert "PIP_EXTRA_INDEX_URL" not in path.read_text() or "CONSTRAINTS=" not in path.read_text()
