"""What stands around the course on its host: the workflow, the templates, the citation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import course_lib
from course_lib import address, bootstrap
from course_lib.paths import ROOT

GITHUB = ROOT / ".github"
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


WORKFLOW = load(GITHUB / "workflows" / "course.yml")
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
COMMANDS = [step["run"] for step in STEPS if "run" in step]


def name(path: Path) -> str:
    return path.stem


def test_each_step_is_a_make_target_that_exists() -> None:
    called = [re.fullmatch(r"make ([a-z]+)((?: [A-Z_]+=\S+)*)", command) for command in COMMANDS]
    assert [command for command, found in zip(COMMANDS, called, strict=True) if found is None] == []
    assert {found[1] for found in called if found} <= TARGETS
    settings = {part.split("=")[0] for found in called if found for part in found[2].split()}
    assert settings <= set(re.findall(r"^([A-Z_]+) [:?]?= ", MAKEFILE, re.MULTILINE))


def test_a_change_meets_every_python_and_the_weekly_run_the_newest_packages() -> None:
    versions = [f"{bootstrap.OLDEST[0]}.{minor}" for minor in range(bootstrap.OLDEST[1], bootstrap.NEWEST[1] + 1)]
    jobs = WORKFLOW["jobs"]
    for job in ("prove", "newest"):
        assert jobs[job]["strategy"]["matrix"]["python"] == versions
    assert {"make lint", "make test"} <= {step.get("run") for step in jobs["prove"]["steps"]}
    assert "schedule" in WORKFLOW[True], "YAML reads the key `on` as true"
    newest = [step["run"] for step in jobs["newest"]["steps"] if "run" in step]
    assert newest == ["make pins TORCH_PIN=torch", "make test"]
    assert "TORCH_PIN := torch==" in MAKEFILE, "the pin that the weekly run lifts"


def test_the_workflow_may_only_read_and_cannot_run_for_ever() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job and 0 < job["timeout-minutes"] <= 120 for job in WORKFLOW["jobs"].values())
    actions = [step["uses"] for step in STEPS if "uses" in step]
    assert [action for action in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(WORKFLOW["jobs"])
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_test_is_skipped_unseen_in_the_workflow() -> None:
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*.py") if path != Path(__file__)]
    needs = set(re.findall(r"COURSE_NEED_[A-Z]+", "".join(tests)))
    assert needs == {key for key in WORKFLOW["env"] if key.startswith("COURSE_NEED_")}


@pytest.mark.parametrize("path", FORMS, ids=name)
def test_a_form_is_one_that_the_host_shows(path: Path) -> None:
    form = load(path)
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "labels"}
    assert {part["type"] for part in form["body"]} <= {"input", "textarea", "dropdown"}
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in form["body"])
    assert any(part.get("validations", {}).get("required") for part in form["body"])


@pytest.mark.parametrize("path", FORMS, ids=name)
def test_a_form_asks_for_the_doctor(path: Path) -> None:
    (doctor,) = [part for part in load(path)["body"] if part["id"] == "doctor"]
    assert "`course doctor --json`" in doctor["attributes"]["label"]
    assert doctor["attributes"]["render"] == "json"


def test_there_is_a_form_for_each_need() -> None:
    assert {name(path) for path in FORMS} == {"lesson", "setup", "question"}
    assert load(GITHUB / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": True}


def test_the_checklist_of_a_change_names_commands_that_exist() -> None:
    text = (GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert text.count("- [ ] ") >= 5
    assert {"lint", "test"} <= set(re.findall(r"`make ([a-z]+)`", text)) <= TARGETS


def test_the_citation_fits_the_course() -> None:
    citation = load(ROOT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == course_lib.__version__
    assert citation["repository-code"] == address.published().repository
    assert citation["license"] == address.settings()["project"]["license"].split(" AND ")
    assert citation["authors"] == [{"name": "Graphs and Words contributors"}]
    assert citation["title"] and citation["message"]
