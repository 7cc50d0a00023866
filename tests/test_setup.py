"""Pins, bounds, the conda file and the wheel agree with each other."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from course_lib import bootstrap
from course_lib.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COLAB = tomllib.loads((ROOT / "tests" / "colab_versions.toml").read_text(encoding="utf-8"))
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = [Requirement(line) for group in PROJECT["optional-dependencies"].values() for line in group]
OTHERS = [one for one in CORE + EXTRAS if one.name != PROJECT["name"]]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PINS = [Requirement(line) for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
VERSIONS = [f"{bootstrap.OLDEST[0]}.{minor}" for minor in range(bootstrap.OLDEST[1], bootstrap.NEWEST[1] + 1)]


def environment(python: str, platform: str) -> dict[str, str]:
    """What markers ask about."""
    return {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": platform}


def pinned(name: str, python: str, platform: str = "linux") -> str:
    """The version constraints.txt gives a package on a Python and a platform."""
    place = environment(python, platform)
    fitting = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(name)]
    found = {str(pin.specifier) for pin in fitting if pin.marker is None or pin.marker.evaluate(place)}
    assert len(found) == 1, f"{name} on Python {python}, {platform}: {found or 'no pin'}"
    return found.pop().removeprefix("==")


@pytest.mark.parametrize("python", VERSIONS)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_pin_fits_its_bound(python: str, platform: str) -> None:
    place = environment(python, platform)
    wanted = [one for one in OTHERS if one.marker is None or one.marker.evaluate(place)]
    misfits = [str(one) for one in wanted if not one.specifier.contains(pinned(one.name, python, platform))]
    assert misfits == []


def test_pins_are_exact_and_name_no_host() -> None:
    assert "://" not in CONSTRAINTS
    assert "--" not in CONSTRAINTS
    assert all(re.fullmatch(r"==[0-9][0-9a-z.]*", str(pin.specifier)) and not pin.extras for pin in PINS)
    assert len(PINS) > 100  # the packages that packages need are pinned too


def test_pins_say_how_to_remake_them() -> None:
    assert "make pins" in CONSTRAINTS.splitlines()[1]
    assert re.search(r"^pins:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_bounds_are_lower_bounds_only() -> None:
    assert {clause.operator for one in OTHERS for clause in one.specifier} == {">="}


def test_colab_keeps_its_versions() -> None:
    assert SpecifierSet(PROJECT["requires-python"]).contains(COLAB["python"])
    bounds = {canonicalize_name(one.name): one.specifier for one in OTHERS}
    listed = [(name, version) for name, version in COLAB["packages"].items() if name in bounds]
    refused = [name for name, version in listed if not bounds[name].contains(version)]
    assert len(listed) > 10
    assert refused == []


def test_bootstrap_and_project_agree_on_python() -> None:
    oldest, newest = bootstrap.OLDEST, bootstrap.NEWEST
    assert PROJECT["requires-python"] == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    listed = [line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert listed == VERSIONS


def test_conda_environment_agrees_with_project() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["name"] == PROJECT["name"]
    assert conda["channels"] == ["conda-forge"]
    specs = [rattler.MatchSpec(line, strict=True) for line in conda["dependencies"] if isinstance(line, str)]
    named = {spec.name.normalized: spec for spec in specs}
    assert set(named) == {"python", "pip"}
    assert str(named["python"].version) == PROJECT["requires-python"]
    pip_section = next(part["pip"] for part in conda["dependencies"] if isinstance(part, dict))
    assert pip_section == ["--constraint constraints.txt", f"--editable .[{bootstrap.EXTRA}]"]


def test_extra_all_is_all_the_others() -> None:
    everything = Requirement(PROJECT["optional-dependencies"][bootstrap.EXTRA][0])
    assert everything.name == PROJECT["name"]
    assert everything.extras == set(PROJECT["optional-dependencies"]) - {bootstrap.EXTRA}


def imported_packages(folder: Path) -> set[str]:
    """Distributions whose modules the Python files in a folder import; those of the standard library aside."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"course_lib"}
    known = metadata.packages_distributions()
    return {canonicalize_name(known[top][0]) for top in tops if top in known}


def test_what_is_imported_is_declared() -> None:
    groups = PROJECT["optional-dependencies"]
    declared = {canonicalize_name(one.name) for one in CORE}
    with_tools = declared | {
        canonicalize_name(Requirement(line).name)
        for group in ("lab", "run", "serving", "site")
        for line in groups[group]
    }
    assert imported_packages(ROOT / "course_lib") - with_tools == set()
    assert imported_packages(ROOT / "tests") - {canonicalize_name(one.name) for one in OTHERS} == set()


def test_no_code_names_the_repository_address() -> None:
    address = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    files = [path for folder in ("course_lib", "tests", "benchmarks") for path in (ROOT / folder).rglob("*")]
    texts = [path for path in files if path.suffix in {".py", ".toml", ".j2", ".js", ".html"}]
    assert [path.name for path in texts if address in path.read_text(encoding="utf-8")] == []


def test_wheel_carries_library_and_data_room(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert {path.name for path in site.iterdir()} == {"course_lib", wheel.name.rsplit("-", 3)[0] + ".dist-info"}
    script = (
        "from course_lib import ledger, paths; "
        "print((paths.datasets_dir() / 'manifest.toml').is_file(), len(ledger.studies()) > 3, paths.in_clone())"
    )
    variables = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True", "False"]
    run = [sys.executable, "-m", "course_lib", "run"]
    refused = subprocess.run(run, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "clone the repository" in refused.stderr
