"""The commands `course notebooks ...`, for authors: keep the notebooks in order."""

import typer

from course_lib.cli_common import Lessons, expecting, fail, lesson_paths

notebooks_app = typer.Typer(help="For authors: keep the notebooks in order.", no_args_is_help=True)


@notebooks_app.command("sync")
def notebooks_sync(lessons: Lessons = None) -> None:
    """Bring headers, badges and setup cells up to date."""
    found = lesson_paths(lessons)
    from course_lib import notebooks

    notebooks.sync(found)
    typer.echo(f"{len(found)} notebooks in order.")


@notebooks_app.command("execute")
def notebooks_execute(lessons: Lessons = None) -> None:
    """Run notebooks and store their outputs and seconds.

    A lesson that fails is left as it was.
    """
    found = lesson_paths(lessons)
    from course_lib import notebooks

    with expecting(notebooks.LessonFailed):
        for path in found:
            typer.echo(f"{path.name} ...")
            notebooks.execute([path])


@notebooks_app.command("lint")
def notebooks_lint(lessons: Lessons = None) -> None:
    """Check notebooks against the course's rules."""
    found = lesson_paths(lessons)
    from course_lib import notebooks

    messages = notebooks.lint(found)
    for message in messages:
        typer.echo(message)
    if messages:
        raise fail(f"{len(messages)} rules broken in {len(found)} notebooks")
    typer.echo(f"{len(found)} notebooks follow the rules.")
