"""How exercises answer, what progress keeps, and the notebook cells and teacher's notebooks made from them."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from nbformat.v4 import new_markdown_cell
from sample_lesson import lesson_with_places

from course_lib import exercises, notebooks
from course_lib.exercises import Exercise, Kind, State, comparing, progress
from course_lib.exercises.outcome import Outcome
from course_lib.notebooks import catalogue, exercise_cells, kernel, solutions


def row_means(table: np.ndarray) -> np.ndarray:
    """Write `row_means(table)`."""
    # begin solution
    return table.mean(axis=1)
    # end solution


def averaged_the_wrong_axis(table: np.ndarray) -> np.ndarray:
    """Which axis runs along a row?"""
    return table.mean(axis=0)


def masked(scores: np.ndarray) -> np.ndarray:
    """Repair `masked(scores)`."""
    result = scores.copy()
    # begin solution
    result[0] = -np.inf
    # given
    # result[0] = 0
    # end solution
    return result


def a_square(generator: np.random.Generator) -> tuple[np.ndarray]:
    return (generator.normal(size=(3, 3)),)


def half() -> float:
    """Name `half`."""
    whole = 1
    # begin solution
    return whole / 2
    # end solution


def doubled_instead() -> float:
    """That is more than one."""
    return 2.0


def made(reference: object, kind: Kind = Kind.WRITE, **options: object) -> Exercise:
    settings: dict = {"inputs": a_square, "mistakes": (averaged_the_wrong_axis,), "why": "Rows."} | options
    return Exercise("99.1", "A title", kind, 1, 5, reference, ("First.", "Second."), **settings)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))


def test_the_three_outcomes() -> None:
    exercise = made(row_means)
    right = exercise.check(lambda table: table.sum(axis=1) / 3)
    assert (right.state, bool(right), right.message) == (State.RIGHT, True, "Rows.")
    wrong = exercise.check(averaged_the_wrong_axis)
    assert (wrong.state, wrong.mistake, wrong.message) == (
        State.WRONG,
        "averaged the wrong axis",
        "Which axis runs along a row?",
    )
    untried = exercise.check(...)
    assert (untried.state, bool(untried)) == (State.NOT_ATTEMPTED, False)
    assert "✗ 99.1 wrong. Which axis" in repr(wrong)
    assert "#D55E00" in wrong._repr_html_()


def test_emphasis_is_shown_and_stars_of_code_are_left_alone() -> None:
    shown = Outcome("03.1", State.WRONG, "All *might* be well: 2*x and 3*y, f(*args), **kwargs")._repr_html_()
    assert "All <em>might</em> be well: 2*x and 3*y, f(*args), **kwargs" in shown


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda table: table.nowhere, "AttributeError: 'numpy.ndarray' object has no attribute 'nowhere' (line "),
        (lambda: 1, "TypeError"),
        (lambda table: print("", end=""), "it is None; does the function end in a return?"),
        (lambda table: table, "its shape is (3, 3), wanted is (3,)"),
        (lambda table: table.mean(axis=1) + 1, "3 of 3 numbers are wrong; at [0] it has"),
        (lambda table: "text", "it is 'text'"),
        (np.zeros(3), "Hand over the function itself: ex.check(row_means)"),
    ],
)
def test_other_wrong_answers_are_described(answer: object, said: str) -> None:
    outcome = made(row_means).check(answer)
    assert (outcome.state, outcome.mistake) == (State.WRONG, None)
    assert said in outcome.message


def test_a_function_that_spoils_its_input_is_told_so() -> None:
    def spoils(table: np.ndarray) -> np.ndarray:
        result = table.mean(axis=1)
        table[0] = 0
        return result

    outcome = made(row_means).check(spoils)
    assert outcome.state is State.WRONG
    assert "changes its input" in outcome.message


def test_a_repair_that_changes_nothing_is_not_attempted() -> None:
    exercise = made(masked, Kind.REPAIR)
    assert "result[0] = 0\n" in exercise.stub
    assert "-np.inf" not in exercise.stub
    assert "given" not in exercise.filled
    assert exercise.check(lambda scores: np.vstack([np.zeros(3), scores[1:]])).state is State.NOT_ATTEMPTED
    assert exercise.check(lambda scores: np.vstack([np.full(3, -np.inf), scores[1:]])).state is State.RIGHT


def test_a_value_is_compared_and_its_cell_stands_on_its_own() -> None:
    exercise = made(half, Kind.PREDICT, inputs=None, mistakes=(doubled_instead,))
    assert exercise.stub == "whole = 1\nhalf = ..."
    assert exercise.filled == "whole = 1\nhalf = whole / 2"
    assert exercise.check(0.5)
    assert exercise.check(2).mistake == "doubled instead"
    assert "0.7 is not it" in exercise.check(0.7).message
    assert "a value is wanted" in exercise.check(half).message


def pair() -> tuple[float, str]:
    """Name `pair`."""
    # begin solution
    return 0.5, "b"
    # end solution


def test_a_wrong_part_of_a_value_is_named() -> None:
    exercise = made(pair, Kind.EXPLAIN, inputs=None, mistakes=())
    assert exercise.check((0.5, "B"))
    assert "is not it. Look at part 1, counted from 0." in exercise.check((0.5, "a")).message


def test_hints_come_in_levels_and_the_solution_says_why() -> None:
    exercise = made(row_means)
    said = [repr(exercise.hint()) for _ in range(3)]
    assert said[0] == "**Hint 1 of 2.** First."
    assert said[1] == said[2]
    assert "ex.solution()" in said[2]
    assert "table.mean(axis=1)" in repr(exercise.solution())
    assert repr(exercise.solution()).endswith("Rows.")
    assert progress.read()["99.1"] == {"solved": None, "attempts": 0, "hints": 2, "solution_seen": True}


def test_progress_counts_attempts_and_keeps_the_first_date() -> None:
    exercise = made(row_means)
    exercise.check(...)
    assert progress.read() == {}, "an empty stub leaves no trace"
    for answer in (averaged_the_wrong_axis, row_means, averaged_the_wrong_axis):
        exercise.check(answer)
    entry = progress.read()["99.1"]
    assert entry["attempts"] == 3
    assert len(entry["solved"]) == len("2026-01-01")
    progress.reset()
    assert progress.read() == {}


@pytest.mark.parametrize("damage", ["{", "[1]", '{"99.1": 3}', ""])
def test_a_damaged_file_is_kept(damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress.progress_file().write_text(damage, encoding="utf-8")
    made(row_means).check(row_means)
    assert progress.read()["99.1"]["attempts"] == 1
    assert progress.progress_file().with_name("progress.json.damaged").read_text(encoding="utf-8") == damage
    assert "could not be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (torch.ones(2), np.ones(2), True),
        ([1, 2], (1.0, 2.0), True),
        (torch.eye(2).to_sparse(), np.eye(2), True),
        (float("nan"), np.nan, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ("b", "a", False),
        ("A ", "a", True),
        ((1, "910"), (1, 910), False),
        (True, "a", False),
        ((3, "a"), (3, "b"), False),
        ((np.ones(2), np.ones(3)), (np.ones(2), np.ones(3)), True),
        ((np.ones(2), np.ones(3)), (np.ones(2), np.zeros(3)), False),
        ([1, 2, 3], [1, 2], False),
        (None, 1.0, False),
        ({1, 2}, {2, 1}, True),
        (1.0, {2, 1}, False),
    ],
)
def test_answers_are_compared_by_what_they_hold(got: object, expected: object, same: bool) -> None:
    assert (comparing.difference(got, expected, 1e-6) is None) == same


def test_an_unknown_exercise_is_answered_with_those_that_exist() -> None:
    with pytest.raises(LookupError, match=r"there is no exercise 03\.99; this lesson has 03\.1"):
        exercises.load("03.99")
    for name in ("88.1", "nonsense"):
        with pytest.raises(LookupError, match="03_graph_convolution"):
            exercises.load(name)


def test_sync_writes_task_stub_check_and_questions_where_their_tags_stand(tmp_path: Path) -> None:
    path = lesson_with_places(tmp_path)
    notebooks.sync([path])
    notebook = catalogue.read(path)
    cells = [cell for cell in notebook.cells if exercise_cells.exercise_of(cell) == "03.1"]
    first = exercises.load("03.1")
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code"]
    assert cells[0].source.startswith(f"### Exercise 03.1 · {first.title}\n")
    assert cells[1].source == first.stub
    assert f"ex.check({first.name})" in cells[2].source
    quiz, text = [cell for cell in notebook.cells if "course-questions" in catalogue.tags(cell)]
    assert 'exercises.quiz("03")' in quiz.source
    assert "<details><summary>Answer</summary>" in text.source
    before = path.read_bytes()
    notebooks.sync([path])
    assert path.read_bytes() == before


def test_lint_misses_exercises_without_a_place_and_cells_that_were_edited(tmp_path: Path) -> None:
    path = lesson_with_places(tmp_path)
    notebooks.sync([path])
    notebook = catalogue.read(path)
    notebook.cells = [cell for cell in notebook.cells if "course-questions" not in catalogue.tags(cell)]
    next(cell for cell in notebook.cells if exercise_cells.exercise_of(cell)).source = "Do it."
    notebook.cells[2:2] = [new_markdown_cell("?", metadata={"tags": ["exercise-03.77"]})]
    catalogue.write(notebook, path)
    said = "\n".join(notebooks.lint([path]))
    assert "exercise 03.2 has no place" in said
    assert "there is no exercise 03.77" in said
    assert "the questions have no place" in said
    assert "differ from those in course_lib/exercises" in said


def test_the_teachers_notebook_is_solved_and_runs(tmp_path: Path) -> None:
    path = lesson_with_places(tmp_path)
    notebooks.sync([path])
    notebook = solutions.solved(path)
    sources = [cell.source for cell in notebook.cells]
    first = exercises.load("03.1")
    place = sources.index(first.filled)
    assert sources[place + 2].startswith("**For the teacher · 03.1**")
    solved = copy.deepcopy(notebook)
    solved.cells = [cell for cell in notebook.cells if exercise_cells.exercise_of(cell)]
    imports = "import numpy as np\nimport torch"
    solved.cells[0].cell_type, solved.cells[0].source = "markdown", "Task"
    solved.cells[1].source = f"{imports}\n\n\n{solved.cells[1].source}"
    kernel.run(solved, Path(exercises.__file__).parents[2])
    assert "✓ 03.1 right" in solved.cells[2].outputs[0].data["text/plain"]
