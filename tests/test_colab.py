"""Colab keeps its packages: what the lessons need resolves beside the exact versions it has (`make colab` runs it)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from colab_contract import change_rows
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_lib.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COLAB = tomllib.loads((ROOT / "tests" / "colab_versions.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = PROJECT["dependencies"] + EXTRAS["electives"] + EXTRAS["serving"]
UNREACHABLE = ("Failed to fetch", "error sending request", "dns error")  # what uv says


def resolve(requirements: list[str], folder: Path) -> dict[str, str]:
    """Version of each package that would be installed on Colab's Python, its own versions held, nothing built.

    Where the registry cannot be asked the test is skipped, or fails if COURSE_NEED_REGISTRY is 1.
    """
    wanted, held = folder / "wanted.txt", folder / "held.txt"
    wanted.write_text("\n".join(requirements), encoding="utf-8")
    held.write_text("".join(f"{name}=={version}\n" for name, version in COLAB["packages"].items()), encoding="utf-8")
    command = [sys.executable, "-m", "uv", "pip", "compile", "--no-header", "--no-annotate", "--no-python-downloads"]
    place = ["--python-platform", "linux", "--python-version", COLAB["python"], "--only-binary", ":all:"]
    done = subprocess.run([*command, *place, "--constraint", held, wanted], capture_output=True, text=True, check=False)
    if done.returncode != 0 and any(sign in done.stderr.partition("error:")[2] for sign in UNREACHABLE):
        needed = os.environ.get("COURSE_NEED_REGISTRY") == "1"
        (pytest.fail if needed else pytest.skip)(f"the package registry is out of reach:\n{done.stderr}")
    assert done.returncode == 0, done.stderr
    found = [Requirement(line) for line in done.stdout.splitlines() if not line.startswith("#")]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in found}


def test_all_that_lessons_use_resolves_beside_colabs_versions(tmp_path: Path) -> None:
    found = resolve(NEEDED, tmp_path)
    assert {canonicalize_name(Requirement(line).name) for line in NEEDED} <= set(found)
    changed = {name: found[name] for name, held in COLAB["packages"].items() if found.get(name, held) != held}
    assert changed == {}
    assert {"numpy", "pandas", "torch"} <= set(found)


def test_a_bound_above_colabs_version_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"numpy=={COLAB['packages']['numpy']}"):
        resolve(["numpy>=2.2"], tmp_path)


@pytest.mark.parametrize(("needed", "outcome"), [("0", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_no_registry_is_no_proof(
    needed: str, outcome: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_NEED_REGISTRY", needed)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")  # nobody listens there
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(outcome, match="the package registry is out of reach"):
        resolve(["cycler"], tmp_path)


def test_the_list_names_what_colab_lacks() -> None:
    ours = {canonicalize_name(Requirement(line).name) for line in NEEDED}
    assert set(COLAB["absent"]) & ours == {"faiss-cpu", "torch-geometric"}  # the set-up cell has something to install
    assert not set(COLAB["absent"]) & set(COLAB["packages"])


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        ({}, set()),
        ({"absent": ["1.0", "a", 1]}, set()),
        ({"numpy": ["2.4.6", "b", 2]}, {"left untouched", "others changed"}),
        ({"torch": ["2.11.0", "a", 2]}, {"left untouched", "others changed"}),  # installed anew: another time
        ({"tqdm": ["4.68.0", "b", 2]}, {"others changed"}),
    ],
)
def test_the_contract_notices_what_was_changed(after: dict[str, list[str | int]], broken: set[str]) -> None:
    before: dict[str, list[str | int]] = {name: ["1.0", "a", 1] for name in COLAB["packages"]}
    rows = list(change_rows("lesson", before, before | after))
    assert {what.partition(": ")[2] for holds, what, _ in rows if not holds} == broken
    assert rows[-1][2] == ("absent 1.0" if "absent" in after else "-")
