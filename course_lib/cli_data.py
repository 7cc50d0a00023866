"""The commands `course data ...`: fetch, check and list the data of the lessons."""

from collections.abc import Sequence
from typing import Annotated

import typer

from course_lib import paths
from course_lib.cli_common import chosen, expecting, fail

data_app = typer.Typer(help="Fetch, check and list the data of the lessons.", no_args_is_help=True)

Artefacts = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="As `course data list` shows it. What the lessons need if left out."),
]


@data_app.command("fetch")
def data_fetch(names: Artefacts = None) -> None:
    """Download what is missing or damaged, and check it."""
    from course_lib import sources

    with expecting(sources.SourceError):
        for name in artefacts(names):
            typer.echo(f"{name}: ready in {sources.fetch(name)}")


@data_app.command("verify")
def data_verify(names: Artefacts = None) -> None:
    """Compare every cached file with its checksum.

    Downloads nothing. Exit code 1 when a file is missing or broken.
    """
    from course_lib import sources

    wrong: dict[str, None] = {}  # names in order, each once
    with expecting(sources.SourceError):
        for name in artefacts(names):
            for found in sources.verify(name):
                typer.echo(f"{found.state:<8}{name}/{found.file.name}")
                if found.state != "ok":
                    wrong[name] = None
    if wrong:
        raise fail(f"files are missing or broken; get them with: course data fetch {' '.join(wrong)}")


@data_app.command("list")
def data_list() -> None:
    """Show what there is: state, size, use, licence."""
    from course_lib import sources

    with expecting(sources.SourceError):
        for one in sources.list_artefacts():
            use = "needed by the lessons" if one.default else "on request"
            typer.echo(f"{one.name}: {one.state}, {one.size / 1e6:.1f} MB, {use}\n  {one.title}\n  {one.licence}")
    typer.echo(f"\nCache folder: {paths.cache_dir()}  (move it with {paths.CACHE_VARIABLE})")


def artefacts(names: Sequence[str] | None) -> list[str]:
    """The artefacts named; those the lessons need if none is."""
    from course_lib import sources

    known = sources.list_artefacts()
    if names:
        return chosen(names, [one.name for one in known], "artefact")
    return [one.name for one in known if one.default]
