"""Exercises that check themselves, one file a lesson: `ex = load("03.2")`, `ex.check(answer)`, `ex.hint()`."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from course_lib.exercises import questions
from course_lib.exercises.exercise import Exercise, Kind
from course_lib.exercises.outcome import Note, Outcome, State
from course_lib.exercises.questions import Choice, Question

__all__ = [
    "Choice",
    "Exercise",
    "Kind",
    "Note",
    "Outcome",
    "Question",
    "State",
    "has",
    "key_of",
    "lessons",
    "load",
    "of_lesson",
    "questions_of",
    "quiz",
]


def lessons() -> list[str]:
    """Names of the lessons that have exercises, such as `03_graph_convolution` and `review_ratings`."""
    stems = sorted(path.stem for path in Path(__file__).parent.glob("lesson_*.py"))
    return [stem.removeprefix("lesson_") for stem in stems]


def has(lesson: str) -> bool:
    """Whether a lesson has exercises; it may be named as for `of_lesson`."""
    return _stem(lesson) is not None


def key_of(lesson: str) -> str:
    """What the numbers of a lesson's exercises begin with: `03`, or the name of an elective.

    Raises
    ------
    LookupError
        Naming the lessons that have exercises.
    """
    stem = _stem(lesson)
    if stem is None:
        raise LookupError(f"no lesson '{lesson}' has exercises; these have: {', '.join(lessons())}")
    number = stem.partition("_")[0]
    return number if number.isdigit() else stem


def of_lesson(lesson: str) -> list[Exercise]:
    """The exercises of a lesson, in order.

    Parameters
    ----------
    lesson : str
        `03`, `03_graph_convolution`, `review_ratings` or `electives/review_ratings`.

    Raises
    ------
    LookupError
        Naming the lessons that have exercises.
    """
    return list(_module(lesson).EXERCISES)


def questions_of(lesson: str) -> Sequence[Question]:
    """The questions of a lesson."""
    found: Sequence[Question] = _module(lesson, "quiz").QUESTIONS
    return found


def load(number: str) -> Exercise:
    """One exercise by its number, such as `03.2`.

    Raises
    ------
    LookupError
        Naming the exercises of that lesson, or the lessons.
    """
    lesson, _, _ = number.rpartition(".")
    known = {one.number: one for one in of_lesson(lesson or number)}
    if number not in known:
        raise LookupError(f"there is no exercise {number}; this lesson has {', '.join(known)}")
    return known[number]


def quiz(lesson: str) -> None:
    """Show the questions of a lesson as a quiz that needs no server."""
    questions.show(questions_of(lesson))


def _stem(lesson: str) -> str | None:
    name = lesson.rpartition("/")[2]
    return next((stem for stem in lessons() if name in {stem, stem.partition("_")[0]}), None)


def _module(lesson: str, kind: str = "lesson") -> ModuleType:
    key_of(lesson)  # says what is wrong with the name
    return importlib.import_module(f"course_lib.exercises.{kind}_{_stem(lesson)}")
