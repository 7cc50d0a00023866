"""The command `course`: run the lessons, look after their data, show the scoreboard, check the machine.

Exit codes: 0 all went well, 1 the work failed, 2 the command was called wrongly.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import course_lib
from course_lib import paths
from course_lib.cli_common import Lessons, chosen, expecting, fail, lesson_paths, need_clone
from course_lib.cli_data import data_app
from course_lib.cli_docs import docs, new_lesson
from course_lib.cli_exercises import progress, solutions
from course_lib.cli_notebooks import notebooks_app
from course_lib.cli_pages import site, slides
from course_lib.cli_publish import publish
from course_lib.serving import commands as serving

app = typer.Typer(
    name="course",
    help="Graphs and Words: recommender systems from graphs and language models. Begin with: course run, course lab",
    epilog="Exit codes: 0 all went well, 1 the work failed, 2 the command was called wrongly.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(notebooks_app, name="notebooks")


class LedgerFormat(StrEnum):
    """How `course ledger` prints."""

    table = "table"
    json = "json"
    markdown = "markdown"


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

    Recorded studies and what lessons fitted on this machine; markdown holds the studies only, as docs/results.md does.
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


@app.command()
def profiles(
    catalogue: Annotated[
        Path,
        typer.Argument(
            metavar="CATALOGUE.csv", exists=True, dir_okay=False, help="Columns item_id and title, and what may help."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", help="JSON-lines file; items in it are not asked again.")],
    local_model: Annotated[
        str, typer.Option("--local-model", help="Folder or hub name of a transformers model; else COURSE_LLM_URL.")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="What an item is, in a word, such as film.")] = "item",
    yes: Annotated[bool, typer.Option("--yes", help="Go on after the estimate without asking.")] = False,
) -> None:
    """Have a language model describe your own items.

    Shows first what it will take, then asks whether to go on. The model is a local one, or the one on the server that
    COURSE_LLM_URL, COURSE_LLM_MODEL and COURSE_LLM_KEY name. Exit code 1 when an item is left without a profile.
    """
    from course_lib.text import generate

    with expecting(ValueError, OSError, RuntimeError):
        report = generate.run(catalogue, output, local_model, kind, confirmed=yes)
    if report.not_asked and not yes and sys.stdin.isatty():
        typer.confirm("Ask the model now?", abort=True)
        with expecting(ValueError, OSError, RuntimeError):
            report = generate.run(catalogue, output, local_model, kind, confirmed=True)
    if left := report.not_asked + len(report.failed):
        raise fail(f"{left} items have no profile; the same command goes on with them")


for command in (progress, solutions, serving.export, serving.serve, serving.retrain):
    app.command()(command)
for task in (site, slides, publish, docs, new_lesson):
    app.command()(task)
app.add_typer(serving.bundle_app, name="bundle")


def main() -> None:
    """Entry point of `course` and of `python -m course_lib`."""
    try:
        app(prog_name="course")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("course_lib"):
            raise
        raise SystemExit(f'course: the package {error.name} is missing: pip install -e ".[all]" installs it') from error
