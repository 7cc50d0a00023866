"""The lessons' exercises as assignments: for nbgrader, and as test files for otter-grader."""

import json
import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sample_lesson import lesson_with_places

from course_lib import exercises
from course_lib.notebooks import solutions


def test_nbgraders_version_locks_the_checks_and_leaves_the_answers_alone(tmp_path: Path) -> None:
    path = lesson_with_places(tmp_path)
    [written] = solutions.write([path], tmp_path / "out", nbgrader=True)
    assert written.relative_to(tmp_path / "out").parts == ("03", "03_graph_convolution.ipynb")
    cells = json.loads(written.read_text(encoding="utf-8"))["cells"]
    first = exercises.load("03.1")
    [check] = [cell for cell in cells if "nbgrader" in cell["metadata"]]
    answer = cells[cells.index(check) - 1]
    assert "".join(answer["source"]) == first.stub
    marks = check["metadata"]["nbgrader"]
    assert (marks["points"], marks["locked"], marks["grade"]) == (first.minutes, True, True)
    ran = {first.name: lambda *given: np.zeros(3)}
    with pytest.raises(AssertionError, match=r"03\.1 wrong"):  # what the learner reads names the mistake
        exec("".join(check["source"]), ran)


def test_otters_tests_pass_the_reference_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    otter = ModuleType("otter.test_files")  # otter is not installed here; its decorator keeps the function
    otter.test_case = lambda: lambda function: function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "otter.test_files", otter)
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))
    written = solutions.write_otter_tests([lesson_with_places(tmp_path)], tmp_path / "tests")
    assert solutions.write_otter_tests([tmp_path / "99_without_exercises.ipynb"], tmp_path / "none") == []
    first = exercises.load("03.1")
    assert written[0].name == "exercise_03_1.py" and len(written) == len(exercises.of_lesson("03_graph_convolution"))
    cell = runpy.run_path(str(written[0]))
    answer = {"np": np}
    exec(first.filled, answer)
    assert (cell["name"], cell["points"], cell["OK_FORMAT"]) == ("exercise_03_1", first.minutes, False)
    cell[f"test_{first.name}"](**{first.name: answer[first.name]})
    with pytest.raises(AssertionError, match=r"03\.1 wrong"):
        cell[f"test_{first.name}"](**{first.name: lambda *given: np.zeros(3)})
