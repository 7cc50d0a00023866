"""Lessons as decks of slides (reveal.js) that need no network.

nbconvert makes the decks. reveal.js comes with the Python package sphinx-revealjs, MathJax with
jupyter-server-mathjax: no Node.js is needed, and nothing is asked of another host.
"""

import re
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode

from course_lib import notebooks, render
from course_lib.notebooks import catalogue, figures, slide_pages, slideshow

REVEAL = ("LICENSE", "dist/reveal.css", "dist/reveal.js", "dist/theme/white.css", "plugin/notes/notes.js")
REVEAL_FONTS = "dist/theme/fonts/source-sans-pro"
NOTEBOOK_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)\s]*\)")


def build(lessons: Sequence[Path], target: Path) -> None:
    """Write a deck for each notebook to the folder `target`, and a page that lists all decks there."""
    target.mkdir(parents=True, exist_ok=True)
    _copy_assets(target)
    for path in lessons:
        deck_of(path, target).write_text(_deck(catalogue.read(path)), encoding="utf-8", newline="\n")
    present = [path for path in notebooks.lessons() if deck_of(path, target).is_file()]
    decks = [(deck_of(path, target).name, _title(catalogue.read(path))) for path in present]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(render.TEMPLATES), autoescape=True)
    page = environment.get_template("decks.html.j2").render(decks=decks)
    (target / "index.html").write_text(page, encoding="utf-8", newline="\n")


def deck_of(lesson: Path, target: Path) -> Path:
    """The deck of the notebook at `lesson`: `target/<name>.html`, an elective's `target/electives-<name>.html`."""
    return target / f"{catalogue.lesson_name(lesson).replace('/', '-')}.html"


def _title(notebook: NotebookNode) -> str:
    return str(notebook.metadata["course"]["title"])


def _copy_assets(target: Path) -> None:
    render.copy_assets(target)
    shutil.copy(render.TEMPLATES / "slides.css", target)
    copied = target / "assets" / "reveal"
    with resources.as_file(resources.files("sphinx_revealjs") / "_static" / "revealjs") as reveal:
        shutil.copytree(reveal / REVEAL_FONTS, copied / REVEAL_FONTS, dirs_exist_ok=True)
        for name in REVEAL:
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(reveal / name, copied / name)


def _deck(notebook: NotebookNode) -> str:
    exporter = SlidesExporter(
        template_file=str(render.TEMPLATES / "slides.html.j2"),
        extra_template_paths=[str(render.TEMPLATES)],
        mathjax_url="assets/mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe",
        reveal_url_prefix="assets/reveal",
        reveal_theme="white",
    )
    figures.describe(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = NOTEBOOK_LINK.sub(r"\1", render.REMOTE_IMAGE.sub(r"\1", cell.source))
        for output in cell.get("outputs", []):
            _enlarge(output)
    pages = slide_pages.paged(notebook)
    pages.metadata["title"] = _title(notebook)
    page, _ = exporter.from_notebook_node(nbformat.from_dict(pages))
    return page


def _enlarge(output: NotebookNode) -> None:
    png = output.get("data", {}).get("image/png")
    if png:
        width, height = slideshow.figure_size(png)
        output.metadata.setdefault("image/png", {}).update(width=width, height=height)
