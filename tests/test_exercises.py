"""Every exercise: the reference passes, the stub is not attempted, each named mistake is caught with its own hint."""

import ast
import builtins
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from course_lib import exercises, notebooks
from course_lib.exercises import Exercise, Kind, State, source
from course_lib.exercises.exercise import Function, mistake_name, one_paragraph
from course_lib.notebooks import catalogue, exercise_cells

LESSONS = exercises.lessons()
EXERCISES = [one for lesson in LESSONS for one in exercises.of_lesson(lesson)]
MISTAKES = [(one, mistake) for one in EXERCISES for mistake in one.mistakes]
SEEDS = range(5)


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))


def run_cell(exercise: Exercise, cell: str) -> object:
    """What the learner's cell leaves under the exercise's name, run among the names of the lesson."""
    assert isinstance(exercise.reference, FunctionType)
    names: dict[str, Any] = dict(exercise.reference.__globals__)
    exec(cell, names)
    return names[exercise.name]


def handed_in(exercise: Exercise, mistake: Function) -> object:
    return mistake() if exercise.is_value else mistake


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.number)
def test_the_reference_passes_as_the_teachers_cell_shows_it(exercise: Exercise) -> None:
    answer = run_cell(exercise, exercise.filled)
    for seed in SEEDS:
        outcome = exercise.check(answer, seed)
        assert outcome.state is State.RIGHT, outcome


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.number)
def test_the_stub_is_not_attempted(exercise: Exercise) -> None:
    answer = run_cell(exercise, exercise.stub)
    for seed in SEEDS:
        assert exercise.check(answer, seed).state is State.NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=lambda one: getattr(one, "number", None) or mistake_name(one)
)
def test_each_mistake_is_caught_with_its_own_hint(exercise: Exercise, mistake: Function) -> None:
    for seed in SEEDS:
        outcome = exercise.check(handed_in(exercise, mistake), seed)
        assert (outcome.state, outcome.mistake) == (State.WRONG, mistake_name(mistake)), outcome
        assert outcome.message == one_paragraph(mistake) != ""


def given_lines(exercise: Exercise) -> list[str]:
    """Lines a learner gets with a bug in them; in the solution's source they stand commented."""
    lines = inspect.getsource(exercise.reference).splitlines()
    marks = [number for number, line in enumerate(lines) if source.GIVEN.match(line) or source.END.match(line)]
    inside = [number for number in range(len(lines)) if marks and marks[0] < number < marks[-1]]
    return [lines[number].strip().removeprefix("#").strip() for number in inside]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.number)
def test_the_lines_of_the_stub_are_in_the_solution(exercise: Exercise) -> None:
    solution = [line.strip() for line in exercise.filled.splitlines()] + given_lines(exercise)
    for line in exercise.stub.splitlines():
        assert "..." in line or "NotImplementedError" in line or line.strip() in solution, line


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.number)
def test_a_wrong_answer_of_another_kind_gets_a_message_of_its_own(exercise: Exercise) -> None:
    odd: Any = "no idea" if exercise.is_value else lambda *_: "no idea"
    outcome = exercise.check(odd, seed=0)
    assert (outcome.state, outcome.mistake) == (State.WRONG, None)
    assert outcome.message


@pytest.mark.parametrize("exercise", [one for one in EXERCISES if not one.is_value], ids=lambda one: one.number)
def test_a_hard_coded_answer_fails(exercise: Exercise) -> None:
    import numpy as np

    assert exercise.inputs is not None
    first = exercise.reference(*exercise.inputs(np.random.default_rng(0)))
    assert exercise.check(lambda *_: first, seed=1).state is State.WRONG


@pytest.mark.parametrize("lesson", LESSONS)
def test_there_are_enough_of_several_kinds(lesson: str) -> None:
    found = exercises.of_lesson(lesson)
    is_core = lesson[:2].isdigit() and lesson[:2] != "00"
    assert len(found) >= (4 if is_core else 2)
    assert len({one.kind for one in found}) >= (3 if is_core else 1)
    key = exercises.key_of(lesson)
    assert [one.number for one in found] == [f"{key}.{place}" for place in range(1, len(found) + 1)]
    assert all(len(one.mistakes) >= 2 and one.hints and one.why and one.minutes > 0 for one in found)
    hints = [one_paragraph(mistake) for one in found for mistake in one.mistakes]
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_objective_has_an_exercise(lesson: str) -> None:
    [path] = notebooks.lessons([lesson])
    objectives = catalogue.read(path).metadata.course.objectives
    served = {one.objective for one in exercises.of_lesson(lesson)}
    assert served <= set(range(1, len(objectives) + 1))
    if lesson[:2].isdigit() and lesson[:2] != "00":
        missing = [objectives[number - 1] for number in range(1, len(objectives) + 1) if number not in served]
        assert missing == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_questions_have_one_right_choice_and_a_reason_for_each(lesson: str) -> None:
    questions = exercises.questions_of(lesson)
    assert len(questions) >= 3
    for question in questions:
        assert sum(choice.right for choice in question.choices) == 1
        assert len(question.choices) >= 3
        assert all(choice.text and choice.why for choice in question.choices)
        said = [question.text, *[choice.text + choice.why for choice in question.choices]]
        assert not any("$" in text for text in said), "formulas need a server that the quiz does not have"
    places = [[choice.right for choice in question.choices].index(True) for question in questions]
    assert len(set(places)) > 1, "the right answer always stands in the same place"


def names_used(cell: str) -> set[str]:
    """Names a cell reads without having made them itself."""
    tree = ast.parse(cell)
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made |= set(names_made(cell))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return used - made - set(dir(builtins))


def names_made(cell: str) -> Iterator[str]:
    """Names that a cell leaves behind at its top level, or makes anywhere."""
    code = "\n".join(line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!")))
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_name_an_exercise_needs_is_there_where_it_stands(lesson: str) -> None:
    [path] = notebooks.lessons([lesson])
    solved = catalogue.read(path)
    answers = {one.number: one.filled for one in exercises.of_lesson(lesson)}
    exercise_cells.refresh(solved, catalogue.lesson_name(path), answers)
    known: set[str] = set()
    for cell in solved.cells:
        if cell.cell_type == "code":
            if exercise_cells.exercise_of(cell):
                assert names_used(cell.source) <= known, (cell.source, names_used(cell.source) - known)
            known |= set(names_made(cell.source))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_its_place_in_the_notebook(lesson: str) -> None:
    [path] = notebooks.lessons([lesson])
    assert list(exercise_cells.missing(catalogue.read(path), catalogue.lesson_name(path))) == []


def test_kinds_are_mixed_over_the_course() -> None:
    assert {one.kind for one in EXERCISES} == set(Kind)
