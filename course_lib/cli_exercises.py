"""The commands `course progress` and `course solutions`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from course_lib import paths
from course_lib.cli_common import Lessons, lesson_paths


class ProgressFormat(StrEnum):
    """How `course progress` prints."""

    table = "table"
    json = "json"


def progress(
    style: Annotated[ProgressFormat, typer.Option("--format", help="How to print it.")] = ProgressFormat.table,
    reset: Annotated[bool, typer.Option("--reset", help="Forget everything, after asking.")] = False,
) -> None:
    """Show which exercises you have solved.

    Your progress is a file on this machine; nothing sends it anywhere. COURSE_PROGRESS_FILE moves it.
    """
    from course_lib import exercises
    from course_lib.exercises import progress as record

    if reset:
        typer.confirm(f"Delete {record.progress_file()}?", abort=True)
        record.reset()
    known = record.read()
    if style is ProgressFormat.json:
        typer.echo(json.dumps(known, indent=2, sort_keys=True))
        return
    solved_in_all, numbers_in_all = 0, 0
    for lesson in exercises.lessons():
        found = exercises.of_lesson(lesson)
        is_solved = [bool(known.get(one.number, {}).get("solved")) for one in found]
        left = next((one for one, done in zip(found, is_solved, strict=True) if not done), None)
        bar = "".join("●" if done else "○" for done in is_solved)
        following = f"next: {left.number} {left.title}" if left else "all solved"
        typer.echo(f"{lesson:<26} {bar:<7} {sum(is_solved)} of {len(found)}   {following}")
        solved_in_all, numbers_in_all = solved_in_all + sum(is_solved), numbers_in_all + len(found)
    typer.echo(f"\n{solved_in_all} of {numbers_in_all} solved. Kept in {record.progress_file()}, and nowhere else.")


def solutions(
    lessons: Lessons = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder; build/solutions if left out.")] = None,
    nbgrader: Annotated[bool, typer.Option("--nbgrader", help="Write assignments for nbgrader instead.")] = False,
    otter: Annotated[bool, typer.Option("--otter", help="Write otter-grader's tests instead.")] = False,
) -> None:
    """Write the teacher's notebooks, with every exercise solved.

    Each exercise is followed by the mistakes to look for. With --nbgrader the lessons are unsolved, and their checks
    locked and graded. With --otter there are no notebooks, but one test file for each exercise.
    """
    if nbgrader and otter:
        raise typer.BadParameter("choose one of --nbgrader and --otter")
    found, folder = lesson_paths(lessons), output or paths.ROOT / "build" / "solutions"
    from course_lib.notebooks import solutions as teacher

    for path in teacher.write_otter_tests(found, folder) if otter else teacher.write(found, folder, nbgrader):
        typer.echo(path)
