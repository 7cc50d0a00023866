"""The command `course`: run the lessons, look after their data, show the scoreboard, check the machine.

Exit codes: 0 all went well, 1 the work failed, 2 the command was called wrongly.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import course_lib
from course_lib import paths

app = typer.Typer(
    name="course",
    help="Graphs and Words: recommender systems from graphs and language models. Begin with: course run, course lab",
    epilog="Exit codes: 0 all went well, 1 the work failed, 2 the command was called wrongly.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Fetch, check and list the data of the lessons.", no_args_is_help=True)
notebooks_app = typer.Typer(help="For authors: keep the notebooks in order.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(notebooks_app, name="notebooks")

Lessons = Annotated[
    list[str] | None,
    typer.Argument(metavar="LESSON", help="Number or name, such as 02 or 02_collaborative_filtering. All if left out."),
]
Artefacts = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="As `course data list` shows it. What the lessons need if left out."),
]


class LedgerFormat(StrEnum):
    """How `course ledger` prints."""

    table = "table"
    json = "json"
    markdown = "markdown"


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


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"graphs-and-words {course_lib.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of `course` itself."""


@app.command()
def run(lessons: Lessons = None) -> None:
    """Run lessons, show the scoreboard and the seconds each took.

    Without names all core lessons run, each from start to end without a screen, and become pages under build/. The
    notebooks themselves are not changed.
    """
    chosen_lessons = [path for path in lesson_paths(lessons) if lessons or path.parent.name != "electives"]
    from course_lib import ledger, runner

    build = paths.ROOT / "build"
    runs = runner.run_lessons(chosen_lessons, build)
    typer.echo(f"\nScoreboard\n\n{ledger.table(ledger.rows())}\n")
    width = max(len(one.name) for one in runs)
    for one in runs:
        typer.echo(f"{one.name:<{width}}  {one.seconds:6.1f} s{'  FAILED' if one.error else ''}")
    typer.echo(f"{'all':<{width}}  {sum(one.seconds for one in runs):6.1f} s\n\nPages: {build / 'index.html'}")
    failed = [one.name for one in runs if one.error]
    if failed:
        raise fail(f"{len(failed)} of {len(runs)} lessons failed: {', '.join(failed)}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open the lessons in JupyterLab.

    Further options go to JupyterLab, for example: course lab --no-browser --port 9000
    """
    need_clone()
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance([str(paths.ROOT / "notebooks"), *context.args])


@app.command()
def ledger(
    style: Annotated[LedgerFormat, typer.Option("--format", help="How to print it.")] = LedgerFormat.table,
) -> None:
    """Print the scoreboard: models, protocols, 95 % intervals.

    Recorded studies and what lessons fitted on this machine; markdown, for the README, holds the studies only.
    """
    from course_lib import ledger as scoreboard

    if style is LedgerFormat.json:
        typer.echo(json.dumps(scoreboard.rows(), indent=2))
    elif style is LedgerFormat.table:
        typer.echo(scoreboard.table(scoreboard.rows()))
    else:
        typer.echo(scoreboard.markdown(scoreboard.rows(live=False)), nl=False)


@app.command()
def study(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="All if left out; they take a while.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the records fit today's code and data.")
    ] = False,
) -> None:
    """Run the recorded studies behind the scoreboard.

    Each runs every variant with several seeds and writes its rows to results/.
    """
    from course_lib import studies

    need_clone()
    wanted = chosen(names, studies.names(), "study")
    if check:
        stale = {row: reason for row, reason in studies.stale().items() if row.partition(":")[0] in wanted}
        for row, reason in stale.items():
            typer.echo(f"{row}: {reason}")
        if stale:
            raise fail(f"{len(stale)} recorded rows are stale")
        typer.echo("The records fit.")
        return
    for name in wanted:
        typer.echo(f"{name}: {studies.run(name)}")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print a list of JSON objects.")] = False) -> None:
    """Check this machine; each problem says what to do.

    Looks at Python, packages, device, cores, memory, disk, data and models. Exit code 1 when a line is red.
    """
    from course_lib import doctor as checks

    if not checks.report(as_json):
        raise typer.Exit(1)


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


def main() -> None:
    """Entry point of `course` and of `python -m course_lib`."""
    try:
        app(prog_name="course")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("course_lib"):
            raise
        raise SystemExit(f'course: the package {error.name} is missing: pip install -e ".[all]" installs it') from error
