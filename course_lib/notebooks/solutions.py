"""The teacher's notebooks: the lessons with every exercise solved, made from the reference solutions."""

from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from course_lib import exercises
from course_lib.exercises import Exercise, source
from course_lib.exercises.exercise import mistake_name, one_paragraph
from course_lib.notebooks import catalogue, exercise_cells

NBGRADER_SCHEMA = 3


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
    """The lesson at `path`, solved and marked for nbgrader, which makes the learner's version and grades it.

    An exercise is worth as many points as it takes minutes.
    """
    notebook, name = catalogue.read(path), catalogue.lesson_name(path)
    known = {one.number: one for one in exercises.of_lesson(name)}
    answers = {number: source.for_nbgrader(one.reference, one.is_value) for number, one in known.items()}
    exercise_cells.refresh(notebook, name, answers)
    for cell in notebook.cells:
        number = exercise_cells.exercise_of(cell)
        if number and cell.cell_type == "code":
            _mark(cell, known[number], is_check=cell.source == exercise_cells.check(known[number]))
    return notebook


def write(paths: Sequence[Path], folder: Path, nbgrader: bool = False) -> list[Path]:
    """Write the teacher's notebooks of the lessons at `paths` into `folder`; those without exercises are left out."""
    written = []
    for path in paths:
        name = catalogue.lesson_name(path)
        if exercises.has(name):
            target = folder / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            catalogue.write(for_nbgrader(path) if nbgrader else solved(path), target)
            written.append(target)
    return written


def _notes(exercise: Exercise) -> str:
    seen = [f"- **{mistake_name(one)}**: {one_paragraph(one)}" for one in exercise.mistakes]
    head = f"**For the teacher · {exercise.number}** serves objective {exercise.objective}. {exercise.why}"
    return "\n".join([head, "", "Mistakes to look for, with the hint that `check` gives:", "", *seen])


def _mark(cell: NotebookNode, exercise: Exercise, is_check: bool) -> None:
    cell.metadata["nbgrader"] = {
        "grade": is_check,
        "solution": not is_check,
        "locked": is_check,
        "grade_id": f"{'check' if is_check else 'answer'}-{exercise.number.replace('.', '-')}",
        "schema_version": NBGRADER_SCHEMA,
        "task": False,
        **({"points": exercise.minutes} if is_check else {}),
    }
    if is_check:
        cell.source = cell.source.replace("\nex.check(", "\nassert ex.check(", 1)
    cell.outputs, cell.execution_count = [], None
