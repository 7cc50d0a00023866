"""Executed lessons as pages that need no network."""

import re
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from course_lib.notebooks import figures

if TYPE_CHECKING:
    from course_lib.runner import LessonRun

TEMPLATES = Path(__file__).parent / "templates"
MATHJAX = resources.files("jupyter_server_mathjax") / "static"
MATHJAX_UNUSED = shutil.ignore_patterns("localization", "a11y")
REMOTE_IMAGE = re.compile(r"!\[([^\]]*)\]\(https?://[^)]*\)")
NOTEBOOK_LINK = re.compile(r"(\]\((?!https?:)[^)\s]*)\.ipynb(#[^)]*)?\)")


def copy_assets(build_dir: Path) -> None:
    """Copy MathJax (6 MB) to `build_dir/assets`, where the pages look for it."""
    target = build_dir / "assets" / "mathjax"
    with resources.as_file(MATHJAX) as source:
        shutil.copytree(source, target, ignore=MATHJAX_UNUSED, dirs_exist_ok=True)


def write_lesson(notebook: NotebookNode, name: str, title: str, build_dir: Path) -> None:
    """Write an executed notebook to `build_dir/lessons`, as it is and as a page."""
    target = build_dir / "lessons" / f"{name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    to_build = "../" * (name.count("/") + 1)
    page = _page(notebook, title, to_build)
    target.with_suffix(".html").write_text(page, encoding="utf-8", newline="\n")


def write_index(runs: Sequence["LessonRun"], titles: dict[str, str], build_dir: Path) -> None:
    """Write `build_dir/index.html`: a link to each lesson's page, its seconds and how it went."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    page = environment.get_template("index.html.j2").render(runs=runs, titles=titles)
    (build_dir / "index.html").write_text(page, encoding="utf-8", newline="\n")


def _page(notebook: NotebookNode, title: str, to_build: str) -> str:
    exporter = HTMLExporter(
        template_file=str(TEMPLATES / "lesson.html.j2"),
        extra_template_paths=[str(TEMPLATES)],
        mathjax_url=f"{to_build}assets/mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe",
    )
    local = nbformat.from_dict(notebook)
    local.metadata["title"] = title
    figures.describe(local)
    for cell in local.cells:
        if cell.cell_type == "markdown":
            cell.source = NOTEBOOK_LINK.sub(r"\1.html\2)", REMOTE_IMAGE.sub(r"\1", cell.source))
    page, _ = exporter.from_notebook_node(local, {"course_index": f"{to_build}index.html"})
    return page
