"""`course doctor`: what it looks at, what it says when something is wrong, and its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from course_lib import doctor, paths, sources

PROFILES = "ml-100k-item-profiles"  # lies in the repository: no network needed


def run_doctor(*options: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `course doctor` in a process of its own."""
    command = [sys.executable, "-m", "course_lib", "doctor", *options]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})


def artefact_check(name: str) -> doctor.Check:
    """The line about one artefact."""
    (status,) = [one for one in sources.list_artefacts() if one.name == name]
    return doctor.check_artefact(status)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv(paths.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def test_json_and_exit_code_agree_with_the_lines(tmp_path: Path) -> None:
    fresh = {paths.CACHE_VARIABLE: str(tmp_path)}  # no data yet: yellow, not red
    done = run_doctor("--json", **fresh)
    checks = [doctor.Check(**line) for line in json.loads(done.stdout)]
    assert done.returncode == any(check.mark == "red" for check in checks)
    names = {check.name for check in checks}
    assert names == {
        "python",
        "packages",
        "extras",
        "kernel",
        "device",
        "cores",
        "memory",
        "cache",
        "disk",
        "data",
        "model",
    }
    assert [check for check in checks if (check.mark == "green") != (check.advice == "")] == []
    needed = {one.name for one in sources.list_artefacts() if one.default}
    missing = [check for check in checks if check.mark == "yellow" and check.name in ("data", "model")]
    assert {check.finding.partition(":")[0] for check in missing} == needed

    lines = run_doctor(**fresh).stdout.splitlines()
    words = [line[:4] for line in lines if not line.startswith(" ")]
    assert words == [doctor.LOOKS[check.mark][0] for check in checks]
    assert [line for line in lines if line.startswith(" ") and "-> " not in line] == []


def test_red_line_leaves_with_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = run_doctor(**{paths.CACHE_VARIABLE: str(tmp_path / "file" / "cache")})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "FIX   cache       the cache folder cannot be made" in done.stdout
    assert f"-> move the cache: set {paths.CACHE_VARIABLE}" in done.stdout


def test_artefact_missing_ready_broken(cache: Path) -> None:
    missing = artefact_check(PROFILES)
    assert (missing.mark, missing.finding) == ("yellow", f"{PROFILES}: 1 files are not here yet")
    assert missing.advice.startswith(f"course data fetch {PROFILES}")

    folder = sources.fetch(PROFILES, quiet=True)
    assert artefact_check(PROFILES) == doctor.Check("data", "green", f"{PROFILES}: here, checksums fit")

    with (folder / f"{PROFILES}.jsonl").open("ab") as handle:
        handle.write(b"{}")
    broken = artefact_check(PROFILES)
    assert (broken.mark, broken.advice) == ("red", f"course data fetch {PROFILES}")
    assert "does not fit its checksum" in broken.finding


@pytest.mark.usefixtures("cache")
def test_artefact_no_lesson_needs_is_no_problem() -> None:
    on_request = [one for one in sources.list_artefacts() if not one.default]
    assert on_request
    assert {doctor.check_artefact(one).mark for one in on_request} == {"green"}


def test_packages_are_held_against_their_bounds() -> None:
    wanted = ["psutil>=1.0", "psutil>=999", "no-such-package-as-this>=2", "packaging"]
    wanted += ["another-package>=1; sys_platform == 'amiga'"]
    found = doctor.misfits([Requirement(line) for line in wanted])
    assert found == ["no-such-package-as-this is missing", f"psutil is {psutil.__version__}, needs >=999"]


def test_this_environment_has_what_the_lessons_need() -> None:
    core, extras = doctor.requirements()
    assert {"torch", "numpy", "pandas"} <= {one.name for one in core}
    assert {"jupyterlab", "pytest"} <= {one.name for one in extras}
    assert doctor.check_packages() == doctor.Check("packages", "green", f"{len(core)} fit")


@pytest.mark.parametrize(("value", "mark"), [(0, "red"), (1, "yellow"), (1.9, "yellow"), (2, "green"), (9, "green")])
def test_limits(value: float, mark: str) -> None:
    check = doctor.graded("memory", value, (1, 2), "seen", "do this")
    assert (check.mark, check.advice) == (mark, "" if mark == "green" else "do this")


def test_wrong_python_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_python().mark == "green"
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    check = doctor.check_python()
    assert (check.mark, check.advice) == ("red", "the course needs Python 3.11 to 3.13: make course PYTHON=python3.12")


def test_broken_torch_and_kernel_are_red(tmp_path: Path) -> None:
    for name in ("torch", "ipykernel"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('half of me is missing')\n", encoding="utf-8")
    done = run_doctor("--json", PYTHONPATH=str(tmp_path), **{paths.CACHE_VARIABLE: str(tmp_path / "cache")})
    assert done.returncode == 1
    marks = {line["name"]: line for line in json.loads(done.stdout)}
    for name in ("device", "kernel"):
        assert marks[name]["mark"] == "red"
        assert "half of me is missing" in marks[name]["finding"]
        assert "make setup" in marks[name]["advice"]
