"""The command `course`, called as a person calls it: exit codes, help, messages."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import typer

import course_lib
from course_lib import cli, notebooks, sources
from course_lib.paths import ROOT

COMMANDS = {
    (): [
        "run",
        "lab",
        "data",
        "ledger",
        "study",
        "notebooks",
        "doctor",
        "profiles",
        "publish",
        "docs",
        "new-lesson",
        "site",
        "slides",
        "serve",
        "--version",
        "Exit codes",
    ],
    ("run",): ["[LESSON]...", "build/"],
    ("lab",): ["--no-browser"],
    ("data",): ["fetch", "verify", "list"],
    ("data", "fetch"): ["[NAME]..."],
    ("data", "verify"): ["[NAME]...", "checksum"],
    ("data", "list"): ["licence"],
    ("ledger",): ["--format", "table|json|markdown"],
    ("study",): ["[NAME]...", "--check"],
    ("notebooks",): ["sync", "execute", "lint"],
    ("notebooks", "sync"): ["[LESSON]..."],
    ("notebooks", "execute"): ["[LESSON]..."],
    ("notebooks", "lint"): ["[LESSON]..."],
    ("doctor",): ["--json"],
    ("progress",): ["--format", "--reset", "COURSE_PROGRESS_FILE"],
    ("solutions",): ["[LESSON]...", "--output", "--nbgrader", "--otter"],
    ("export",): ["--output", "--encoder"],
    ("serve",): ["--bundle", "--database", "--port", "COURSE_ADMIN_TOKEN"],
    ("publish",): ["--repo", "OWNER/NAME", "--ref", "TAG"],
    ("docs",): ["--check", "README.md"],
    ("new-lesson",): ["NAME", "electives/sessions", "CONTRIBUTING.md"],
    ("site",): ["build/site", "Exit code 1"],
    ("slides",): ["[LESSON]...", "build/slides"],
    ("retrain",): ["--margin", "Exit code 1"],
    ("bundle",): ["verify"],
    ("bundle", "verify"): ["manifest"],
    ("profiles",): ["{CATALOGUE.csv}", "--output", "--local-model", "--kind", "--yes", "COURSE_LLM_URL", "Exit code 1"],
}


def course(*arguments: str, folder: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m course_lib` in a process of its own, with the library that lies in `folder`."""
    command, variables = [sys.executable, "-m", "course_lib", *arguments], {**os.environ, "COLUMNS": "120", **variables}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=variables)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the library with two lessons of its own: one that runs and one that fails."""
    shutil.copytree(ROOT / "course_lib", tmp_path / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    for name, source in (("10_good", "print(1 + 1)"), ("11_bad", "1 / 0")):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path


def commands_in(text: str) -> set[str]:
    """The commands that a help text lists."""
    _, _, listed = text.partition("Commands:\n")
    return set(re.findall(r"^  ([a-z-]+)  ", listed, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_complete(command: tuple[str, ...]) -> None:
    done = course(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {' '.join(['course', *command])} ")
    assert [part for part in COMMANDS[command] if part not in done.stdout] == []
    assert "..." not in done.stdout.replace("]...", "").replace("ARGS...", "")  # no sentence was cut off
    below = {
        words[len(command)] for words in COMMANDS if len(words) > len(command) and words[: len(command)] == command
    }
    assert commands_in(done.stdout) == below


def test_help_is_quick() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        course("--help")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


def test_version_and_command_are_the_same_program() -> None:
    script = Path(sys.executable).with_name("course")
    assert course("--version").stdout == f"graphs-and-words {course_lib.__version__}\n"
    if script.exists():  # absent where the library is imported from the clone without being installed
        done = subprocess.run([script, "--version"], capture_output=True, text=True)
        assert done.stdout == course("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["notebooks", "lint", "99_nothing"], "there is no lesson '99_nothing'"),
        (["run", "--no-such-option"], "No such option: --no-such-option"),
        (["data", "fetch", "no-such-data"], "there is no artefact 'no-such-data'; choose from: movielens-100k"),
        (["data", "verify", "no-such-data"], "there is no artefact 'no-such-data'"),
        (["profiles", "no-such.csv", "--output", "profiles.jsonl"], "'no-such.csv' does not exist"),
        (["profiles", "pyproject.toml"], "Missing option '--output'"),
        (["ledger", "--format", "xml"], "'xml' is not one of 'table', 'json', 'markdown'"),
    ],
)
def test_wrong_calls_leave_with_2(arguments: list[str], message: str) -> None:
    done = course(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_names_are_checked_before_any_work() -> None:
    assert cli.chosen(None, ["films", "baskets"], "study") == ["films", "baskets"]
    assert cli.chosen(["baskets"], ["films", "baskets"], "study") == ["baskets"]
    with pytest.raises(typer.BadParameter, match="there is no study 'songs'; choose from: films, baskets"):
        cli.chosen(["films", "songs"], ["films", "baskets"], "study")


def test_data_from_nothing_to_fetched_to_damaged(tmp_path: Path) -> None:
    name = "ml-100k-item-profiles"  # lies in the repository: no network needed
    cache = {"COURSE_CACHE_DIR": str(tmp_path)}
    missing = course("data", "verify", name, **cache)
    assert missing.returncode == 1
    assert missing.stdout == f"missing {name}/{name}.jsonl\n"
    assert missing.stderr == f"course: files are missing or broken; get them with: course data fetch {name}\n"
    assert f"{name}: missing, 0.8 MB, needed by the lessons" in course("data", "list", **cache).stdout

    assert course("data", "fetch", name, **cache).returncode == 0
    whole = course("data", "verify", name, **cache)
    assert (whole.returncode, whole.stdout) == (0, f"ok      {name}/{name}.jsonl\n")

    (path,) = tmp_path.rglob(f"{name}.jsonl")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert course("data", "verify", name, **cache).stdout == f"broken  {name}/{name}.jsonl\n"
    repaired = course("data", "fetch", name, **cache)
    assert repaired.returncode == 0
    assert "is damaged and will be fetched again" in repaired.stderr
    assert course("data", "verify", name, **cache).returncode == 0


def test_data_that_cannot_be_fetched_leaves_with_1_and_one_message(tmp_path: Path) -> None:
    done = course("data", "fetch", "movielens-100k", COURSE_CACHE_DIR=str(tmp_path), COURSE_OFFLINE="1")
    assert done.returncode == 1
    assert done.stderr.startswith("course: movielens-100k: 5 of 5 files could not be obtained")
    assert "Traceback" not in done.stderr


def test_data_without_names_means_what_the_lessons_need(tmp_path: Path) -> None:
    needed = [one.name for one in sources.list_artefacts() if one.default]
    listed = course("data", "verify", COURSE_CACHE_DIR=str(tmp_path)).stdout.splitlines()
    assert list(dict.fromkeys(line.split()[1].split("/")[0] for line in listed)) == needed


def test_ledger_prints_the_recorded_rows(clone: Path) -> None:
    row = {"model": "EASE", "dataset": "films", "protocol": "benchmark", "seeds": 5, "fit_seconds": 0.8}
    row |= {"parameters": 2_829_124, "device": "cpu"}
    row["metrics"] = {name: {"mean": 0.3251, "low": 0.312, "high": 0.338} for name in ("ndcg@10", "recall@20")}
    (clone / "results").mkdir()
    (clone / "results" / "baselines.json").write_text(json.dumps({"rows": [row]}), encoding="utf-8")
    fresh = {"COURSE_CACHE_DIR": str(clone / "cache")}
    as_json = course("ledger", "--format", "json", folder=clone, **fresh)
    assert as_json.returncode == 0
    (printed,) = json.loads(as_json.stdout)
    assert {key: printed[key] for key in row} == row
    as_table = course("ledger", folder=clone, **fresh)
    assert as_table.returncode == 0
    assert [
        part for part in ("EASE", "benchmark", "0.3251", "0.312-0.338", "2,829,124") if part not in as_table.stdout
    ] == []


def test_course_needs_its_folder_for_lessons(clone: Path) -> None:
    (clone / "pyproject.toml").unlink()
    done = course("lab", folder=clone)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("course: this needs the course's own folder with its notebooks")


def test_folder_without_lessons_is_an_error(clone: Path) -> None:
    for path in (clone / "notebooks").iterdir():
        path.unlink()
    done = course("run", folder=clone)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"course: there are no lessons in {clone / 'notebooks'}\n"


def test_unknown_lesson_leaves_with_2_and_names_the_lessons(clone: Path) -> None:
    done = course("run", "99", folder=clone)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no lesson '99'; choose from: 10_good, 11_bad" in done.stderr


def test_run_writes_pages_and_times_and_counts_failures(clone: Path) -> None:
    done = course("run", folder=clone)
    assert done.returncode == 1
    assert done.stderr.endswith("course: 1 of 2 lessons failed: 11_bad\n")
    assert "ZeroDivisionError" in done.stdout
    assert "Scoreboard" in done.stdout
    assert re.search(r"^10_good +[0-9]+\.[0-9] s$", done.stdout, re.MULTILINE)
    assert re.search(r"^11_bad +[0-9]+\.[0-9] s  FAILED$", done.stdout, re.MULTILINE)
    index = clone / "build" / "index.html"
    assert done.stdout.endswith(f"\nPages: {index}\n")
    assert "10_good" in index.read_text(encoding="utf-8")


def test_notebooks_execute_leaves_a_failing_lesson_as_it_was(clone: Path) -> None:
    (clone / "course_lib" / "lesson.py").write_text("def start(name): ...\n", encoding="utf-8")  # spares seconds
    done = course("notebooks", "execute", "11", folder=clone)
    assert (done.returncode, done.stdout) == (1, "11_bad.ipynb ...\n")
    assert done.stderr.startswith("course: 11_bad: code cell ")
    assert "ZeroDivisionError" in done.stderr
    assert '"outputs": []' in (clone / "notebooks" / "11_bad.ipynb").read_text(encoding="utf-8")


def test_notebooks_lint_reports_and_counts(clone: Path) -> None:
    expected = notebooks.lint([clone / "notebooks" / "10_good.ipynb"])
    assert expected  # it has no header, no section, no takeaways
    done = course("notebooks", "lint", "10", folder=clone)
    assert done.stdout.splitlines() == expected
    assert (done.returncode, done.stderr) == (1, f"course: {len(expected)} rules broken in 1 notebooks\n")


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "nbformat.py").write_text("raise ModuleNotFoundError(name='nbformat')\n", encoding="utf-8")
    done = course("run", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'course: the package nbformat is missing: pip install -e ".[all]" installs it\n'
