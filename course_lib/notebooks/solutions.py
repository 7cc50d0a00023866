"""The teacher's notebooks: the lessons with every exercise solved, made from the reference solutions."""

import re
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from course_lib import exercises
from course_lib.exercises import Exercise
from course_lib.exercises.exercise import mistake_name, one_paragraph
from course_lib.notebooks import catalogue, exercise_cells

NBGRADER_SCHEMA = 3
OTTER_TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = "{test}"
points = {points}


@test_case()
def test_{name}({name}):
    from course_lib import exercises

    outcome = exercises.load("{number}").check({name})
    assert outcome, outcome
"""


def solved(path: Path) -> NotebookNode:
    """The lesson at `path` with its stubs filled, and below each check what to look for in the answers of others."""
    notebook, name = catalogue.read(path), catalogue.lesson_name(path)
    known = {one.number: one for one in exercises.of_lesson(name)}
    exercise_cells.refresh(notebook, name, {number: one.filled for number, one in known.items()})
    cells: list[NotebookNode] = []
    for position, cell in enumerate(notebook.cells):
        cells.append(cell)
        number = exercise_cells.exercise_of(cell)
        if number and number not in map(exercise_cells.exercise_of, notebook.cells[position + 1 :]):
            cells.append(new_markdown_cell(_notes(known[number])))
    notebook.cells = cells
    return notebook


def for_nbgrader(path: Path) -> NotebookNode:
    """The lesson at `path` with the checks marked for nbgrader: locked, graded, and failing unless the answer is right.

    The learner's cells stay as they are in the lesson. An exercise is worth as many points as it takes minutes.
    """
    notebook, name = catalogue.read(path), catalogue.lesson_name(path)
    known = {one.number: one for one in exercises.of_lesson(name)}
    exercise_cells.refresh(notebook, name)
    for cell in notebook.cells:
        number = exercise_cells.exercise_of(cell)
        if number and cell.source == exercise_cells.check(known[number]):
            _mark(cell, known[number])
    return notebook


def write(paths: Sequence[Path], folder: Path, nbgrader: bool = False) -> list[Path]:
    """Write the teacher's notebooks of the lessons at `paths` into `folder`; those without exercises are left out.

    For nbgrader each lies in a folder of its own, which is the name of the assignment: `03`.
    """
    written = []
    for path in paths:
        name = catalogue.lesson_name(path)
        if exercises.has(name):
            target = folder / exercises.key_of(name) / path.name if nbgrader else folder / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            catalogue.write(for_nbgrader(path) if nbgrader else solved(path), target)
            written.append(target)
    return written


def write_otter_tests(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write a test file for otter-grader for each exercise of the lessons at `paths` into `folder`.

    Its name is what `grader.check` takes. Points are minutes, as for nbgrader.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    lessons = filter(exercises.has, map(catalogue.lesson_name, paths))
    for exercise in (one for lesson in lessons for one in exercises.of_lesson(lesson)):
        target = folder / f"exercise_{exercise.number.replace('.', '_')}.py"
        text = OTTER_TEST.format(test=target.stem, points=exercise.minutes, name=exercise.name, number=exercise.number)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def _notes(exercise: Exercise) -> str:
    seen = [f"- **{mistake_name(one)}**: {one_paragraph(one)}" for one in exercise.mistakes]
    head = f"**For the teacher · {exercise.number}** serves objective {exercise.objective}. {exercise.why}"
    return "\n".join([head, "", "Mistakes to look for, with the hint that `check` gives:", "", *seen])


def _mark(cell: NotebookNode, exercise: Exercise) -> None:
    cell.metadata["nbgrader"] = {
        "grade": True,
        "solution": False,
        "locked": True,
        "grade_id": f"check-{exercise.number.replace('.', '-')}",
        "schema_version": NBGRADER_SCHEMA,
        "task": False,
        "points": exercise.minutes,
    }
    cell.source = re.sub(r"^(ex\.check\(.+?\))", r"outcome = \1", cell.source, flags=re.MULTILINE)
    cell.source += "\nassert outcome, outcome\noutcome"
    cell.outputs, cell.execution_count = [], None
