"""The command `course publish`, for whoever puts the course on a host of their own."""

from typing import Annotated

import typer

from course_lib import paths
from course_lib.cli_common import expecting, need_clone


def publish(
    repo: Annotated[
        str | None, typer.Option("--repo", metavar="OWNER/NAME", help="On GitHub; else a full address of a repository.")
    ] = None,
    ref: Annotated[str | None, typer.Option("--ref", metavar="TAG", help="Branch or tag that readers get.")] = None,
) -> None:
    """Set the address in badges, set-up cells and links.

    Rewrites pyproject.toml, where the address and the branch or tag are set, the notebooks, and each file that names
    the old address. What is left out stays as it is. Outputs are kept. Look at the changes, commit and push them, and
    then set the tag, so that it holds them.
    """
    need_clone()
    from course_lib import address

    with expecting(ValueError):
        old = address.published()
    try:
        new = address.parse(old.repository if repo is None else repo, old.ref if ref is None else ref)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    from course_lib.publish import publish as write

    with expecting(RuntimeError):
        written = write(new)
    for path in written:
        typer.echo(path.relative_to(paths.ROOT).as_posix())
    typer.echo(f"{len(written)} files changed. The course is at {new.repository}, branch or tag {new.ref}.")
    if new.colab("") is None:
        typer.echo("Colab opens lessons from GitHub only: they have no badge now, and other links to Colab were left.")
