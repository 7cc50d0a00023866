"""The commands `course site` and `course slides`: the course to read in a browser, and to lecture from."""

import typer

from course_lib import paths
from course_lib.cli_common import Lessons, expecting, lesson_paths, need_clone


def site() -> None:
    """Build the static site, with search, under build/site.

    Made from the notebooks as they are stored; nothing is executed. It works from the disk and without a network.

    Exit code 1 where a link leads nowhere.
    """
    need_clone()
    from course_lib import static_site

    target = paths.ROOT / "build" / "site"
    with expecting(static_site.SiteError):
        count = static_site.build(target)
    typer.echo(f"{count} pages: {target / 'index.html'}")


def slides(lessons: Lessons = None) -> None:
    """Export lessons as slides under build/slides.

    Made from the notebooks as they are stored; nothing is executed. The decks (reveal.js) need no network.
    """
    found = lesson_paths(lessons)
    from course_lib import slides as decks

    target = paths.ROOT / "build" / "slides"
    decks.build(found, target)
    typer.echo(f"{len(found)} decks: {target / 'index.html'}")
