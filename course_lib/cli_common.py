"""What the commands of `course` share: arguments, and how a command fails."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_lib import paths

Lessons = Annotated[
    list[str] | None,
    typer.Argument(metavar="LESSON", help="Number or name, such as 02 or 02_collaborative_filtering. All if left out."),
]


def fail(message: object) -> typer.Exit:
    """Say on standard error what failed; raise the result to leave with exit code 1."""
    typer.echo(f"course: {message}", err=True)
    return typer.Exit(1)


@contextmanager
def expecting(*kinds: type[Exception]) -> Iterator[None]:
    """Turn the errors a command knows into one message and exit code 1; all others keep their traceback."""
    try:
        yield
    except kinds as error:
        raise fail(error) from error


def need_clone() -> None:
    """Stop where there are no notebooks: in an installed package."""
    if not paths.in_clone():
        raise fail("this needs the course's own folder with its notebooks: clone the repository and run it there.")


def chosen(names: Sequence[str] | None, known: Sequence[str], what: str) -> list[str]:
    """The names given, after a look whether all exist; all known ones if none is given."""
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        listed = ", ".join(known) or "none yet"
        raise typer.BadParameter(f"there is no {what} '{unknown[0]}'; choose from: {listed}")
    return list(names or known)


def lesson_paths(names: Sequence[str] | None) -> list[Path]:
    """Notebooks of the lessons named, all lessons if none is."""
    from course_lib import notebooks

    need_clone()
    try:
        found = notebooks.lessons(names or None)
    except notebooks.LessonNotFound as error:
        raise typer.BadParameter(str(error)) from error
    if not found:
        raise fail(f"there are no lessons in {paths.ROOT / 'notebooks'}")
    return found
