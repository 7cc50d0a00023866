"""The commands `course docs` and `course new-lesson`, for authors."""

from typing import Annotated

import typer

from course_lib import paths
from course_lib.cli_common import expecting, fail, need_clone


def docs(
    check: Annotated[bool, typer.Option("--check", help="Only say which are stale; exit code 1 if any is.")] = False,
) -> None:
    """Write the pages under docs/ that are made of the lessons.

    Glossary, notation, where what is taught, reading list, teaching guide, results, the map, the tables in README.md.
    """
    need_clone()
    from course_lib import reference

    with expecting(LookupError, ValueError):
        changed = list(reference.stale()) if check else reference.write()
    for path in changed:
        typer.echo(path.relative_to(paths.ROOT).as_posix())
    if check and changed:
        raise fail(f"{len(changed)} pages are stale; course docs writes them")
    typer.echo("All pages are up to date." if not changed else f"{len(changed)} pages written.")


def new_lesson(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as 08_sessions or electives/sessions.")],
) -> None:
    """Write the notebook of a new lesson to start from.

    It has the header, the set-up cell, a section in the pattern of the course and the ending. CONTRIBUTING.md says how
    to go on.
    """
    need_clone()
    from course_lib.notebooks import new_lesson as template

    with expecting(FileExistsError):
        try:
            path = template.write(name)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    typer.echo(f"{path.relative_to(paths.ROOT).as_posix()} is there. Next: course notebooks execute {path.stem}")
