"""The cells of exercises and questions in a notebook, written from `course_lib.exercises`.

An author puts one markdown cell with the tag `exercise-03.2` where the exercise belongs, and one with the tag
`course-questions` below the heading of the questions. The tool writes the rest: task, stub and check; quiz and text.
"""

from collections.abc import Iterator, Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_lib import exercises
from course_lib.exercises import Exercise, questions
from course_lib.notebooks import catalogue

PREFIX = "exercise-"
QUESTIONS_TAG = "course-questions"
QUIZ = 'from course_lib import exercises\n\nexercises.quiz("{key}")  # click an answer to see whether it holds'
AS_TEXT = "The same questions as text, with their answers folded away:\n\n"


def exercise_of(cell: NotebookNode) -> str | None:
    """Number of the exercise that a cell belongs to; None where it belongs to none."""
    return next((tag.removeprefix(PREFIX) for tag in catalogue.tags(cell) if tag.startswith(PREFIX)), None)


def is_generated(cell: NotebookNode) -> bool:
    """Whether the cell is one of an exercise or of the questions."""
    return exercise_of(cell) is not None or QUESTIONS_TAG in catalogue.tags(cell)


def task(exercise: Exercise) -> str:
    """Markdown of the task."""
    about = f"*{exercise.kind} · {exercise.minutes} min{' · good in a group' if exercise.groups else ''}*"
    return f"### Exercise {exercise.number} · {exercise.title}\n\n{about}\n\n{exercise.task}"


def check(exercise: Exercise) -> str:
    """Source of the cell that checks the learner's."""
    return (
        "from course_lib import exercises\n\n"
        f'ex = exercises.load("{exercise.number}")\n'
        f"ex.check({exercise.name})  # ex.hint() helps, ex.solution() shows a way"
    )


def refresh(notebook: NotebookNode, lesson: str, answers: Mapping[str, str] | None = None) -> None:
    """Write the exercises and questions of a lesson into its notebook, where their tags stand.

    A cell that changes loses its outputs. What has no place in the notebook is left out; `missing` names it.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    lesson : str
        Name of the lesson.
    answers : mapping of str to str, optional
        Sources for the learner's cells, by exercise; the stubs if left out.
    """
    known = _known(lesson)
    wanted: dict[str, list[NotebookNode]] = {
        PREFIX + number: _exercise(one, (answers or {}).get(number, one.stub)) for number, one in known.items()
    }
    if known:
        wanted[QUESTIONS_TAG] = _questions(lesson)
    stored = [cell for cell in notebook.cells if is_generated(cell)]
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        tag = next((tag for tag in catalogue.tags(cell) if tag in wanted), None)
        if tag is None:
            cells.append(cell)
        else:
            cells += [_kept(new, stored) for new in wanted[tag]]
            wanted[tag] = []  # the cells that follow are the old ones of the same exercise
    notebook.cells = cells


def missing(notebook: NotebookNode, lesson: str) -> Iterator[str]:
    """Exercises without a place in the lesson's notebook, and places without an exercise."""
    known = _known(lesson)
    placed = {number for cell in notebook.cells if (number := exercise_of(cell))}
    for number in sorted(known.keys() - placed):
        yield f"exercise {number} has no place; tag a markdown cell with {PREFIX}{number}"
    for number in sorted(placed - known.keys()):
        yield f"there is no exercise {number}; remove the cells tagged with {PREFIX}{number}"
    if known and not any(QUESTIONS_TAG in catalogue.tags(cell) for cell in notebook.cells):
        yield f"the questions have no place; tag a markdown cell with {QUESTIONS_TAG}"


def _known(lesson: str) -> dict[str, Exercise]:
    if not exercises.has(lesson):
        return {}
    return {one.number: one for one in exercises.of_lesson(lesson)}


def _exercise(exercise: Exercise, answer: str) -> list[NotebookNode]:
    tags = {"tags": [PREFIX + exercise.number]}
    return [
        new_markdown_cell(task(exercise), metadata=tags),
        new_code_cell(answer, metadata=tags),
        new_code_cell(check(exercise), metadata=tags),
    ]


def _questions(lesson: str) -> list[NotebookNode]:
    key = exercises.key_of(lesson)
    text = AS_TEXT + questions.as_text(exercises.questions_of(lesson))
    return [
        new_code_cell(QUIZ.format(key=key), metadata={"tags": [QUESTIONS_TAG, catalogue.IGNORE_TAG]}),
        new_markdown_cell(text, metadata={"tags": [QUESTIONS_TAG]}),
    ]


def _kept(new: NotebookNode, stored: list[NotebookNode]) -> NotebookNode:
    """The stored cell with the same tags and source, with its outputs; the new one where there is none."""
    same = [old for old in stored if old.source == new.source and catalogue.tags(old) == catalogue.tags(new)]
    return same[0] if same else new
