"""What the tool writes into every notebook: the header, the set-up cell and steady cell ids."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.address import COLAB, Address, published
from course_lib.notebooks import catalogue, exercise_cells, slideshow

SLUG_LENGTH = 48
INSTALL_LINE = re.compile(r"^ *%pip .*$", re.MULTILINE)

SETUP = """\
# Set-up: finds the course library beside this notebook, or installs it. Nothing to change here.
import importlib.util
import sys
from pathlib import Path

clone = [str(folder) for folder in [Path.cwd(), *Path.cwd().parents] if (folder / "course_lib").is_dir()]
sys.path[:0] = clone[:1]
if importlib.util.find_spec("course_lib") is None:
    %pip install --quiet --no-deps {source}
    importlib.invalidate_caches()
if not clone:
    from course_lib.dependencies import install_missing

    install_missing()  # what is installed already stays as it is

from course_lib import lesson

lesson.start("{name}")"""


def sync(paths: Sequence[Path]) -> list[Path]:
    """Bring header, set-up cell and cell ids in line with each notebook's `course` metadata.

    Outputs of other cells are kept. A notebook that is in order is not written. Returns those that were.
    """
    written = []
    for path in paths:
        notebook = catalogue.read(path)
        before = nbformat.writes(notebook)
        refresh(notebook, path)
        if nbformat.writes(notebook) != before:
            catalogue.write(notebook, path)
            written.append(path)
    return written


def refresh(notebook: NotebookNode, path: Path) -> None:
    """Like `sync`, for a notebook in memory that belongs to `path`."""
    address = published()
    course = notebook.metadata.get("course", {})
    _place(notebook, 0, catalogue.HEADER_TAG, nbformat.v4.new_markdown_cell(header_text(course, path, address)))
    _place(notebook, 1, catalogue.SETUP_TAG, nbformat.v4.new_code_cell(setup_code(path, address)))
    exercise_cells.refresh(notebook, catalogue.lesson_name(path))
    slideshow.assign(notebook)
    _number(notebook)


def header_text(course: dict, path: Path, address: Address) -> str:
    """Markdown of the header cell: title, links, question, objectives, what to know before, times."""
    name = catalogue.lesson_name(path)
    on_colab = address.colab(name)
    badge = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({on_colab}) · " if on_colab else ""
    up = "../" * name.count("/")
    before = ", ".join(f"[{other}]({up}{other}.ipynb)" for other in course.get("prerequisites", [])) or "nothing"
    minutes = [f"{course.get(key, '?')} min" for key in ("lecture_minutes", "lab_minutes")]
    seconds = f"about {course['cpu_seconds']} s on two CPU cores" if course.get("cpu_seconds") else "not measured yet"
    return "\n".join(
        [
            f"# {course.get('title', name)}",
            "",
            f"{badge}[Source]({address.page(name)})",
            "",
            f"**{course.get('question', '')}**",
            "",
            "After this lesson you can",
            "",
            *[f"- {objective}" for objective in course.get("objectives", [])],
            "",
            "| Do first | Lecture | Lab | Run time |",
            "|:---|:---|:---|:---|",
            f"| {' | '.join([before, *minutes, seconds])} |",
        ]
    )


def setup_code(path: Path, address: Address) -> str:
    """Source of the set-up cell of the lesson at `path`."""
    return SETUP.format(source=address.pip, name=catalogue.lesson_name(path))


def _place(notebook: NotebookNode, position: int, tag: str, cell: NotebookNode) -> None:
    """Put the source of `cell` into the notebook's cell tagged `tag`; add that cell at `position` if it is missing."""
    found = [old for old in notebook.cells if tag in catalogue.tags(old)]
    if not found:
        notebook.cells.insert(position, cell)
        found = [cell]
    current = found[0]
    if current.cell_type == "code":
        current.metadata["tags"] = [tag, catalogue.IGNORE_TAG]
        if INSTALL_LINE.sub("", current.source) != INSTALL_LINE.sub("", cell.source):  # its output names no address
            current.outputs, current.execution_count = [], None
    else:
        current.metadata["tags"] = [tag]
    current.source = cell.source
    if tag == catalogue.HEADER_TAG:
        notebook.cells.remove(current)
        notebook.cells.insert(0, current)


def _number(notebook: NotebookNode) -> None:
    """Give each cell an id made of its section and its place there, so that an edit changes few ids."""
    section, seen = "start", Counter[str]()
    for cell in notebook.cells:
        title = catalogue.section(cell)
        if title:
            section = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:SLUG_LENGTH].strip("-") or "section"
        seen[section] += 1
        cell.id = section if seen[section] == 1 else f"{section}-{seen[section]}"
